"""The live loop on a clip, measured: the loop and the parts that people run."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import NamedTuple

from models.bench.figures import LiveFigures, Threads
from models.bench.machine import peak_memory_mb
from stream.closing import Closing
from stream.command_line.options import Options
from stream.errors import OutputError, SourceFormatError
from stream.frames import RgbImage
from stream.jobs.factories import Factories
from stream.jobs.opening import open_attention, open_source
from stream.jobs.sidecar import ModelFacts
from stream.live import LiveLoop
from stream.pacing import Clock, MonotonicClock
from stream.priority import num_cores
from stream.protocols import HandFinder
from stream.standby import PreRolls
from stream.stats import percentile
from stream.takes import Takes

__all__ = ["check_clip", "measure_live", "words_of"]


def check_clip(factories: Factories, options: Options, *, num_frames: int) -> None:
    """Make sure, before minutes of measuring, that there is something to measure with.

    Args:
        factories: How parts are made.
        options: Names the clip.
        num_frames: Frames of the clip to look at, at most: it ends at the first hand.

    Raises:
        SourceFormatError: The clip has no frame, or none of these has a hand.
        SignlightError: A part could not be had, or failed.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(options.but(max_frames=num_frames)))
        finder: HandFinder | None = None
        while (frame := source.read()) is not None:
            if finder is None:  # not before there is a frame: it takes a second
                finder = stack.enter_context(factories.open_finder(options))
            if any(not hand.unseen_s for hand in finder.find(frame)):
                return
    name = source.info.name
    if finder is None:
        raise SourceFormatError(f"{name} has no frame to measure with")
    raise SourceFormatError(f"{name} shows no hand where it is measured; give a video of a hand")


def measure_live(
    factories: Factories,
    options: Options,
    *,
    num_frames: int,
    started_ns: int,
    threads: Threads,
) -> LiveFigures:
    """Return what the live view of a clip reaches, without a window, which has its own costs.

    Args:
        factories: How parts are made.
        options: Clip, model, and all else.
        num_frames: Frames of the clip to show, at most.
        started_ns: When this process was started, ``time.monotonic_ns``.
        threads: Goes with the figures; its number is the model's.
    """
    options = options.but(max_frames=num_frames, skeleton=True, hud=True)
    with ExitStack() as stack:
        source = stack.enter_context(open_source(options))
        model = stack.enter_context(factories.open_model(options, num_threads=threads.num_threads))
        cut = factories.make_cutter(options, model)
        attention = stack.enter_context(open_attention(options, model, cut))
        finder = stack.enter_context(factories.open_finder(options))
        witness = Witness(MonotonicClock())
        began_s, cpu_began_s = time.perf_counter(), time.process_time()
        report = LiveLoop(
            source=source,
            finder=finder,
            attention=attention,
            renderer=factories.make_view(options),
            screen=witness,
            controls=_Nobody(),
            files=_Nobody(),
            save_to=None,
            stop=threading.Event(),
            clock=witness,
        ).run()
        wall_s = time.perf_counter() - began_s
        cpu_s = time.process_time() - cpu_began_s
        frame_rate = float(source.info.frame_rate or 30)
        return LiveFigures(
            model=model.name,
            runtime=words_of(model),
            frame_rate=frame_rate,
            num_shown=report.num_shown,
            num_dropped=report.dropped_capture,
            shown_per_s=witness.shown_per_s,
            num_late=sum(late_ms > 1e3 / frame_rate for late_ms in witness.late_ms),
            late_p95_ms=_p95(witness.late_ms),
            jitter_p95_ms=_p95([abs(gap_ms - 1e3 / frame_rate) for gap_ms in witness.gaps_ms]),
            num_maps=report.num_maps,
            age_p95_ms=report.age_p95_ms,
            cpu_share=cpu_s / wall_s / num_cores(),
            threads=threads,
            first_shown_s=(witness.shown[0].at_ns - started_ns) / 1e9 if witness.shown else None,
            peak_memory_mb=peak_memory_mb(),
        )


class Shown(NamedTuple):
    """When a picture was due, and when it was shown, on the witness's clock."""

    due_ns: int
    at_ns: int


class Witness(Closing):
    """A screen that shows nothing, and the clock that the loop waits by: knows due and shown.

    Of a recording, the first picture opens the window and stands until others wait behind it. All
    but the moment it is shown is therefore told of the pictures after it, which play.

    Args:
        clock: The passing of time.
    """

    is_open = True

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.shown: list[Shown] = []
        self._due_ns: int | None = None

    def now_ns(self) -> int:
        """Return the clock's time."""
        return self._clock.now_ns()

    def sleep_until(self, when_ns: int) -> None:
        """Wait as the clock does: until the next picture is due."""
        self._clock.sleep_until(when_ns)
        self._due_ns = when_ns

    def show(self, canvas: RgbImage, wait_s: float) -> str | None:
        """Note that a picture is shown now; no key is pressed."""
        if self._due_ns is not None:  # else the same picture again, so that keys are heard
            self.shown.append(Shown(self._due_ns, self.now_ns()))
            self._due_ns = None
        return None

    @property
    def late_ms(self) -> list[float]:
        """Shown minus due of each picture that played."""
        return [(at_ns - due_ns) / 1e6 for due_ns, at_ns in self.shown[1:]]

    @property
    def gaps_ms(self) -> list[float]:
        """Times between pictures that played."""
        return [(later.at_ns - earlier.at_ns) / 1e6 for earlier, later in pairwise(self.shown[1:])]

    @property
    def shown_per_s(self) -> float | None:
        """Pictures that played, a second; None for fewer than two."""
        gaps_ms = self.gaps_ms
        return 1e3 * len(gaps_ms) / sum(gaps_ms) if gaps_ms else None

    def close(self) -> None:
        """Do nothing: there is no window."""


def _p95(values: list[float]) -> float | None:
    return percentile(values, 0.95) if values else None


class _Nobody:
    """Nobody is at the keyboard, and a measurement leaves no files."""

    def news(self) -> str | None:
        return None

    def press(self, key: str) -> str | None:
        return None

    settings = ()

    def dismiss(self) -> bool:
        return False

    open_standby = None

    def open_recording(self, pre_rolls: PreRolls | None = None) -> tuple[Takes, str]:
        raise OutputError("nothing is recorded while the live view is measured")

    def save_snapshot(self, canvas: RgbImage) -> str:
        raise OutputError("no picture is kept while the live view is measured")


def words_of(facts: ModelFacts) -> str:
    """Return what computes the maps, and where, in which precision."""
    return f"{facts.runtime}, {facts.device}, {facts.precision}"
