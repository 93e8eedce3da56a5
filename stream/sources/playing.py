"""A recording as players play it: forward and back, and again when it has ended."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from stream.closing import Closing
from stream.errors import OptionError, SourceFormatError
from stream.frames import Frame, SourceInfo
from stream.protocols import Source
from stream.sources.timeline import Span

__all__ = ["PlayedSource"]


_LAST_S = Fraction(1, 25)
"""How long the last frame is shown where nothing tells."""


class PlayedSource(Closing):
    """Plays a recording, its times going on whatever is played.

    A ``Source`` and ``Seekable`` of ``stream.protocols``.

    Args:
        open_from: Opens the recording from a time on, in seconds, or from its beginning: that is
            None. Called once for each stretch that is played.
        begin_s: Time of its beginning.
        max_frames: Most frames to play, of those from its beginning on; None plays all.
        loops: It is played again when it has ended.
    """

    def __init__(
        self,
        open_from: Callable[[float | None], Source],
        *,
        begin_s: float = 0.0,
        max_frames: int | None = None,
        loops: bool = False,
    ) -> None:
        self._open_from = open_from
        self._begin_s = begin_s
        self._max_frames = max_frames
        self._loops = loops
        self._source = open_from(None)
        self._read: Frame | None = None
        self._given: Frame | None = None
        self._is_new = True
        self._number = 0
        self._known_pts: list[int] = []
        self._shift_pts = 0
        self._jump_s = 0.0
        self._guard = threading.Lock()
        self._is_closed = False

    @property
    def info(self) -> SourceInfo:
        """What the recording declares about itself."""
        return self._source.info

    @property
    def warnings(self) -> Sequence[str]:
        """What was wrong with it, this time."""
        return self._source.warnings

    def seek(self, by_s: float) -> None:
        """Go on from elsewhere; see ``Seekable``."""
        with self._guard:
            self._jump_s += by_s

    @property
    def is_sought(self) -> bool:
        """Whether that is still to come."""
        return self._jump_s != 0

    def read(self) -> Frame | None:
        """Return the next frame; None once closed, at the end, or of a recording without frames.

        Raises:
            SourceError: The source broke.
        """
        with self._guard:
            jump_s, self._jump_s = self._jump_s, 0.0
        is_jump = jump_s and self._read is not None
        frame = self._jump(jump_s) if is_jump else self._next()
        if frame is None and self._loops and self._read is not None:
            self._reopen(None)
            frame = self._next()
        return None if frame is None or self._is_closed else self._following(frame)

    def close(self) -> None:
        """Close the recording; harmless when called again."""
        self._is_closed = True
        self._source.close()

    def _next(self) -> Frame | None:
        """Return the next frame of this stretch; None at its end, or once there were enough."""
        if self._number == self._max_frames:
            return None
        frame = self._source.read()
        if frame is not None and self._max_frames is not None:
            if self._number == len(self._known_pts):
                self._known_pts.append(frame.pts)
            self._number += 1
        return frame

    def _jump(self, by_s: float) -> Frame | None:
        """Return the first frame from so much later on; None beyond the end."""
        assert self._read is not None
        to_s = self._read.time_s + by_s
        if by_s > 0 and self._max_frames is not None:
            # What is passed over has to be counted.
            begin_pts = Span(to_s).start_tick(self._read.time_base)
            while (frame := self._next()) is not None and frame.pts < begin_pts:
                pass
            self._is_new = True
            return frame
        try:
            self._reopen(to_s if to_s > self._begin_s else None)
        except (SourceFormatError, OptionError):  # beyond its end, or that of the part asked for
            return None
        return self._next()

    def _reopen(self, from_s: float | None) -> None:
        source = self._open_from(from_s)
        self._source.close()
        self._source, self._is_new = source, True
        if self._is_closed:  # meanwhile
            source.close()
        self._number = 0
        if from_s is not None and self._read is not None:
            begin_pts = Span(from_s).start_tick(self._read.time_base)
            self._number = bisect_left(self._known_pts, begin_pts)

    def _following(self, frame: Frame) -> Frame:
        """Return a frame with its time after those that were given before it."""
        if self._is_new and self._given is not None:
            length = self._length_ticks(self._given)
            self._shift_pts = self._given.pts + length - frame.pts
        self._is_new = False
        index = 0 if self._given is None else self._given.index + 1
        self._read = frame
        self._given = replace(
            frame, pts=frame.pts + self._shift_pts, file_pts=frame.pts, index=index
        )
        return self._given

    def _length_ticks(self, last: Frame) -> int:
        """Return how long the last frame of a stretch is shown."""
        if last.duration is not None:
            return last.duration
        rate = self.info.frame_rate
        return max(1, round((1 / rate if rate else _LAST_S) / last.time_base))
