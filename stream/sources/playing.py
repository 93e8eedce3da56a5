"""A recording as players play it: forward and back, and again when it has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from stream.closing import Closing
from stream.errors import OptionError, SourceFormatError
from stream.frames import Frame, SourceInfo
from stream.protocols import Source

__all__ = ["PlayedSource"]


_LAST_S = Fraction(1, 25)
"""How long the last frame is shown where nothing tells."""


class PlayedSource(Closing):
    """Plays a recording, its times going on whatever is played; a ``stream.protocols.Source``.

    Args:
        open_from: Opens the recording from a time on, in seconds, or from its beginning: that is
            None. Called once for each stretch that is played.
        begin_s: Time of its beginning.
        loops: It is played again when it has ended.
    """

    def __init__(
        self,
        open_from: Callable[[float | None], Source],
        *,
        begin_s: float = 0.0,
        loops: bool = False,
    ) -> None:
        self._open_from = open_from
        self._begin_s = begin_s
        self._loops = loops
        self._source = open_from(None)
        self._read: Frame | None = None
        self._given: Frame | None = None
        self._is_new = True
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
        """Go on so much later, or earlier, than what was read last; from any thread."""
        with self._guard:
            self._jump_s += by_s

    def read(self) -> Frame | None:
        """Return the next frame; None once closed, at the end, or of a recording without frames.

        Raises:
            SourceError: The source broke.
        """
        with self._guard:
            jump_s, self._jump_s = self._jump_s, 0.0
        if jump_s and self._read is not None and not self._jump(self._read.time_s + jump_s):
            return None
        frame = self._source.read()
        if frame is None and self._loops and not self._is_new and self._reopen(None):
            frame = self._source.read()
        return None if frame is None or self._is_closed else self._following(frame)

    def close(self) -> None:
        """Close the recording; harmless when called again."""
        self._is_closed = True
        self._source.close()

    def _jump(self, to_s: float) -> bool:
        """Play on from a time; return whether there is anything to play."""
        try:
            return self._reopen(to_s if to_s > self._begin_s else None)
        except (SourceFormatError, OptionError):  # beyond its end, or that of the part asked for
            return self._loops and self._reopen(None)

    def _reopen(self, from_s: float | None) -> bool:
        source = self._open_from(from_s)
        self._source.close()
        self._source, self._is_new = source, True
        if self._is_closed:  # meanwhile
            source.close()
        return not self._is_closed

    def _following(self, frame: Frame) -> Frame:
        """Return a frame with its time after those that were given before it."""
        if self._is_new and self._given is not None:
            length = self._length_ticks(self._given)
            self._shift_pts = self._given.pts + length - frame.pts
        self._is_new = False
        index = 0 if self._given is None else self._given.index + 1
        self._read = frame
        self._given = replace(frame, pts=frame.pts + self._shift_pts, index=index)
        return self._given

    def _length_ticks(self, last: Frame) -> int:
        """Return how long the last frame of a stretch is shown."""
        if last.duration is not None:
            return last.duration
        rate = self.info.frame_rate
        return max(1, round((1 / rate if rate else _LAST_S) / last.time_base))
