"""The whole benchmark, step by step, so that what is measured stays when it is stopped."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from models.bench.exports import ExportRound, export_figures, measure_round, measure_stages
from models.bench.figures import BenchReport, ExportFigures
from models.bench.loops import check_clip, measure_live
from models.bench.machine import OtherPrograms, describe_machine
from models.bench.maps import official_way, runtimes_here, threads_of, time_maps
from models.bench.official import VIDEO_WH
from models.bench.options import BenchOptions
from models.bench.peak import measure_matrix_rate
from models.families import dino, resnet
from models.options import ModelOptions, RuntimeOptions
from models.registry import DEFAULT_MODEL, find_spec
from models.runtimes.selection import choose
from stream.command_line.options import Options
from stream.jobs.factories import Factories
from stream.jobs.processes import run_fresh
from stream.priority import SLEEPING, num_threads_beside_picture

__all__ = ["FULL", "QUICK", "Extent", "measure", "start_report"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured."""

    models: tuple[str, ...]
    """Models, where none are named; export and live take the first."""
    matrix_s: float
    """Time for the matrix rate of each precision."""
    maps_s: float
    """Time for each model, all its runtimes together."""
    num_rounds: int
    """Exports, each beside the official way's."""
    export_frames: int
    """Frames of one export."""
    official_frames: int
    """Frames of one export in the official way."""
    live_frames: int
    """Frames of the live view."""


_FIRST = "dino_vits16"
FULL = Extent(
    models=tuple(
        dict.fromkeys(
            (_FIRST, DEFAULT_MODEL, *(spec.name for spec in (*dino.MODELS, *resnet.MODELS)))
        )
    ),
    matrix_s=4.0,
    maps_s=15.0,
    num_rounds=3,
    export_frames=150,
    official_frames=16,
    live_frames=600,
)
"""Some five minutes on two cores."""
QUICK = Extent(
    models=tuple(dict.fromkeys((_FIRST, DEFAULT_MODEL))),
    matrix_s=1.0,
    maps_s=3.0,
    num_rounds=1,
    export_frames=40,
    official_frames=8,
    live_frames=120,
)
"""Under a minute on two cores."""


def start_report(options: Options) -> BenchReport:
    """Return a report that knows the machine and nothing else yet.

    Raises:
        DeviceError: The device, runtime or precision that was asked for is not there.
    """
    asked, at = options[BenchOptions], options[RuntimeOptions]
    device = choose(at.device, at.runtime, at.precision).device
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return BenchReport(
        machine=describe_machine(gpu=gpu),
        clip=Path(asked.source).name,
        is_quick=asked.quick,
    )


def measure(
    report: BenchReport, options: Options, factories: Factories, *, extent: Extent
) -> Iterator[str]:
    """Fill in the report; before each step, yield what is measured next, in a few words.

    Exports and live view run in processes of their own, as a person starts them; maps in this one.

    Raises:
        SignlightError: A part could not be had, or failed.
    """
    others = OtherPrograms()
    for step in _steps(report, options, factories, extent):
        report.others_cores = others.mean_cores()
        yield step
    report.others_cores = others.mean_cores()
    report.is_complete = True


def _steps(
    report: BenchReport, options: Options, factories: Factories, extent: Extent
) -> Iterator[str]:
    asked, at = options[BenchOptions], options[RuntimeOptions]
    names = asked.models or extent.models
    yield "the clip"
    run_fresh(
        check_clip, factories=factories, options=options, num_frames=extent.export_frames
    )  # in a process of its own: what finds hands would keep threads here
    yield "matrix products"
    runtimes, missing = runtimes_here(at.device, at.runtime, at.precision)
    report.notes += missing
    _measure_matrices(report, options, extent, runtimes)
    for name in names:
        yield f"maps of {name}"
        report.maps += time_maps(
            find_spec(name),
            runtimes=runtimes,
            device=at.device,
            precision=at.precision,
            num_threads=asked.num_threads,
            crop_px=find_spec(name).crop_px,
            budget_s=extent.maps_s,
            rates=report.matrix,
        )
    options = options.but(model=names[0])
    yield f"export with {names[0]}"
    report.export = _measure_export(options, factories, extent)
    yield f"live view with {names[0]}"
    report.live = run_fresh(
        measure_live,
        sleep_waiting=True,
        factories=factories,
        options=options,
        num_frames=extent.live_frames,
        started_ns=time.monotonic_ns(),
        threads=threads_of(
            asked.num_threads or num_threads_beside_picture(),
            runtime="live",
            wait_policy=SLEEPING,
        ),
    )


def _measure_matrices(
    report: BenchReport, options: Options, extent: Extent, runtimes: Sequence[str]
) -> None:
    at, num_threads = options[RuntimeOptions], options[BenchOptions].num_threads
    wanted = []
    for runtime in runtimes:
        choice = choose(at.device, runtime, "auto")
        # "auto" is bfloat16 or float16 only where the hardware has it.
        wanted += [(choice.device, torch.float32), (choice.device, choice.dtype)]
        if choice.device.type != "cpu":  # a processor emulates what it does not have: no limit
            asked = choose(at.device, runtime, at.precision)
            wanted.append((asked.device, asked.dtype))
    for device, dtype in dict.fromkeys(wanted):
        report.matrix.append(
            measure_matrix_rate(device, dtype, num_threads=num_threads, budget_s=extent.matrix_s)
        )


def _measure_export(options: Options, factories: Factories, extent: Extent) -> ExportFigures:
    """Export in turns: ours, the official way, ours, and so on.

    Each export is the whole work of a process that has just started, one process at a time, so that
    neither finds threads, memory or settings of the other: ours lets waiting threads sleep, as
    ``signlight export`` does; the official way has torch's own defaults.
    """
    asked, at = options[BenchOptions], options[RuntimeOptions]
    spec, clip = find_spec(options[ModelOptions].model), Path(asked.source)
    choice = choose(at.device, at.runtime, at.precision)
    runtime = "openvino" if choice.use_openvino else "torch"
    rounds: list[ExportRound] = []
    rivals_per_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="signlight-bench-") as name:
        folder = Path(name)

        def run_ours(function: Callable[..., T]) -> T:
            return run_fresh(
                function,
                sleep_waiting=True,
                factories=factories,
                options=options,
                folder=folder,
                num_frames=extent.export_frames,
            )

        for _ in range(extent.num_rounds):
            rounds.append(run_ours(measure_round))
            if spec.family is dino.DINO:
                rivals_per_s.append(
                    run_fresh(
                        _export_officially,
                        model=spec.name,
                        clip=clip,
                        folder=folder,
                        device=choice.device.type,  # that of ours
                        num_threads=asked.num_threads,
                        num_frames=extent.official_frames,
                    )
                )
        stages = run_ours(measure_stages)
    return export_figures(
        rounds,
        stages,
        threads=threads_of(asked.num_threads, runtime=runtime, wait_policy=SLEEPING),
        rivals_per_s=rivals_per_s,
        rival_threads=threads_of(asked.num_threads, runtime="official"),
        rival_size_wh=VIDEO_WH,
    )


def _export_officially(
    *,
    model: str,
    clip: Path,
    folder: Path,
    device: str,
    num_threads: int | None,
    num_frames: int,
) -> float:
    """Return the frames a second of an export in the official way."""
    way = official_way(find_spec(model), device=torch.device(device), num_threads=num_threads)
    assert way is not None
    return way.export(clip, folder, num_frames=num_frames)
