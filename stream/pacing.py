"""When a frame of a recording is due on screen."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "MonotonicClock", "Pacer"]

MAX_LATENESS_NS = 500_000_000
"""Later than half a second, a recording goes on from here: rushing through a backlog of frames
looks worse than a pause."""


class Clock(Protocol):
    """The passing of time, so that tests can make it pass."""

    def now_ns(self) -> int:
        """Return monotonic nanoseconds."""

    def sleep_until(self, when_ns: int) -> None:
        """Return at ``when_ns``, at once where that is past."""


class MonotonicClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return ``time.monotonic_ns``."""
        return time.monotonic_ns()

    def sleep_until(self, when_ns: int) -> None:
        """Sleep until ``when_ns``, at once where that is past."""
        remaining_ns = when_ns - time.monotonic_ns()
        if remaining_ns > 0:
            time.sleep(remaining_ns / 1e9)


class Pacer:
    """Maps presentation times to moments on a clock, so that a recording plays at its own speed.

    Args:
        clock: Where "now" comes from.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._zero_ns: int | None = None

    def due_ns(self, time_s: float) -> int:
        """Return when the frame of presentation time ``time_s`` is due, in clock nanoseconds.

        The first frame asked for is due now. After a delay of more than ``MAX_LATENESS_NS`` the
        frame at hand is due now and playing goes on from there.
        """
        now_ns = self._clock.now_ns()
        offset_ns = round(time_s * 1e9)
        if self._zero_ns is None or now_ns - (self._zero_ns + offset_ns) > MAX_LATENESS_NS:
            self._zero_ns = now_ns - offset_ns
        return self._zero_ns + offset_ns

    def late_s(self, time_s: float) -> float:
        """Return how late the frame of presentation time ``time_s`` is; from any thread.

        Negative where it is early, and 0 where nothing plays.
        """
        zero_ns = self._zero_ns
        return 0.0 if zero_ns is None else (self._clock.now_ns() - zero_ns) / 1e9 - time_s

    def begin(self, time_s: float) -> None:
        """Play on from here: the frame of presentation time ``time_s`` is on screen now."""
        self._zero_ns = self._clock.now_ns() - round(time_s * 1e9)

    def restart(self) -> None:
        """Make the next frame due when it is asked for, as after a pause."""
        self._zero_ns = None
