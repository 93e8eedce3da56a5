"""How hands move: a local polynomial over each hand's neighbours in time, frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import Motion
from stream.annotation.parts import palm_axes

__all__ = ["MAX_GAP_S", "SMOOTHING_S", "MotionLine", "joint_angles"]

SMOOTHING_S: Final = 0.085
"""How far a frame's neighbours count: their weight falls to 0 this far away. As smooth as a window
of 130 ms in which all count alike, and at 25 frames a second still five frames."""
MAX_GAP_S: Final = 0.25
"""Frames further apart than this are no neighbours."""
_FINGERS: Final = np.array([[0, *range(1 + 4 * finger, 5 + 4 * finger)] for finger in range(5)])
_Floats = npt.NDArray[np.float64]


def joint_angles(landmarks: npt.NDArray[np.floating]) -> _Floats:
    """Return how far each joint bends in the picture, radians, (15,), 0 straight to pi.

    Of each finger from the thumb on, its three joints from the palm outwards.

    Args:
        landmarks: (21, 2), px.
    """
    bones = np.diff(np.asarray(landmarks, np.float64)[_FINGERS], axis=1)
    here, there = bones[:, :-1], bones[:, 1:]
    cross = here[..., 0] * there[..., 1] - here[..., 1] * there[..., 0]
    return np.asarray(np.arctan2(np.abs(cross), (here * there).sum(-1)).ravel())


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    values: _Floats
    """Palm's middle (2), palm's length, joint angles (15), landmarks in the palm's frame (42)."""
    run: int
    """Tells sightings apart between which the hand was not seen."""


class MotionLine:
    """A delay line: hands go in frame by frame, their motion comes out when it is known.

    A polynomial of order 2 is fitted to the frames around each, at their actual times, weighted by
    1 - (t / ``SMOOTHING_S``)^2; it never reaches over frames without the hand. On an even rate that
    is the filter of A. Savitzky and M. Golay, "Smoothing and Differentiation of Data by Simplified
    Least Squares Procedures", Analytical Chemistry 36, 1964; on an uneven one W. Cleveland's
    "Robust Locally Weighted Regression", JASA 74, 1979, without the robust step. Where all
    neighbours are on one side, its order is 1; rates are NaN where a hand is seen in less than
    three frames around.
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[float, dict[int, _Sighting]]] = deque()
        self._num_done = 0
        """How many at the front of ``_frames`` are only there as neighbours."""
        self._num_runs = 0

    def write(
        self, time_s: Fraction, hands: Mapping[int, npt.NDArray[np.float32]]
    ) -> list[dict[int, Motion]]:
        """Take the next frame; return the motions in the frames that are known now, in order.

        Args:
            time_s: When it is shown.
            hands: Landmarks, px, of the hands that are seen, by track.
        """
        before = self._frames[-1] if self._frames else (float("-inf"), {})
        is_near = float(time_s) - before[0] <= MAX_GAP_S
        sightings = {}
        for track_id, landmarks in hands.items():
            if is_near and track_id in before[1]:
                run = before[1][track_id].run
            else:
                run = self._num_runs = self._num_runs + 1
            sightings[track_id] = _Sighting(_values(landmarks), run)
        self._frames.append((float(time_s), sightings))
        return self._take(is_end=False)

    def close(self) -> list[dict[int, Motion]]:
        """Return the motions in the frames that are left."""
        return self._take(is_end=True)

    def _take(self, *, is_end: bool) -> list[dict[int, Motion]]:
        ready = []
        while self._num_done < len(self._frames):
            reach_s = self._reach_s()
            time_s, hands = self._frames[self._num_done]
            is_last = self._num_done == len(self._frames) - 1
            if not is_end and (is_last or self._frames[-1][0] - time_s < reach_s):
                break
            ready.append({track_id: self._motion(track_id, time_s, reach_s) for track_id in hands})
            self._num_done += 1
            # What comes next reaches back no further than this.
            while time_s - self._frames[0][0] > max(MAX_GAP_S, SMOOTHING_S):
                self._frames.popleft()
                self._num_done -= 1
        return ready

    def _reach_s(self) -> float:
        """Return how far from the next frame others count: at few frames a second its two."""
        first = max(self._num_done - 1, 0)
        times = [time_s for time_s, _ in list(self._frames)[first : self._num_done + 2]]
        gaps = [after - here for here, after in pairwise(times) if after - here <= MAX_GAP_S]
        return max(SMOOTHING_S, 1.25 * max(gaps, default=0.0))

    def _motion(self, track_id: int, time_s: float, reach_s: float) -> Motion:
        here = self._frames[self._num_done][1][track_id]
        times, rows = [], []
        for other_s, hands in self._frames:
            other = hands.get(track_id)
            if other and other.run == here.run and abs(other_s - time_s) < reach_s:
                times.append((other_s - time_s) / reach_s)
                rows.append(other.values)
        values, rates = _fit(np.array(times), np.array(rows))
        rates /= reach_s
        return Motion(
            palm_xy=values[:2].astype(np.float32),
            palm_px=float(values[2]),
            palm_speed=float(np.hypot(*rates[:2]) / values[2]),
            shape_speed=float(np.sqrt((rates[18:] ** 2).sum() / 21)),
            joint_angles=values[3:18].astype(np.float32),
            joint_rates=rates[3:18].astype(np.float32),
        )


def _values(landmarks: npt.NDArray[np.float32]) -> _Floats:
    middle, axes = palm_axes(landmarks)
    length = float(np.hypot(*axes[1]))
    # Both axes have the palm's length, so dividing by its square gives palm lengths.
    in_palm = (landmarks - middle) @ axes.T / max(length, 1e-6) ** 2
    return np.concatenate([middle, [length], joint_angles(landmarks), in_palm.ravel()])


def _fit(times: _Floats, rows: _Floats) -> tuple[_Floats, _Floats]:
    """Return values and rates at time 0 of a polynomial through rows (N, K) at times -1..1 (N,)."""
    has_both = times.min() < 0 < times.max()
    order = 2 if has_both and len(times) > 2 else min(1, len(times) - 1)
    powers = times[:, None] ** np.arange(order + 1)
    weighted = powers * (1 - times[:, None] ** 2)
    fitted = np.linalg.solve(weighted.T @ powers, weighted.T @ rows)
    return fitted[0], fitted[1] if len(times) > 2 else np.full(rows.shape[1], np.nan)
