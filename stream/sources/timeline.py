"""Frame times as a source reports them, made fit for use: from zero on, strictly increasing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Span", "Timeline"]

_JUMP_BACK_S = 1
"""A step back longer than this is a new recording appended to the old, not a disorder."""


class Timeline:
    """Turns reported times into ticks since the source began, each later than the one before.

    A time that is missing takes the place one frame after its predecessor. A repeated or slightly
    disordered one is moved to half a frame after its predecessor, so that the next regular frame
    keeps its own place. After a long step back (a sender that began anew) the rest follows on
    without a gap.

    Args:
        origin: Reported time that becomes 0, in ticks; None for that of the first frame.
        time_base: Seconds per tick.
        frame_ticks: Ticks from one frame to the next where none is late or left out.
    """

    def __init__(self, *, origin: int | None, time_base: Fraction, frame_ticks: int = 1) -> None:
        self.num_repaired = 0
        """How many times were missing, repeated or out of order."""
        self._shift = None if origin is None else -origin
        self._last: int | None = None
        self._frame_ticks = frame_ticks
        self._jump_back = math.ceil(_JUMP_BACK_S / time_base)

    def place(self, reported: int | None) -> int:
        """Return the place of the next frame in ticks, >= 0."""
        if self._shift is None and reported is not None:
            # Frames without a time may have come first.
            begin = 0 if self._last is None else self._last + max(1, self._frame_ticks)
            self._shift = begin - reported
        tick = None if reported is None or self._shift is None else reported + self._shift
        if tick is not None and tick >= 0 and (self._last is None or tick > self._last):
            self._last = tick
            return tick
        if self._last is None:
            self._last = 0
        elif tick is None:
            self._last += max(1, self._frame_ticks)
        elif tick < self._last - self._jump_back:
            self._last += max(1, self._frame_ticks)
            self._shift = (self._shift or 0) + self._last - tick
        else:
            self._last += max(1, self._frame_ticks // 2)
        self.num_repaired += 1
        return self._last


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a source to read.

    Raises:
        ValueError: Nothing can lie in it.
    """

    start_s: float | Fraction | None = None
    """First moment, in seconds since the source began; earlier frames are left out."""
    end_s: float | Fraction | None = None
    """Moment to stop at, in seconds since the source began; a frame at it is left out."""
    max_frames: int | None = None
    """Most frames to read."""

    def __post_init__(self) -> None:
        start_s, end_s, max_frames = self.start_s or 0, self.end_s, self.max_frames
        if start_s < 0 or (end_s is not None and end_s <= start_s):
            raise ValueError(f"need 0 <= start_s < end_s, got {start_s = }, {end_s = }")
        if max_frames is not None and max_frames < 1:
            raise ValueError(f"max_frames must be >= 1, got {max_frames = }")

    def start_tick(self, time_base: Fraction) -> int:
        """Return the first tick in the span."""
        return _first_tick_at(self.start_s or 0, time_base)

    def end_tick(self, time_base: Fraction) -> int | None:
        """Return the first tick after the span; None where it has no end."""
        return None if self.end_s is None else _first_tick_at(self.end_s, time_base)

    def cut_duration(self, duration_s: float) -> float:
        """Return how many of a source's ``duration_s`` seconds lie in the span."""
        end_s = duration_s if self.end_s is None else min(float(self.end_s), duration_s)
        return max(0.0, end_s - float(self.start_s or 0))

    def __str__(self) -> str:
        end = "its end" if self.end_s is None else f"{float(self.end_s):g} s"
        return f"from {float(self.start_s or 0):g} s to {end}"


def _first_tick_at(time_s: float | Fraction, time_base: Fraction) -> int:
    # A millionth of a tick is forgiven: 1.1 as a float lies a hair after the tick 11/10.
    return math.ceil(Fraction(time_s) / time_base - Fraction(1, 1_000_000))
