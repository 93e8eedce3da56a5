"""Frame times as a source reports them, made fit for use: from zero on, strictly increasing."""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = ["Timeline", "first_tick_at"]

_JUMP_BACK_S = 1
"""A step back longer than this is a new recording appended to the old, not a disorder."""


class Timeline:
    """Turns reported times into ticks since the source began, each later than the one before.

    A time that is missing takes the place one frame after its predecessor. A repeated or slightly
    disordered one is moved to half a frame after its predecessor, so that the next regular frame
    keeps its own place. After a long step back (two MPEG-TS recordings in one file) the rest
    follows on without a gap.

    Args:
        origin: Reported time that becomes 0, in ticks.
        time_base: Seconds per tick.
        frame_rate: Declared frames per second, where there is such a thing.
    """

    def __init__(self, *, origin: int, time_base: Fraction, frame_rate: Fraction | None) -> None:
        self.num_repaired = 0
        """How many times were missing, repeated or out of order."""
        self._shift = -origin
        self._last: int | None = None
        self._frame_ticks = round(1 / (frame_rate * time_base)) if frame_rate else 1
        self._jump_back = math.ceil(_JUMP_BACK_S / time_base)

    def place(self, reported: int | None) -> int:
        """Return the place of the next frame in ticks, >= 0."""
        tick = self._shift + reported if reported is not None else None
        if tick is not None and tick >= 0 and (self._last is None or tick > self._last):
            self._last = tick
            return tick
        if self._last is None:
            self._last = 0
        elif tick is None:
            self._last += max(1, self._frame_ticks)
        elif tick < self._last - self._jump_back:
            self._last += max(1, self._frame_ticks)
            self._shift += self._last - tick
        else:
            self._last += max(1, self._frame_ticks // 2)
        self.num_repaired += 1
        return self._last


def first_tick_at(time_s: float | Fraction, time_base: Fraction) -> int:
    """Return the first tick that is not before ``time_s``.

    A millionth of a tick is forgiven: 1.1 as a float lies a hair after the tick 11/10.
    """
    return math.ceil(Fraction(time_s) / time_base - Fraction(1, 1_000_000))
