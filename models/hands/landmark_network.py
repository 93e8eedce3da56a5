"""MediaPipe's landmark network: 21 points of the hand in a square of the picture.

F. Zhang et al., "MediaPipe Hands: On-device Real-time Hand Tracking", 2020, sections 2.2 and 3:
once a hand is found, the square of a frame is laid round the landmarks of the frame before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.hands.squares import TurnedSquare, turn_between
from models.hands.tflite import TfliteNetwork
from stream.frames import RgbImage
from stream.geometry import Points

__all__ = ["HandSighting", "LandmarkNetwork", "square_of_hand"]

_STEADY: Final = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Landmarks that a square is laid round: wrist, thumb and the lower halves of the fingers."""
_RISE: Final = 0.1
"""How far the square is moved towards the fingers, in heights of those landmarks."""
_SCALE: Final = 2.0
"""Side of the square, in sides of the smallest one round those landmarks."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HandSighting:
    """What the network makes of a square."""

    landmarks: npt.NDArray[np.float64]
    """float64 (21, 2), frame pixels; of no meaning where there is no hand."""
    presence: float
    """How sure it is that there is a hand, 0 to 1."""
    right: float
    """How sure it is that the hand looks like a right one, 0 to 1."""


class LandmarkNetwork:
    """Places the landmarks of a hand. Used by one thread.

    Args:
        content: ``hand_landmarks_detector.tflite`` of a bundle.

    Raises:
        RuntimeError: OpenVINO cannot read it.
        ValueError: It is another network.
    """

    def __init__(self, content: bytes) -> None:
        self._network = TfliteNetwork(content, [(63,), (1,), (1,)])

    @property
    def size_px(self) -> int:
        """Side of the crops that it takes."""
        return self._network.size_px

    def place(self, crop: RgbImage, square: TurnedSquare) -> HandSighting:
        """Return the hand in a crop.

        Args:
            crop: What is in the square, uint8 (size_px, size_px, 3) RGB.
            square: Where in the frame that is.
        """
        points, presence, right = self._network(crop * np.float32(1 / 255))
        return HandSighting(
            landmarks=square.to_frame(points.reshape(21, 3)[:, :2] / self.size_px),
            presence=float(presence[0]),
            right=float(right[0]),
        )


def square_of_hand(landmarks: Points) -> TurnedSquare:
    """Return where to look for a hand whose landmarks, (21, 2) in frame pixels, are about there."""
    knuckles = (landmarks[5] + landmarks[13]) / 4 + landmarks[9] / 2
    turn_rad = turn_between(landmarks[0], knuckles)
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    to_square = np.array([[cos, -sin], [sin, cos]])
    upright = np.asarray(landmarks, np.float64)[list(_STEADY)] @ to_square
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = (low + high) / 2 @ to_square.T
    width, height = high - low
    round_them = TurnedSquare(
        centre_xy=(float(x), float(y)),
        side_px=max(float(width), float(height), 1e-3),
        turn_rad=turn_rad,
    )
    return round_them.moved_up(_RISE * float(height), scale=_SCALE)
