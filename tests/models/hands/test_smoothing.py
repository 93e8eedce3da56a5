"""Landmarks and boxes are calm and yet not late, on scripted movements."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.hands.tracking import HAND_LANDMARKS, HandDetection, HandTracker
from stream.geometry import HandRegion
from tests.models.hands.movements import SIZE_PX, follow, hand_at, landmarks_of


@pytest.mark.parametrize("fps", [25, 60])
def test_resting_hand_is_calm(fps: float) -> None:
    rng = np.random.default_rng(1)
    raw: list[npt.NDArray[Any]] = []

    def tremble(time_s: float) -> list[HandDetection]:
        del time_s
        hand = hand_at(200, 200)
        raw.append(hand.landmarks + rng.normal(scale=0.005 * SIZE_PX, size=(HAND_LANDMARKS, 2)))
        return [HandDetection(landmarks=raw[-1], handedness="right", score=0.9)]

    history = list(follow(HandTracker(max_hands=1), tremble, fps=fps, end_s=4))
    smooth = np.stack([landmarks_of(hands[0]) for _, hands in history])
    boxes = np.array([hands[0].box_xyxy for _, hands in history])
    assert _jitter(smooth) < 0.5 * _jitter(np.stack(raw))
    assert _jitter(boxes[10:]) < 0.5 * _jitter(np.stack(raw))


@pytest.mark.parametrize("fps", [25, 60])
def test_moving_hand_is_not_left_behind(fps: float) -> None:
    """Start from rest at 5 hand sizes a second: fast signing."""

    def start(time_s: float) -> list[HandDetection]:
        return [hand_at(200 + 5 * SIZE_PX * max(0.0, time_s - 0.5), 200)]

    lag = []
    for time_s, hands in follow(HandTracker(max_hands=1), start, fps=fps):
        away = landmarks_of(hands[0]) - start(time_s)[0].landmarks
        lag.append(float(np.linalg.norm(away, axis=1).mean()) / SIZE_PX)
    assert max(lag) < 0.06
    assert lag[-1] < 0.03


def test_box_holds_the_whole_hand_at_once() -> None:
    """A hand that opens within one frame is inside its box in that very frame."""
    tracker = HandTracker(max_hands=1)
    for index in range(10):
        tracker.update([hand_at(200, 200, size=0.5)], index / 30)
    (region,) = tracker.update([hand_at(200, 200)], 10 / 30)
    left, top, right, bottom = region.box_xyxy
    low, high = landmarks_of(region).min(axis=0), landmarks_of(region).max(axis=0)
    border = 0.1 * SIZE_PX
    assert left < low[0] - border / 2
    assert top < low[1] - border / 2
    assert right > high[0] + border / 2
    assert bottom > high[1] + border / 2


def test_box_shrinks_slowly() -> None:
    """In motion blur landmarks bunch up for a frame or two; the hand has not shrunk."""
    tracker = HandTracker(max_hands=1)
    for index in range(10):
        (before,) = tracker.update([hand_at(200, 200)], index / 30)
    (after,) = tracker.update([hand_at(200, 200, size=0.4)], 10 / 30)
    assert _width(after) > 0.7 * _width(before)
    for index in range(11, 60):
        (after,) = tracker.update([hand_at(200, 200, size=0.4)], index / 30)
    assert _width(after) == pytest.approx(0.4 * _width(before), rel=0.05)


def _jitter(values: npt.NDArray[Any]) -> float:
    return float(np.abs(np.diff(values, n=2, axis=0)).mean())


def _width(region: HandRegion) -> float:
    return region.box_xyxy[2] - region.box_xyxy[0]
