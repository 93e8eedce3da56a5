"""Smoothing that is calm while a hand rests and does not lag while it moves."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["OneEuroFilter"]

_Points = npt.NDArray[np.float64]


class OneEuroFilter:
    """The One Euro filter over a set of points: a low-pass whose cutoff rises with speed.

    Method: G. Casiez, N. Roussel, D. Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter
    for Noisy Input in Interactive Systems", CHI 2012, algorithm 1. Two things differ: speed is
    measured in a unit that the caller gives (a hand's size), so that near and far hands are alike,
    and it is the length of a point's velocity rather than one speed per axis, so that the result
    does not depend on the direction of movement. Time steps may vary.

    Args:
        min_cutoff_hz: Cutoff at rest; lower is calmer.
        speed_gain: Rise of the cutoff, Hz per (unit / s); higher lags less in movement.
        speed_cutoff_hz: Cutoff of the low-pass that the speed itself goes through.
    """

    def __init__(self, *, min_cutoff_hz: float, speed_gain: float, speed_cutoff_hz: float) -> None:
        self._min_cutoff_hz = min_cutoff_hz
        self._speed_gain = speed_gain
        self._speed_cutoff_hz = speed_cutoff_hz
        self._value: _Points | None = None
        self._velocity: _Points | None = None

    def __call__(self, points: _Points, *, step_s: float, unit_px: float) -> _Points:
        """Return the smoothed points (N, 2), px, as a new array.

        Args:
            points: What was measured, float64 (N, 2), px.
            step_s: Seconds since the call before, > 0; not used by the first call.
            unit_px: The length in which speed is measured, > 0.
        """
        if self._value is None or self._velocity is None:
            self._value, self._velocity = points.copy(), np.zeros_like(points)
            return points.copy()
        share = _share(self._speed_cutoff_hz, step_s)
        self._velocity += share * ((points - self._value) / step_s - self._velocity)
        speed = np.linalg.norm(self._velocity, axis=1, keepdims=True) / unit_px
        cutoff_hz = self._min_cutoff_hz + self._speed_gain * speed
        self._value = self._value + _share(cutoff_hz, step_s) * (points - self._value)
        return self._value.copy()


def _share(cutoff_hz: npt.ArrayLike, step_s: float) -> _Points:
    """Return how much of a new value a low-pass of ``cutoff_hz`` takes in after ``step_s``."""
    return 1 / (1 + 1 / (2 * math.pi * np.asarray(cutoff_hz, np.float64) * step_s))
