"""A live source that comes back: opened again whenever it is lost."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from stream.channel import Channel, ChannelClosed
from stream.closing import Closing
from stream.errors import SourceError, SourceRefusedError, WorkerError
from stream.frames import STALE_S, Frame, SourceInfo
from stream.protocols import Source
from stream.sources.opening_thread import Opening
from stream.sources.reading import frames_of
from stream.sources.timeline import Span
from stream.worker import Worker

__all__ = ["ReturningSource"]

WAITS_S: Final = (1.0, 1.0, 2.0, 5.0, 10.0)
"""How long to wait before each try to open it again; the last one again and again."""
_LEAVE_S: Final = 1.0
"""Longest wait at the end for a thread that reads: a driver may never return."""


class ReturningSource(Closing):
    """Reads a live source and, where told how, opens it again; a ``stream.protocols.Source``.

    The time that it was away is a gap in the frames' times. The parts that come after a gap may
    have another size.

    Args:
        source: Is open, and live; closed with this.
        reopen: Opens it again; called on a thread of its own. None: a loss is its end.
        span: The part to read of all. ``source`` and what is opened again have no limits.
        keeps_up: Until the first ``read`` it is read all the same, and the newest picture kept:
            whoever reads it may take seconds to get ready. Else its first picture is the first.
        stale_s: Longest wait for a picture, whatever a driver or library waits for; without
            ``reopen`` there is no such limit.
        waits_s: Waits before each try to open it again, the last one repeated.
    """

    def __init__(
        self,
        source: Source,
        reopen: Callable[[], Source] | None,
        *,
        span: Span | None = None,
        keeps_up: bool = False,
        stale_s: float = STALE_S,
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        self._info = source.info
        self._reopen = reopen
        self._span = span or Span(None, None, None)
        self._stale_s = stale_s
        self._waits_s = waits_s
        self._is_closed = threading.Event()
        self._reader = _Reader(source, keeps_up=keeps_up)
        self._began_ns: int | None = None
        self._last: Frame | None = None
        self._shift_pts = self._shift_index = 0
        self._warnings: list[str] = []
        self._num_lost = self._away_ns = 0
        self._lost_ns: int | None = None

    @property
    def info(self) -> SourceInfo:
        """What the source declared about itself when it was first opened."""
        return self._info

    @property
    def warnings(self) -> list[str]:
        """What was wrong so far and could be lived with, a line each."""
        lost = []
        if self._num_lost:
            times = "once" if self._num_lost == 1 else f"{self._num_lost} times"
            still_ns = 0 if self._lost_ns is None else time.monotonic_ns() - self._lost_ns
            away_s = (self._away_ns + still_ns) / 1e9
            lost = [f"{self._info.name} was lost {times}, for {away_s:.0f} s in all"]
        return [*dict.fromkeys((*self._warnings, *self._reader.source.warnings)), *lost]

    def read(self) -> Frame | None:
        """Return the next frame, however long the source is away; None at its end or once closed.

        Raises:
            SourceLostError: It was lost, and is not to be opened again.
            SourceRefusedError: It has come back as something that is not to be had.
            SourceError: It broke in another way than by being lost.
        """
        while not self._is_closed.is_set():
            try:
                frame = self._reader.read(self._stale_s if self._reopen else None)
            except (ConnectionError, TimeoutError):  # SourceLostError is one; or it came too late
                if self._reopen is None:
                    raise
                self._come_back(self._reopen)
                continue
            return None if frame is None else self._placed(frame)
        return None

    def close(self) -> None:
        """Close the source, from any thread; harmless when called again."""
        self._is_closed.set()
        self._reader.close()

    def _come_back(self, reopen: Callable[[], Source]) -> None:
        """Open the source again, until that succeeds or this is closed."""
        if self._lost_ns is None:  # else what was opened again has shown nothing
            self._num_lost += 1
            self._lost_ns = self._last.captured_ns if self._last else time.monotonic_ns()
        self._warnings += self._reader.source.warnings
        self._reader.abandon()
        for wait_s in itertools.chain(self._waits_s, itertools.repeat(self._waits_s[-1])):
            if self._is_closed.wait(wait_s):
                return
            opening = Opening(reopen, give_back=lambda late: late.close(), name="stream")
            try:
                source = opening.wait(unless=self._is_closed)
            except SourceRefusedError:
                raise
            except (SourceError, TimeoutError):
                continue
            self._reader = _Reader(source, keeps_up=False)
            if self._is_closed.is_set():  # meanwhile
                self._reader.close()
            if self._last is not None:
                self._shift_index = self._last.index + 1
            return

    def _placed(self, frame: Frame) -> Frame | None:
        """Return a frame in the time and the count of the whole; None beyond the span."""
        base = self._info.time_base
        if self._began_ns is None:
            self._began_ns = frame.captured_ns
            self._shift_pts = -round(frame.pts * frame.time_base / base)
            self._shift_index = -frame.index
        elif self._reader.is_new:
            began_s = (frame.captured_ns - self._began_ns) / 1e9 - frame.time_s
            self._shift_pts = math.floor(began_s / base)
        self._reader.is_new = False
        if self._lost_ns is not None:
            self._away_ns += frame.captured_ns - self._lost_ns
            self._lost_ns = None
        pts = round(frame.pts * frame.time_base / base) + self._shift_pts
        if self._last is not None:
            pts = max(pts, self._last.pts + 1)
        index = frame.index + self._shift_index
        duration = frame.duration and max(1, round(frame.duration * frame.time_base / base))
        placed = replace(
            frame,
            pts=pts,
            time_base=base,
            duration=duration,
            index=index,
            num_losses=self._num_lost,
        )
        end, most = self._span.end_tick(base), self._span.max_frames
        if (end is not None and pts >= end) or (most is not None and index >= most):
            return None
        self._last = placed
        return placed


class _Reader:
    """Reads a source on a thread of its own, so that one that hangs can be left behind."""

    def __init__(self, source: Source, *, keeps_up: bool) -> None:
        self.source = source
        self.is_new = True
        self._stop = threading.Event()
        self._frames: Channel[Frame] = Channel(1, keep="latest" if keeps_up else "all")
        self._worker: Worker[Frame, Frame] = Worker(
            lambda frame: frame,
            inbox=frames_of(source, self._stop),
            outbox=self._frames,
            name="stream",
            is_daemon=True,
        )
        self._worker.start()

    def read(self, timeout_s: float | None) -> Frame | None:
        """Return the next frame, or None at the end.

        Raises:
            TimeoutError: None came in time.
            SourceError: The source broke.
        """
        self._frames.keep_all()
        try:
            frame = self._frames.get(timeout_s)
        except ChannelClosed:
            self._worker.join(_LEAVE_S)
            try:
                self._worker.check()
            except WorkerError as error:
                if isinstance(error.__cause__, SourceError):
                    raise error.__cause__ from None
                raise
            return None
        if frame is None:
            raise TimeoutError
        return frame

    def abandon(self) -> None:
        """Close the source as soon as its thread lets go of it."""
        self._stop.set()
        self._frames.discard()
        self.source.close()

    def close(self) -> None:
        """Close the source and wait for its thread, unless that hangs."""
        self.abandon()
        self._worker.join(_LEAVE_S)
