"""The export and the live loop on a clip, measured.

The loops are the ones that people run, with the parts that they run with; only stopwatches stand
between.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from stream.bench.figures import ExportFigures, LiveFigures, StageFigures, percentile
from stream.bench.machine import peak_memory_mb
from stream.bench.stopwatch import TimedParts
from stream.errors import SourceFormatError
from stream.frames import Frame, RgbImage
from stream.live import LiveLoop
from stream.newest_maps import NewestMaps
from stream.offline import ExportReport, export
from stream.options import BenchOptions, Options
from stream.pacing import MonotonicClock
from stream.priority import num_cores, num_threads_beside_picture
from stream.protocols import AttentionModel, CropCutter, HandFinder, Renderer, Sink, Source
from stream.scene import AgedMaps, Scene
from stream.sidecar import ModelFacts

__all__ = ["Factories", "Parts", "measure_export", "measure_live"]

_BURST_FRAMES = 16
"""Frames that pass one stage before the next has its turn: threads of libraries that work ahead
then do it while their own stage is timed. Twice 44 MB at 1280 x 720."""
_WARM_UP_FRAMES = 8


class _Model(AttentionModel, ModelFacts, Protocol):
    pass


class Parts(Protocol):
    """What both loops are made of, beside source and sink."""

    @property
    def finder(self) -> HandFinder:
        """Finds hands."""

    @property
    def cut(self) -> CropCutter:
        """Cuts crops."""

    @property
    def model(self) -> _Model:
        """Makes maps."""

    @property
    def view(self) -> Renderer:
        """Draws."""


class _OpenModel(Protocol):
    def __call__(self, options: Options, stack: ExitStack, *, num_threads: int | None) -> Any: ...  # noqa: ANN401


class _OpenSink(Protocol):
    def __call__(
        self, options: Options, path: Path, source: Source, *, audio_from: Path
    ) -> Sink: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Factories:
    """How parts are made: functions of a module, so that another process finds them by name."""

    open_source: Callable[[Options], Source]
    """Opens ``options.source``."""
    open_model: _OpenModel
    """Loads the model, which the next two take; the stack closes it."""
    open_attention: Callable[[Options, ExitStack, Any], NewestMaps]
    """Starts the attention thread of the live view; the stack stops it."""
    open_parts: Callable[[Options, ExitStack, Any], Parts]
    """Opens the hand finder and the rest; the stack closes them."""
    open_sink: _OpenSink
    """Opens the file to write."""


def measure_export(
    factories: Factories,
    options: BenchOptions,
    *,
    folder: Path,
    num_frames: int,
    num_rounds: int,
    rival: Callable[[], float] | None,
    rival_size_wh: tuple[int, int],
) -> ExportFigures:
    """Return what an export of a clip reaches, each round beside one of the rival's.

    Args:
        factories: How parts are made.
        options: Clip, model, and all else.
        folder: Where the MP4 goes.
        num_frames: Frames of the clip to export, at most.
        num_rounds: Exports, each of the same frames.
        rival: Does the same in another way and returns its frames a second.
        rival_size_wh: Size of its frames.

    Raises:
        SourceFormatError: The clip has no frame.
        SignlightError: A part could not be had, or failed.
    """
    clip, output = Path(options.source), folder / "export.mp4"
    options = replace(options, max_frames=num_frames)
    with ExitStack() as stack:
        model = factories.open_model(options, stack, num_threads=options.num_threads)
        parts = factories.open_parts(options, stack, model)

        def open_timed(options: BenchOptions, files: ExitStack) -> TimedParts:
            source = factories.open_source(options)
            files.enter_context(source)
            sink = factories.open_sink(options, output, source, audio_from=clip)
            files.enter_context(sink)
            return TimedParts(
                source=source,
                finder=parts.finder,
                cut=parts.cut,
                model=parts.model,
                renderer=parts.view,
                sink=sink,
            )

        _export(open_timed, replace(options, max_frames=min(num_frames, _WARM_UP_FRAMES)))
        rates, cpu_ms, busy_ms, memory_mb = [], [], [], None
        rivals: list[float] = []
        for _ in range(num_rounds):
            began_s, cpu_began_s = time.perf_counter(), time.process_time()
            timed, frames, size_wh = _export(open_timed, options)
            rates.append(frames / (time.perf_counter() - began_s))
            cpu_ms.append(1e3 * (time.process_time() - cpu_began_s) / frames)
            busy_ms.append({s: sum(w.walls_ns) / frames / 1e6 for s, w in timed.watches.items()})
            if not rivals:  # the rival's memory is none of ours
                memory_mb = peak_memory_mb()
            if rival is not None:
                rivals.append(rival())
        with ExitStack() as files:
            timed = open_timed(options, files)
            alone_frames = _run_alone(timed)
        facts = parts.model
        return ExportFigures(
            model=facts.name,
            runtime=_words(facts),
            size_wh=size_wh,
            num_frames=frames,
            frames_per_s=statistics.median(rates),
            cpu_ms=statistics.median(cpu_ms),
            stages=tuple(
                StageFigures(
                    name=name,
                    alone_ms=sum(watch.walls_ns) / alone_frames / 1e6,
                    alone_median_ms=statistics.median(watch.walls_ns) / 1e6,
                    alone_p95_ms=percentile(watch.walls_ns, 0.95) / 1e6,
                    cpu_ms=watch.cpu_ns / alone_frames / 1e6,
                    busy_ms=statistics.median(busy[name] for busy in busy_ms),
                )
                for name, watch in timed.watches.items()
                if watch.walls_ns
            ),
            num_cores=num_cores(),
            official_size_wh=rival_size_wh,
            official_frames_per_s=statistics.median(rivals) if rivals else None,
            peak_memory_mb=memory_mb,
        )


def _export(
    open_timed: Callable[[BenchOptions, ExitStack], TimedParts], options: BenchOptions
) -> tuple[TimedParts, int, tuple[int, int]]:
    """Export once; return the parts, the frames written and the size of the clip's frames."""
    report = ExportReport()
    with ExitStack() as files:
        timed = open_timed(options, files)
        size_wh = timed.source.info.size_wh
        with timed.sink:
            export(
                source=timed.source,
                finder=timed.finder,
                cut=timed.cut,
                model=timed.model,
                renderer=timed.renderer,
                sink=timed.sink,
                stop=threading.Event(),
                report=report,
                on_frame=lambda report: None,
            )
    if not report.num_frames:
        raise SourceFormatError(f"{timed.source.info.name} has no frame to measure with")
    return timed, report.num_frames, size_wh


