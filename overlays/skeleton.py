"""The hand's 21 landmarks as a skeleton."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from overlays.colours import INK, PLATE, Rgb
from overlays.paint import draw_dot, draw_lines
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
    room: RgbImage,
    landmarks: npt.NDArray[np.float64],
    *,
    accent: Rgb,
    width_px: float,
    opacity: float,
) -> None:
    """Draw bones as light lines and joints as dots, the finger tips in the hand's own colour.

    Args:
        room: uint8 (H, W, 3) RGB, written.
        landmarks: (21, 2) in pixels of ``room``; may leave it.
        accent: Colour of the finger tips.
        width_px: Width of a bone.
        opacity: 0 to 1.
    """
    # Lines far outside would overflow the fixed-point coordinates.
    reach = 4 * max(room.shape[:2])
    points = np.clip(landmarks, -reach, reach)
    lines = [points[list(run)] for run in BONES]
    draw_lines(room, lines, closed=False, width_px=width_px, opacity=0.85 * opacity)
    for index, (x, y) in enumerate(points.tolist()):
        is_tip = index in _TIPS
        radius = width_px * (1.9 if is_tip else 1.2)
        draw_dot(room, x, y, radius + 0.8, PLATE, 0.7 * opacity)
        draw_dot(room, x, y, radius, accent if is_tip else INK, opacity)
