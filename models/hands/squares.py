"""Turned squares: what a network looks at, with a hand or a person upright in the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stream.frames import RgbImage
from stream.geometry import Points

__all__ = ["TurnedSquare", "turn_between"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedSquare:
    """A square of the frame, turned about its middle; it may leave the frame."""

    centre_xy: tuple[float, float]
    """Its middle, frame pixels."""
    side_px: float
    """Its side in frame pixels, > 0."""
    turn_rad: float
    """How far it is turned clockwise; 0 is upright."""

    def cut(self, image: RgbImage, size_px: int) -> RgbImage:
        """Return what is in the square, upright, uint8 (size_px, size_px, 3); outside is black."""
        scale = self.side_px / size_px
        along, across = scale * math.cos(self.turn_rad), scale * math.sin(self.turn_rad)
        middle = (size_px - 1) / 2  # OpenCV places pixel i at i, we at i + 0.5
        x, y = self.centre_xy
        to_frame = np.array(
            [
                [along, -across, x - 0.5 - (along - across) * middle],
                [across, along, y - 0.5 - (across + along) * middle],
            ]
        )
        crop: RgbImage = cv2.warpAffine(
            image, to_frame, (size_px, size_px), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        return crop

    def to_frame(self, points_xy: Points) -> npt.NDArray[np.float64]:
        """Return points (..., 2), in sides from the square's upper left, as frame pixels."""
        cos, sin = math.cos(self.turn_rad), math.sin(self.turn_rad)
        away = (np.asarray(points_xy, np.float64) - 0.5) * self.side_px
        return np.asarray(away @ [[cos, sin], [-sin, cos]] + self.centre_xy)

    def moved_up(self, way_px: float, *, scale: float) -> TurnedSquare:
        """Return the square moved towards its own upper side, then scaled about its middle."""
        x, y = self.centre_xy
        return TurnedSquare(
            centre_xy=(x + way_px * math.sin(self.turn_rad), y - way_px * math.cos(self.turn_rad)),
            side_px=self.side_px * scale,
            turn_rad=self.turn_rad,
        )


def turn_between(lower_xy: Points, upper_xy: Points) -> float:
    """Return the turn of a square in which the second point, (2,), is straight above the first."""
    x, y = np.asarray(upper_xy, np.float64) - lower_xy
    return math.atan2(x, -y)
