"""Whether the source of a live view still gives pictures, by the view's own clock."""

from __future__ import annotations

from collections.abc import Callable

from stream.frames import STALE_S, Frame

__all__ = ["LiveSignal"]


class LiveSignal:
    """Finds out that a source is lost, whatever it does or says itself; used by the loop's thread.

    Args:
        now_ns: The clock.
        lose: Called once when a loss is found out, at the latest with the first frame after it.
    """

    def __init__(self, now_ns: Callable[[], int], lose: Callable[[], None]) -> None:
        self._now_ns = now_ns
        self._lose = lose
        self._came_ns = now_ns()
        self._is_lost = False
        self._num_losses = self._told_halves = 0

    @property
    def lost_s(self) -> float | None:
        """Seconds since the last frame; None while they are too few for a loss."""
        waited_s = (self._now_ns() - self._came_ns) / 1e9
        return waited_s if waited_s >= STALE_S else None

    def receive(self, frame: Frame) -> bool:
        """Take note of a frame; return whether it is the first after a loss."""
        if frame.num_losses > self._num_losses:  # it may have been too short for this clock
            self._find_lost()
        self._num_losses = frame.num_losses
        self.wait_anew()
        is_back, self._is_lost = self._is_lost, False
        return is_back

    def wait_anew(self) -> None:
        """Count from now on: nobody looked meanwhile."""
        self._came_ns = self._now_ns()

    def has_news(self) -> bool:
        """Return whether there is something else to say of a loss: twice a second."""
        lost_s = self.lost_s
        if lost_s is None:
            return False
        self._find_lost()
        halves = int(2 * lost_s)
        is_new, self._told_halves = halves != self._told_halves, halves
        return is_new

    def _find_lost(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._lose()
