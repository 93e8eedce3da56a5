"""The hand's 21 landmarks as a skeleton."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from overlays.colours import INK, Rgb
from overlays.paint import draw_lines
from stream.frames import RgbImage

__all__ = ["BONES", "draw_skeleton"]

BONES = (
    (0, 1, 2, 3, 4),
    (5, 6, 7, 8),
    (9, 10, 11, 12),
    (13, 14, 15, 16),
    (0, 17, 18, 19, 20),
    (0, 5, 9, 13, 17),
)
"""Runs of joined landmarks in MediaPipe's order: thumb, three fingers, little finger, palm."""
_TIPS = (4, 8, 12, 16, 20)


def draw_skeleton(
    canvas: RgbImage,
    landmarks: npt.NDArray[np.float64],
    *,
    accent: Rgb,
    width_px: float,
    opacity: float,
) -> None:
    """Draw bones as light lines and joints as dots, the finger tips in the hand's own colour.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        landmarks: (21, 2) in pixels of ``canvas``; may leave it.
        accent: Colour of the finger tips.
        width_px: Width of a bone.
        opacity: 0 to 1.
    """
    # Points far outside would overflow the fixed-point coordinates.
    reach = 4 * max(canvas.shape[:2])
    points = np.clip(landmarks, -reach, reach)
    lines = [points[list(run)] for run in BONES]
    joints = [
        (index, 1.9 * width_px if index in _TIPS else 1.25 * width_px)
        for index in range(len(points))
    ]
    dots = [(points[index], radius, accent if index in _TIPS else INK) for index, radius in joints]
    draw_lines(canvas, lines, closed=False, width_px=width_px, opacity=opacity, dots=dots)
