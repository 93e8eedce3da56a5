"""Hands that move as a script says, as a detector would tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from models.hands.tracking import HandDetection, HandTracker
from stream.geometry import Handedness, HandRegion

__all__ = ["SIZE_PX", "by_id", "follow", "hand_at", "landmarks_of"]

SIZE_PX = 100.0
"""Length of a hand, from the wrist to the tip of its middle finger."""


def hand_at(
    x: float, y: float, handedness: Handedness = "right", *, score: float = 0.95, size: float = 1
) -> HandDetection:
    """Return an open hand whose palm is centred on (x, y), 100 px long unless scaled."""
    fan = np.linspace(-0.35, 0.35, 5)[:, None]
    length = np.array([0.25, 0.5, 0.75, 1.0])[None, :]
    fingers = np.stack([np.sin(fan) * length, -np.cos(fan) * length], axis=-1).reshape(20, 2)
    points = np.concatenate([np.zeros((1, 2)), fingers]) * SIZE_PX * size
    points -= points[[0, 5, 9, 13, 17]].mean(axis=0)
    if handedness == "left":
        points[:, 0] *= -1
    return HandDetection(landmarks=points + np.array([x, y]), handedness=handedness, score=score)


def follow(
    tracker: HandTracker,
    script: Callable[[float], list[HandDetection]],
    *,
    fps: float = 30,
    start_s: float = 0,
    end_s: float = 1,
) -> Iterator[tuple[float, tuple[HandRegion, ...]]]:
    """Yield the time in seconds of each frame, and the hands that are followed in it."""
    for index in range(round(start_s * fps), round(end_s * fps)):
        yield index / fps, tracker.update(script(index / fps), index / fps)


def by_id(regions: tuple[HandRegion, ...]) -> dict[int, HandRegion]:
    return {region.track_id: region for region in regions}


def landmarks_of(region: HandRegion) -> npt.NDArray[np.float32]:
    assert region.landmarks is not None
    return region.landmarks
