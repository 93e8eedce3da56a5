"""Stopwatches around the parts of a loop, so that the loop itself is what is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

from stream.closing import Closing
from stream.frames import Frame, RgbImage, SourceInfo
from stream.geometry import HandCrop, HandRegion
from stream.protocols import AttentionModel, CropCutter, HandFinder, Renderer, Sink, Source
from stream.scene import AttentionMaps, Scene

__all__ = ["STAGES", "Stopwatch", "TimedParts"]

STAGES = ("decode", "hands", "crop", "attention", "compose", "encode")
"""The stages of an export, in order."""


@dataclass(slots=True)
class Stopwatch:
    """Times of one stage, in ns; used by one thread."""

    walls_ns: list[int] = field(default_factory=list)
    """Time of each call."""
    cpu_ns: int = 0
    """Processor time of the whole process during all calls together: that of the stage where it
    runs alone, since libraries have threads of their own."""

    @contextmanager
    def lap(self) -> Iterator[None]:
        """Time the block as one call."""
        began_ns, cpu_began_ns = time.perf_counter_ns(), time.process_time_ns()
        try:
            yield
        finally:
            self.cpu_ns += time.process_time_ns() - cpu_began_ns
            self.walls_ns.append(time.perf_counter_ns() - began_ns)


class TimedParts:
    """The parts of a loop behind stopwatches, one per stage.

    Wrapped parts are closed by whoever made the parts inside.

    Args:
        source: Timed as ``decode``.
        finder: Timed as ``hands``.
        cut: Timed as ``crop``.
        model: Timed as ``attention``.
        renderer: Timed as ``compose``.
        sink: Timed as ``encode``, the end of the file included.

    Attributes:
        watches: A stopwatch for each of ``STAGES``.
        source: As given, but timed; likewise the other parts.
    """

    def __init__(
        self,
        *,
        source: Source,
        finder: HandFinder,
        cut: CropCutter,
        model: AttentionModel,
        renderer: Renderer,
        sink: Sink,
    ) -> None:
        self.watches = {name: Stopwatch() for name in STAGES}
        self.source: Source = _TimedSource(source, self.watches["decode"])
        self.finder: HandFinder = _TimedFinder(finder, self.watches["hands"])
        self.cut: CropCutter = _TimedCutter(cut, self.watches["crop"])
        self.model: AttentionModel = _TimedModel(model, self.watches["attention"])
        self.renderer: Renderer = _TimedRenderer(renderer, self.watches["compose"])
        self.sink: Sink = _TimedSink(sink, self.watches["encode"])


class _TimedPart(Closing):
    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch

    def close(self) -> None:
        pass


class _TimedSource(_TimedPart):
    def __init__(self, source: Source, watch: Stopwatch) -> None:
        super().__init__(watch)
        self._source = source

    @property
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def warnings(self) -> Sequence[str]:
        return self._source.warnings

    def read(self) -> Frame | None:
        with self._watch.lap():
            return self._source.read()


class _TimedFinder(_TimedPart):
    def __init__(self, finder: HandFinder, watch: Stopwatch) -> None:
        super().__init__(watch)
        self._finder = finder

    def find(self, frame: Frame) -> tuple[HandRegion, ...]:
        with self._watch.lap():
            return self._finder.find(frame)


class _TimedCutter:
    def __init__(self, cut: CropCutter, watch: Stopwatch) -> None:
        self._cut = cut
        self._watch = watch

    def __call__(self, frame: Frame, region: HandRegion) -> HandCrop:
        with self._watch.lap():
            return self._cut(frame, region)


class _TimedModel:
    def __init__(self, model: AttentionModel, watch: Stopwatch) -> None:
        self._model = model
        self._watch = watch

    @property
    def frames_at_once(self) -> int:
        return self._model.frames_at_once

    def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
        with self._watch.lap():
            return self._model.attend_crops(crops)


class _TimedRenderer:
    def __init__(self, renderer: Renderer, watch: Stopwatch) -> None:
        self._renderer = renderer
        self._watch = watch

    def draw(self, scene: Scene) -> RgbImage:
        with self._watch.lap():
            return self._renderer.draw(scene)


class _TimedSink(_TimedPart):
    def __init__(self, sink: Sink, watch: Stopwatch) -> None:
        super().__init__(watch)
        self._sink = sink

    def write(
        self, canvas: RgbImage, pts: int, time_base: Fraction, duration: int | None = None
    ) -> None:
        with self._watch.lap():
            self._sink.write(canvas, pts, time_base, duration)

    def close(self) -> None:
        with self._watch.lap():
            self._sink.close()
