"""The figures of a benchmark, as values that JSON can hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = [
    "BenchReport",
    "ExportFigures",
    "LiveFigures",
    "Machine",
    "MapFigures",
    "MatrixRate",
    "StageFigures",
    "Threads",
]

SCHEMA = 1
"""Grows with each change that a reader of the JSON file has to know of."""
_ENOUGH_WITH_HAND = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the figures were measured on."""

    system: str
    """Operating system and architecture."""
    cpu: str
    """Name of the processor."""
    num_cores: int
    """Cores that this process may use, as the system counts them."""
    instructions: tuple[str, ...]
    """Vector and matrix extensions of the processor that matter here."""
    memory_gb: float | None
    """Main memory in 10^9 bytes; None where the system does not tell."""
    gpu: str | None
    """Name of the GPU that torch would use; None without one."""
    versions: dict[str, str]
    """Versions of Signlight, where it is installed, of Python, and of the libraries that do the
    work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """How a process was told to share the processor."""

    num_threads: int
    """Processor threads of a model."""
    omp_wait_policy: str | None
    """``OMP_WAIT_POLICY`` of the process: whether torch's threads spin while they wait. None is
    torch's default, under which they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRate:
    """How fast the machine multiplies matrices: what no model can be faster than."""

    device: str
    """``cpu``, ``cuda`` or ``mps``."""
    precision: str
    """``float32``, ``bfloat16`` or ``float16``."""
    gflop_s: float
    """10^9 floating-point operations a second, the best of several sizes and repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFigures:
    """One model on one picture at a time."""

    model: str
    """Name in the registry."""
    runtime: str
    """``torch`` or ``openvino``; for baselines ``converted``, what OpenVINO's own converter makes
    of the same network, and ``official``, DINO's own way."""
    device: str
    """Where it computed."""
    precision: str
    """Arithmetic."""
    crop_px: int
    """Side of the picture: what the model is given by default."""
    num_maps: int
    """Pictures timed, each after a pause."""
    threads: Threads
    """Those of this way."""
    median_ms: float
    """From a uint8 picture to its float32 maps, both in main memory, after a pause."""
    p95_ms: float
    """95th percentile of the same."""
    least_ms: float
    """The quickest of the same: what a quiet moment allows."""
    in_a_row_ms: float
    """Median of the pictures that follow at once; the matrix rate is measured so, too."""
    gflop: float
    """10^9 operations of the matrix products that the maps need (``models.flops``)."""
    floor_ms: float | None
    """``gflop`` over the matrix rate of this precision; None where that was not measured."""

    @property
    def device_type(self) -> str:
        """``cpu``, ``cuda`` or ``mps``."""
        return self.device.split(":")[0].split(" ")[0]

    @property
    def maps_per_s(self) -> float:
        """Pictures a second, one after the other."""
        return 1e3 / self.in_a_row_ms

    @property
    def times_floor(self) -> float | None:
        """Median in a row over floor: 1 is what the processor allows."""
        return self.in_a_row_ms / self.floor_ms if self.floor_ms else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """One stage of an export, in ms a frame."""

    name: str
    """``decode``, ``hands``, ``crop``, ``attention``, ``compose`` or ``encode``."""
    alone_ms: float
    """Mean with nothing beside it, all cores its own."""
    alone_median_ms: float
    """Median of the same. A group of frames that the model takes at once counts as that many
    frames of equal time; the end of the file is in the mean alone."""
    alone_p95_ms: float
    """95th percentile of the same."""
    cpu_ms: float
    """Mean processor time of all threads that worked for it."""
    busy_ms: float
    """Mean inside the export, where stages share the cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFigures:
    """An export of the clip to an MP4 with its sound, against DINO's own way of the same."""

    model: str
    """Name in the registry."""
    runtime: str
    """What computed the maps, and where, in which precision."""
    size_wh: tuple[int, int]
    """Width and height of the frames."""
    num_frames: int
    """Frames of one export."""
    num_frames_with_hand: int
    """Those in which a hand was seen: only for them is a map made."""
    num_maps: int
    """Maps of one export, one for each hand seen."""
    frames_per_s: float
    """Frames a second from the first read to the finished file; median of the rounds."""
    cpu_ms: float
    """Processor time of all threads a frame, during the export."""
    stages: tuple[StageFigures, ...]
    """The stages in their order."""
    num_cores: int
    """Cores that share the work."""
    threads: Threads
    """Those of the export."""
    official_threads: Threads | None
    """Those of the official way; None where it was not measured."""
    official_size_wh: tuple[int, int]
    """Size of the frames in the official way."""
    official_frames_per_s: float | None
    """The same clip in the official way; median of the rounds. None for no transformer."""
    peak_memory_mb: float | None
    """Most memory that the exporting process held, in 10^6 bytes; None where unknown."""

    @property
    def slowest_stage_per_s(self) -> float:
        """Frames a second that the slowest stage reaches with all cores to itself."""
        return 1e3 / max(stage.alone_ms for stage in self.stages)

    @property
    def cores_per_s(self) -> float:
        """Frames a second if the stages' processor time filled every core."""
        return 1e3 * self.num_cores / sum(stage.cpu_ms for stage in self.stages)

    @property
    def times_official(self) -> float | None:
        """Frames a second over those of the official way in the same run."""
        official = self.official_frames_per_s
        return self.frames_per_s / official if official else None

    @property
    def caveat(self) -> str | None:
        """What ``times_official`` does not say: a map for each frame is made there alone."""
        share = self.num_frames_with_hand / self.num_frames
        if share >= _ENOUGH_WITH_HAND or self.times_official is None:
            return None
        return (
            f"Only {share:.0%} of the frames had a hand, and the official way makes a map of each: "
            f'"{self.times_official:.1f} x as fast" is for less work.'
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """The live view of the clip at its own speed, without a window."""

    model: str
    """Name in the registry."""
    runtime: str
    """What computed the maps, and where, in which precision."""
    frame_rate: float
    """Frames a second of the clip."""
    num_shown: int
    """Frames shown."""
    num_dropped: int
    """Frames never shown."""
    shown_per_s: float | None
    """Frames shown a second once the clip plays; None for fewer than three."""
    num_late: int
    """Frames shown more than one frame's time after they were due."""
    late_p95_ms: float | None
    """95th percentile of shown minus due; None where nothing was shown."""
    jitter_p95_ms: float | None
    """95th percentile of how far the time between two frames is from the clip's."""
    num_maps: int
    """Batches of maps finished."""
    age_p95_ms: float | None
    """95th percentile of the age of the maps on show; None where there was none."""
    cpu_share: float
    """Processor time over time and cores: 1 is every core busy."""
    threads: Threads
    """Those of the live view."""
    first_shown_s: float | None
    """From the start of the process to the first frame shown."""
    peak_memory_mb: float | None
    """Most memory that the process held, in 10^6 bytes; None where unknown."""


@dataclass(slots=True, kw_only=True)
class BenchReport:
    """All that was measured so far."""

    schema: int = SCHEMA
    """Version of this layout."""
    machine: Machine
    clip: str
    """Name of the clip."""
    is_quick: bool
    """Fewer models, fewer repeats, a part of the clip."""
    weights: str = "random"
    """Weights of the models: their values do not change how long they take."""
    matrix: list[MatrixRate] = field(default_factory=list)
    maps: list[MapFigures] = field(default_factory=list)
    export: ExportFigures | None = None
    live: LiveFigures | None = None
    others_cores: float | None = None
    """Cores that other programs kept busy meanwhile, on average; None where unknown."""
    notes: list[str] = field(default_factory=list)
    """What is missing and why, one line each."""
    is_complete: bool = False
    """False where the benchmark was stopped."""

    def official(self, model: str, device_type: str) -> MapFigures | None:
        """Return the baseline of a model on a device, where it was measured."""
        sought = (model, "official", device_type)
        return next((m for m in self.maps if (m.model, m.runtime, m.device_type) == sought), None)

    def times_official(self, figures: MapFigures) -> float | None:
        """Return how many times as fast as the official way it is, same run and device."""
        official = self.official(figures.model, figures.device_type)
        return official.median_ms / figures.median_ms if official else None

    def as_json(self) -> dict[str, Any]:
        """Return everything by name; what follows from other figures is worked out."""
        content = asdict(self)
        for entry, figures in zip(content["maps"], self.maps, strict=True):
            entry["maps_per_s"] = figures.maps_per_s
            entry["times_floor"] = figures.times_floor
            entry["times_official"] = self.times_official(figures)
        if self.export is not None:
            for name in ("slowest_stage_per_s", "cores_per_s", "times_official", "caveat"):
                content["export"][name] = getattr(self.export, name)
        rounded: dict[str, Any] = _rounded(content)
        return rounded


def _rounded(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return ``value`` with four significant digits: more would be noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    return value
