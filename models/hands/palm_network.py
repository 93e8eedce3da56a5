"""MediaPipe's palm detector: where in a picture hands may be.

F. Zhang et al., "MediaPipe Hands: On-device Real-time Hand Tracking", 2020, section 2.1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from models.hands.anchors import AnchorDetector
from models.hands.squares import TurnedSquare, turn_between
from stream.frames import RgbImage

__all__ = ["PalmNetwork"]

LEAST_SCORE: Final = 0.5
"""Less sure palms are left alone."""
_GRIDS: Final = ((24, 2), (12, 6))
_WRIST: Final = 2
_MIDDLE_FINGER: Final = 4
"""Rows of the key points, after the box's two corners, between which a hand stands upright."""
_RISE: Final = 0.5
"""How far the hand's square is moved towards the fingers, in heights of the palm's box."""
_SCALE: Final = 2.6
"""Side of the hand's square in sides of the palm's."""


class PalmNetwork:
    """Finds palms anywhere in a picture. Used by one thread.

    Args:
        content: ``hand_detector.tflite`` of a bundle.

    Raises:
        RuntimeError: OpenVINO cannot read it.
        ValueError: It is another network.
    """

    def __init__(self, content: bytes) -> None:
        self._detector = AnchorDetector(
            content, num_points=7, grids=_GRIDS, darkest=0.0, least_score=LEAST_SCORE
        )

    def find(self, image: RgbImage, *, lifted: bool = False) -> list[TurnedSquare]:
        """Return where the landmark network should look for hands, the surest first.

        Args:
            image: uint8 (H, W, 3) RGB.
            lifted: Look at the picture with its contrast lifted.
        """
        return [_square_of(points) for points in self._detector.find(image, lifted=lifted)]


def _square_of(points: npt.NDArray[np.float64]) -> TurnedSquare:
    """Return the square of the hand that a palm, (9, 2), belongs to."""
    (left, top), (right, bottom) = points[:2].tolist()
    palm = TurnedSquare(
        centre_xy=((left + right) / 2, (top + bottom) / 2),
        side_px=max(right - left, bottom - top, 1e-3),
        turn_rad=turn_between(points[_WRIST], points[_MIDDLE_FINGER]),
    )
    return palm.moved_up(_RISE * (bottom - top), scale=_SCALE)