def _run_alone(timed: TimedParts) -> int:
    """Take frames through the stages, a burst at a time and nothing beside; return how many."""
    num_frames = 0
    with timed.sink:
        while burst := _read(timed.source):
            hands = [timed.finder.find(frame) for frame in burst]
            crops = [
                [timed.cut(frame, hand) for hand in found if not hand.unseen_s]
                for frame, found in zip(burst, hands, strict=True)
            ]
            maps = [timed.model.attend_crops(each) if each else [] for each in crops]
            canvases = [
                timed.renderer.draw(
                    Scene(
                        frame=frame,
                        hands=found,
                        maps={entry.track_id: AgedMaps(maps=entry, age_s=0.0) for entry in made},
                    )
                )
                for frame, found, made in zip(burst, hands, maps, strict=True)
            ]
            for frame, canvas in zip(burst, canvases, strict=True):
                timed.sink.write(canvas, frame.pts, frame.time_base)
            num_frames += len(burst)
    return num_frames


def _read(source: Source) -> list[Frame]:
    frames: list[Frame] = []
    while len(frames) < _BURST_FRAMES and (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def measure_live(
    factories: Factories, options: BenchOptions, *, num_frames: int, started_ns: int
) -> LiveFigures:
    """Return what the live view of a clip reaches, without a window, which has its own costs.

    Args:
        factories: How parts are made.
        options: Clip, model, and all else.
        num_frames: Frames of the clip to show, at most.
        started_ns: When this process was started, ``time.monotonic_ns``.
    """
    options = replace(options, max_frames=num_frames, skeleton=True, hud=True)
    with ExitStack() as stack:
        source = factories.open_source(options)
        stack.enter_context(source)
        num_threads = options.num_threads or num_threads_beside_picture()
        model = factories.open_model(options, stack, num_threads=num_threads)
        attention = factories.open_attention(options, stack, model)
        parts = factories.open_parts(options, stack, model)
        witness = _Witness()
        began_s, cpu_began_s = time.perf_counter(), time.process_time()
        report = LiveLoop(
            source=source,
            finder=parts.finder,
            cut=parts.cut,
            attention=attention,
            renderer=parts.view,
            screen=witness,
            controls=_NoKeys(),
            save_to=None,
            stop=threading.Event(),
            clock=witness,
        ).run()
        wall_s = time.perf_counter() - began_s
        cpu_s = time.process_time() - cpu_began_s
        frame_rate = float(source.info.frame_rate or 30)
        facts = parts.model
        gaps_ms = [
            abs((later - earlier) / 1e6 - 1e3 / frame_rate)
            for earlier, later in zip(witness.shown_ns, witness.shown_ns[1:], strict=False)
        ]
        span_s = (witness.shown_ns[-1] - witness.shown_ns[0]) / 1e9 if gaps_ms else 0.0
        return LiveFigures(
            model=facts.name,
            runtime=_words(facts),
            frame_rate=frame_rate,
            num_shown=report.num_shown,
            num_dropped=report.dropped_capture,
            shown_per_s=len(gaps_ms) / span_s if span_s else None,
            num_late=sum(late_ns > 1e9 / frame_rate for late_ns in witness.late_ns),
            late_p95_ms=percentile(witness.late_ns, 0.95) / 1e6 if witness.late_ns else None,
            jitter_p95_ms=percentile(gaps_ms, 0.95) if gaps_ms else None,
            num_maps=report.num_maps,
            age_p95_ms=report.age_p95_ms,
            cpu_share=cpu_s / wall_s / num_cores(),
            first_shown_s=(witness.shown_ns[0] - started_ns) / 1e9 if witness.shown_ns else None,
            peak_memory_mb=peak_memory_mb(),
        )


class _Witness(MonotonicClock):
    """A screen that shows nothing, and the clock that the loop waits by: knows due and shown."""

    is_open = True

    def __init__(self) -> None:
        self.shown_ns: list[int] = []
        self.late_ns: list[int] = []
        self._due_ns: int | None = None

    def sleep_until(self, when_ns: int) -> None:
        super().sleep_until(when_ns)
        self._due_ns = when_ns

    def show(self, canvas: RgbImage, wait_s: float) -> str | None:
        if self._due_ns is not None:  # else the same picture again, so that keys are heard
            now_ns = self.now_ns()
            self.shown_ns.append(now_ns)
            self.late_ns.append(now_ns - self._due_ns)
            self._due_ns = None
        return None

    def close(self) -> None:
        pass

    def __enter__(self) -> _Witness:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


class _NoKeys:
    """Nobody is at the keyboard: none of it is called."""

    def press(self, key: str) -> str | None:
        raise NotImplementedError

    def open_recording(self) -> tuple[Sink, str]:
        raise NotImplementedError

    def save_snapshot(self, canvas: RgbImage) -> str:
        raise NotImplementedError


def _words(facts: ModelFacts) -> str:
    return f"{facts.runtime}, {facts.device}, {facts.precision}"
