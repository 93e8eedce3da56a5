"""The export of a clip, measured: once as a whole, and each of its stages alone."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from models.bench.figures import ExportFigures, StageFigures, Threads
from models.bench.loops import words_of
from models.bench.machine import peak_memory_mb
from models.bench.options import BenchOptions
from models.bench.stopwatch import Stopwatch, TimedParts
from stream.command_line.options import Options
from stream.errors import SourceFormatError
from stream.jobs.factories import Factories
from stream.jobs.opening import open_sink, open_source
from stream.jobs.tally import Tally
from stream.priority import num_cores
from stream.scene import Scene
from stream.scenes import Located, SceneMaker, Scenes
from stream.sources.options import PartOptions
from stream.stats import percentile
from stream.video import Video

if TYPE_CHECKING:
    from stream.jobs.factories import LoadedModel

__all__ = ["ExportRound", "StageTimes", "export_figures", "measure_round", "measure_stages"]

_BURST_FRAMES = 16
"""Frames, or a few more, that pass one stage before the next has its turn: threads of libraries
that work ahead then do it while their own stage is timed. Twice 44 MB at 1280 x 720."""
_WARM_UP_FRAMES = 8

_OpenTimed = Callable[[Options, ExitStack], TimedParts]
"""Opens the clip and the output, and returns all parts of an export, each behind a stopwatch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRound:
    """One export; fields as in ``ExportFigures``."""

    model: str
    runtime: str
    size_wh: tuple[int, int]
    num_frames: int
    num_frames_with_hand: int
    num_maps: int
    frames_per_s: float
    cpu_ms: float
    busy_ms: dict[str, float]
    """Mean time of each stage, ms a frame."""
    peak_memory_mb: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTimes:
    """A stage with nothing beside it, in ms a frame; fields as in ``StageFigures``."""

    alone_ms: float
    alone_median_ms: float
    alone_p95_ms: float
    cpu_ms: float


def measure_round(
    factories: Factories, options: Options, *, folder: Path, num_frames: int
) -> ExportRound:
    """Export once, in a process that does nothing else, after a warm-up of a few frames.

    Args:
        factories: How parts are made.
        options: Clip, model, and all else.
        folder: Where the MP4 goes.
        num_frames: Frames of the clip to export, at most.

    Raises:
        SourceFormatError: The clip has no frame.
        SignlightError: A part could not be had, or failed.
    """
    options = options.but(max_frames=num_frames)
    with ExitStack() as stack:
        model, open_timed = _warm(factories, options, folder, stack)
        began_s, cpu_began_s = time.perf_counter(), time.process_time()
        timed, tally = _export(open_timed, options)
        wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_began_s
        frames = tally.num_frames
        return ExportRound(
            model=model.name,
            runtime=words_of(model),
            size_wh=timed.source.info.size_wh,
            num_frames=frames,
            num_frames_with_hand=tally.num_frames_with_hand,
            num_maps=len(timed.watches["crop"].walls_ns),
            frames_per_s=frames / wall_s,
            cpu_ms=1e3 * cpu_s / frames,
            busy_ms={
                name: sum(watch.walls_ns) / frames / 1e6 for name, watch in timed.watches.items()
            },
            peak_memory_mb=peak_memory_mb(),
        )


def measure_stages(
    factories: Factories, options: Options, *, folder: Path, num_frames: int
) -> dict[str, StageTimes]:
    """Return what each stage of the same export takes alone; arguments as ``measure_round``'s."""
    options = options.but(max_frames=num_frames)
    with ExitStack() as stack:
        _, open_timed = _warm(factories, options, folder, stack)
        with ExitStack() as files:
            timed = open_timed(options, files)
            times_ms = _run_alone(timed)
    return {
        name: StageTimes(
            alone_ms=sum(timed.watches[name].walls_ns) / len(times) / 1e6,
            alone_median_ms=statistics.median(times),
            alone_p95_ms=percentile(times, 0.95),
            cpu_ms=timed.watches[name].cpu_ns / len(times) / 1e6,
        )
        for name, times in times_ms.items()
    }


