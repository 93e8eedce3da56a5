"""Frames that were shown, kept to step back to."""

from __future__ import annotations

from collections import deque

from stream.frames import Frame
from stream.geometry import HandRegion

__all__ = ["Located", "PastFrames"]

Located = tuple[Frame, tuple[HandRegion, ...]]
"""A frame and the hands in it."""


class PastFrames:
    """The newest frames, of which one is looked at: the newest unless one has stepped back.

    Args:
        max_bytes: How much of pictures is kept; the newest one is, however large.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: deque[Located] = deque()
        self._num_bytes = self._num_back = 0

    @property
    def current(self) -> Located:
        """The one that is looked at; there is one once one was kept."""
        return self._frames[-1 - self._num_back]

    def keep(self, located: Located) -> None:
        """Keep a frame, which is the newest now."""
        self._frames.append(located)
        self._num_bytes += located[0].image.nbytes
        while self._num_bytes > self._max_bytes and len(self._frames) > 1:
            self._num_bytes -= self._frames.popleft()[0].image.nbytes

    def step_back(self) -> None:
        """Look at the one before, where it is still there."""
        self._num_back = min(self._num_back + 1, len(self._frames) - 1)

    def step_on(self) -> bool:
        """Look at the one after; return whether there was one."""
        has_next = self._num_back > 0
        self._num_back -= has_next
        return has_next

    def look_at_newest(self) -> None:
        """Take all steps back."""
        self._num_back = 0
