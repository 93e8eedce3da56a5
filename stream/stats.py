"""Counters and rates of a running loop, and what its figures are summed up with."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["RateMeter", "Stats", "percentile"]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` do not exceed: one of them, nearest rank.

    Args:
        values: At least one, in any order.
        share: 0 to 1.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What the read-outs show: a snapshot of a loop's counters and rates."""

    fps_shown: float = 0.0
    """Frames shown a second, measured over the last second or so."""
    maps_per_s: float = 0.0
    """Attention batches finished a second, measured likewise."""
    dropped_capture: int = 0
    """Frames of a live source that were replaced by newer ones before they were shown."""
    dropped_crops: int = 0
    """Batches of crops that were replaced by newer ones while the model was busy."""
    dropped_record: int = 0
    """Frames that could not be recorded in time, of the recordings that are going on."""
    latency_ms: float = 0.0
    """Capture to shown (a live source) or due to shown (a recording), of the last frame, in ms."""
    compute_ms: float = 0.0
    """Time the model took for the newest maps."""
    recording_s: float | None = None
    """How long frames have been recorded, in seconds; None while they are not."""
    is_frozen: bool = False
    """True while one frame is held."""
    is_ended: bool = False
    """True where a recording has come to its end."""
    lost_s: float | None = None
    """Seconds since a live source was lost; None while it is there."""
    notice: str = ""
    """A few words about what was just done ("layer 10"); empty most of the time."""


class RateMeter:
    """Events a second over a sliding window. Not thread-safe: one thread ticks and reads.

    Args:
        window_s: Length of the window in seconds, > 0.
    """

    def __init__(self, window_s: float = 1.0) -> None:
        if window_s <= 0:
            raise ValueError(f"window_s must be > 0, got {window_s = }")
        self._window_ns = int(window_s * 1e9)
        self._ticks_ns: deque[int] = deque()

    def tick(self, now_ns: int) -> None:
        """Count one event at ``now_ns`` (monotonic)."""
        self._ticks_ns.append(now_ns)
        # One tick older than the window stays, so that intervals, not events, are counted.
        while len(self._ticks_ns) > 2 and now_ns - self._ticks_ns[1] > self._window_ns:
            self._ticks_ns.popleft()

    def per_s(self, now_ns: int) -> float:
        """Return events a second at ``now_ns`` (monotonic).

        N ticks span N - 1 intervals: 0.0 before the second tick. Where the next tick is overdue the
        rate falls, to 0.0 once two windows have passed without one.
        """
        if len(self._ticks_ns) < 2 or now_ns - self._ticks_ns[-1] > 2 * self._window_ns:
            return 0.0
        span_ns = self._ticks_ns[-1] - self._ticks_ns[0]
        num_intervals = len(self._ticks_ns) - 1
        if now_ns - self._ticks_ns[-1] > span_ns / num_intervals:  # the next one is overdue
            span_ns, num_intervals = now_ns - self._ticks_ns[0], num_intervals + 1
        return num_intervals * 1e9 / span_ns if span_ns else 0.0
