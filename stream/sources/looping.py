"""A recording that begins again when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from stream.closing import Closing
from stream.frames import Frame, SourceInfo
from stream.protocols import Source

__all__ = ["LoopingSource"]


_LAST_S = Fraction(1, 25)
"""How long the last frame is shown where nothing tells."""


class LoopingSource(Closing):
    """Plays a recording again and again, its times going on; a ``stream.protocols.Source``.

    Args:
        open_source: Opens the recording from its beginning; called once for each time it plays.
    """

    def __init__(self, open_source: Callable[[], Source]) -> None:
        self._open_source = open_source
        self._source = open_source()
        self._offset_s = Fraction(0)
        self._first: Frame | None = None
        self._last: Frame | None = None
        self._index = -1
        self._is_closed = False

    @property
    def info(self) -> SourceInfo:
        """What the recording declares about itself."""
        return self._source.info

    @property
    def warnings(self) -> Sequence[str]:
        """What was wrong with it, this time."""
        return self._source.warnings

    def read(self) -> Frame | None:
        """Return the next frame; None once closed, or of a recording without frames.

        Raises:
            SourceError: The source broke.
        """
        frame = self._source.read()
        if frame is None:
            if self._first is None or self._last is None or self._is_closed:
                return None
            self._offset_s += self._length_s(self._first, self._last)
            self._source.close()
            self._source = self._open_source()
            if self._is_closed:  # meanwhile
                self._source.close()
                return None
            self._first = None
            frame = self._source.read()
            if frame is None:
                return None
        self._first = self._first or frame
        self._last = frame
        self._index += 1
        offset = round(self._offset_s / frame.time_base)
        return replace(frame, pts=frame.pts + offset, index=self._index)

    def close(self) -> None:
        """Close the recording; harmless when called again."""
        self._is_closed = True
        self._source.close()

    def _length_s(self, first: Frame, last: Frame) -> Fraction:
        """Return how long it plays: to the end of its last frame."""
        rate = self.info.frame_rate
        last_s = 1 / rate if rate else _LAST_S
        if last.duration is not None:
            last_s = last.duration * last.time_base
        return (last.pts - first.pts) * last.time_base + last_s
