"""From a map's weights to 0..1: what the ends of the colour scale mean.

``frame``
    The map's own minimum and maximum. Every map uses the whole scale, so brightness says nothing
    from one moment to the next, and noise flickers.
``stable``
    Per hand and head, a range that follows the map's 2nd and 99.5th percentile with a time constant
    of one second of the video's own time. Percentiles, because one extreme patch must not dim all
    others; slow, because a range that jumps reads as attention that jumps. Values beyond it clip.
``absolute``
    Attention times the number of patches: 1 is what every patch would get if attention were
    uniform. The scale is fixed (0 to 6), so colours compare across frames, hands, heads and models.
    An activation has no such unit; it is divided by the map's mean, so that 1 is its average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overlays.style import Normalization
from stream.scene import AttentionMaps

__all__ = ["ABSOLUTE_TOP", "STABLE_TIME_CONSTANT_S", "Normalizer", "ValueRange"]

STABLE_TIME_CONSTANT_S = 1.0
"""Seconds of media time in which a stable range covers 63 % of the way to a new level."""
STABLE_PERCENTILES = (2.0, 99.5)
"""Of a map's patches; with 14 x 14 patches the brightest one or two clip."""
ABSOLUTE_TOP = 6.0
"""Upper end of the absolute scale, in multiples of uniform attention."""
_FORGET_AFTER_S = 5.0  # a hand that comes back later begins afresh
_MAX_TRACKED = 256  # hands x heads; only bounds memory


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The ends of the colour scale, in multiples of a uniform map (of the mean, for activation)."""

    low: float
    high: float

    def apply(self, relative: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return values clipped to 0..1, float32, same shape."""
        span = max(self.high - self.low, 1e-6)
        scaled = (relative - np.float32(self.low)) / np.float32(span)
        return np.clip(scaled, 0, 1, out=scaled)


@dataclass(slots=True)
class _Tracked:
    low: float
    high: float
    time_s: float


class Normalizer:
    """Scales maps for display; remembers the ranges that ``stable`` moves slowly.

    Not thread-safe: one compositor owns it.
    """

    def __init__(self) -> None:
        self._tracked: dict[tuple[int, str, int, int | None], _Tracked] = {}

    def normalize(
        self, maps: AttentionMaps, head: int | None, mode: Normalization
    ) -> tuple[npt.NDArray[np.float32], ValueRange]:
        """Return one map of ``maps`` as float32 (grid_h, grid_w) in 0..1, and the scale's ends.

        Args:
            maps: Maps of one hand. Repeated calls with the same maps give the same result.
            head: Number of the head (or component), or None for the mean.
            mode: What the ends of the scale mean.
        """
        relative = maps.relative(head)
        if mode == "absolute":
            bounds = ValueRange(0.0, ABSOLUTE_TOP)
        elif mode == "frame":
            bounds = ValueRange(float(relative.min()), float(relative.max()))
        else:
            bounds = self._stable_range(relative, maps, head)
        return bounds.apply(relative), bounds

    def _stable_range(
        self, relative: npt.NDArray[np.float32], maps: AttentionMaps, head: int | None
    ) -> ValueRange:
        key = (maps.track_id, maps.model, maps.layer, head)
        tracked = self._tracked.pop(key, None)
        passed_s = maps.time_s - tracked.time_s if tracked else math.inf
        if tracked is None or not -1e-9 <= passed_s <= _FORGET_AFTER_S:
            low, high = (float(x) for x in np.percentile(relative, STABLE_PERCENTILES))
            tracked = _Tracked(low, high, maps.time_s)
        elif passed_s > 0:
            low, high = (float(x) for x in np.percentile(relative, STABLE_PERCENTILES))
            gain = -math.expm1(-passed_s / STABLE_TIME_CONSTANT_S)
            tracked.low += gain * (low - tracked.low)
            tracked.high += gain * (high - tracked.high)
            tracked.time_s = maps.time_s
        self._tracked[key] = tracked  # last in, so the first key is the one unused for longest
        if len(self._tracked) > _MAX_TRACKED:
            del self._tracked[next(iter(self._tracked))]
        return ValueRange(tracked.low, tracked.high)