def export_figures(
    rounds: Sequence[ExportRound],
    stages: dict[str, StageTimes],
    *,
    threads: Threads,
    rivals_per_s: Sequence[float],
    rival_threads: Threads,
    rival_size_wh: tuple[int, int],
) -> ExportFigures:
    """Return the figures of all rounds.

    Args:
        rounds: At least one, of the same frames.
        stages: Each stage alone.
        threads: Those of our processes.
        rivals_per_s: Frames a second of the rival, a round each; empty where it has no way.
        rival_threads: Those of its processes.
        rival_size_wh: Size of its frames.
    """
    first = rounds[0]
    return ExportFigures(
        model=first.model,
        runtime=first.runtime,
        size_wh=first.size_wh,
        num_frames=first.num_frames,
        num_frames_with_hand=first.num_frames_with_hand,
        num_maps=first.num_maps,
        frames_per_s=statistics.median(each.frames_per_s for each in rounds),
        cpu_ms=statistics.median(each.cpu_ms for each in rounds),
        stages=tuple(
            StageFigures(
                name=name,
                alone_ms=alone.alone_ms,
                alone_median_ms=alone.alone_median_ms,
                alone_p95_ms=alone.alone_p95_ms,
                cpu_ms=alone.cpu_ms,
                busy_ms=statistics.median(each.busy_ms[name] for each in rounds),
            )
            for name, alone in stages.items()
        ),
        num_cores=num_cores(),
        threads=threads,
        official_threads=rival_threads if rivals_per_s else None,
        official_size_wh=rival_size_wh,
        official_frames_per_s=statistics.median(rivals_per_s) if rivals_per_s else None,
        peak_memory_mb=max(each.peak_memory_mb or 0.0 for each in rounds) or None,
    )


def _warm(
    factories: Factories, options: Options, folder: Path, stack: ExitStack
) -> tuple[LoadedModel, _OpenTimed]:
    """Open the parts and export a few frames with them; return the model, and how to time them."""
    model = stack.enter_context(
        factories.open_model(options, num_threads=options[BenchOptions].num_threads)
    )
    finder = stack.enter_context(factories.open_finder(options))
    cut, view = factories.make_cutter(options, model), factories.make_view(options)

    def open_timed(options: Options, files: ExitStack) -> TimedParts:
        source = files.enter_context(open_source(options))
        path = folder / "export.mp4"
        sink = files.enter_context(
            open_sink(options, path, source, audio_from=Path(options[BenchOptions].source))
        )
        return TimedParts(
            source=source, finder=finder, cut=cut, model=model, renderer=view, sink=sink
        )

    num_frames = min(options[PartOptions].max_frames or _WARM_UP_FRAMES, _WARM_UP_FRAMES)
    _export(open_timed, options.but(max_frames=num_frames))
    return model, open_timed


def _export(open_timed: _OpenTimed, options: Options) -> tuple[TimedParts, Tally]:
    """Export once; return the parts, and what was written."""
    tally = Tally()
    with ExitStack() as files:
        timed = open_timed(options, files)
        with (
            timed.sink,
            Scenes(timed.source, _maker(timed), stop=threading.Event()) as scenes,
            Video(timed.renderer, timed.sink, on_written=tally.count) as video,
        ):
            for scene in scenes:
                video.write(scene)
    if not tally.num_frames:
        raise SourceFormatError(f"{timed.source.info.name} has no frame to measure with")
    return timed, tally


def _maker(timed: TimedParts) -> SceneMaker:
    return SceneMaker(finder=timed.finder, cut=timed.cut, model=timed.model)


def _run_alone(timed: TimedParts) -> dict[str, list[float]]:
    """Take frames through the stages, a burst at a time and nothing beside.

    The model is given as many frames at once as in an export.

    Returns:
        For each stage, how many ms it took for each frame.
    """
    maker, at_once = _maker(timed), timed.model.frames_at_once
    burst_frames = -(-_BURST_FRAMES // at_once) * at_once  # whole groups
    watches, num_frames = timed.watches, 0
    cut_ns: list[float] = []
    attend_ns: list[float] = []
    with timed.sink:
        while burst := list(islice(iter(timed.source.read, None), burst_frames)):
            num_frames += len(burst)
            located: list[Located] = []
            for frame in burst:
                with _shared_by(1, watches["crop"], cut_ns):
                    located.append(maker.locate(frame))
            scenes: list[Scene] = []
            for start in range(0, len(burst), at_once):
                group = located[start : start + at_once]
                with _shared_by(len(group), watches["attention"], attend_ns):
                    scenes += maker.attend(group)
            canvases = [timed.renderer.draw(scene) for scene in scenes]
            for frame, canvas in zip(burst, canvases, strict=True):
                timed.sink.write(canvas, frame.pts, frame.time_base, frame.duration)
    # One call a frame; the last look for a frame and the end of the file belong to none.
    times_ns: dict[str, Sequence[float]] = {
        name: watch.walls_ns[:num_frames] for name, watch in watches.items()
    }
    times_ns |= {"crop": cut_ns, "attention": attend_ns}
    return {name: [time_ns / 1e6 for time_ns in times] for name, times in times_ns.items()}


@contextmanager
def _shared_by(num_frames: int, watch: Stopwatch, times_ns: list[float]) -> Iterator[None]:
    """Divide what the watch counts in the block, be it calls or none, among frames."""
    num_before = len(watch.walls_ns)
    yield
    times_ns += [sum(watch.walls_ns[num_before:]) / num_frames] * num_frames
