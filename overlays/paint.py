"""Coverage onto pixels: text, plates and dots, each touching only its own rectangle."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from overlays.colours import INK, PLATE, Rgb
from overlays.lettering import ASCENT_EM, CAP_EM, text_mask, text_width
from overlays.panes import Rect
from stream.frames import RgbImage

__all__ = ["draw_dot", "draw_lines", "draw_plate", "draw_text", "paint"]


def paint(
    canvas: RgbImage,
    coverage: npt.NDArray[np.uint8],
    left: int,
    top: int,
    colour: Rgb,
    opacity: float = 1.0,
) -> None:
    """Lay a colour on the canvas, in place; what leaves the canvas is cut off.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        coverage: uint8 (h, w); 255 lays the colour on with the full ``opacity``, 0 not at all.
        left: Column of the canvas for the coverage's first column; may be negative.
        top: Row of the canvas for the coverage's first row; may be negative.
        colour: What to lay on.
        opacity: 0 to 1.
    """
    visible = coverage[max(-top, 0) :, max(-left, 0) :]
    room = canvas[max(top, 0) :, max(left, 0) :][: visible.shape[0], : visible.shape[1]]
    if 0 in room.shape or 0 in visible.shape:
        return
    weight = visible[: room.shape[0], : room.shape[1], None].astype(np.int32)
    weight *= round(opacity * 257)  # 255 * 257 is one below 65536: shift, do not divide
    change = (np.array(colour, np.int32) - room) * weight
    room += ((change + 32768) >> 16).astype(np.uint8)  # wraps to the right value when negative


def draw_text(
    canvas: RgbImage,
    text: str,
    left: int,
    centre_y: float,
    size_px: float,
    colour: Rgb = INK,
    opacity: float = 1.0,
) -> int:
    """Write a line, its capitals centred on ``centre_y``; return its width in pixels."""
    baseline = round(centre_y + CAP_EM * size_px / 2)
    top = baseline - round(ASCENT_EM * size_px)
    paint(canvas, text_mask(text, size_px), left, top, colour, opacity)
    return text_width(text, size_px)


def draw_plate(
    canvas: RgbImage, rect: Rect, radius_px: int, opacity: float = 0.62, grey: int = PLATE[0]
) -> None:
    """Darken a rounded rectangle (lighten it, for a light ``grey``) for text to stand on."""
    left, top, right, bottom = rect
    radius_px = max(0, min(radius_px, (right - left) // 2, (bottom - top) // 2))
    corner = _corner(radius_px)
    colour = (grey, grey, grey)
    middle = canvas[
        max(top + radius_px, 0) : max(bottom - radius_px, 0), max(left, 0) : max(right, 0)
    ]
    caps = (
        canvas[
            max(top, 0) : max(top + radius_px, 0),
            max(left + radius_px, 0) : max(right - radius_px, 0),
        ],
        canvas[
            max(bottom - radius_px, 0) : max(bottom, 0),
            max(left + radius_px, 0) : max(right - radius_px, 0),
        ],
    )
    for part in (middle, *caps):
        if part.size:
            part[:] = cv2.convertScaleAbs(part, alpha=1 - opacity, beta=grey * opacity)
    if radius_px:
        paint(canvas, corner, left, top, colour, opacity)
        paint(canvas, corner[:, ::-1], right - radius_px, top, colour, opacity)
        paint(canvas, corner[::-1], left, bottom - radius_px, colour, opacity)
        paint(canvas, corner[::-1, ::-1], right - radius_px, bottom - radius_px, colour, opacity)


def draw_dot(
    canvas: RgbImage,
    centre_x: float,
    centre_y: float,
    radius_px: float,
    colour: Rgb,
    opacity: float = 1.0,
) -> None:
    """Draw a filled, smooth-edged disc."""
    left, top = int(centre_x - radius_px) - 1, int(centre_y - radius_px) - 1
    side = int(2 * radius_px) + 4
    paint(
        canvas,
        _disc(side, round(centre_x - left, 2), round(centre_y - top, 2), round(radius_px, 2)),
        left,
        top,
        colour,
        opacity,
    )


def draw_lines(
    room: RgbImage,
    lines: list[npt.NDArray[np.float64]],
    *,
    closed: bool,
    width_px: float,
    opacity: float,
    colour: Rgb = INK,
) -> None:
    """Draw smooth lines with a dark edge, readable on any picture; points (N, 2) in pixels."""
    if not lines or opacity <= 0:
        return
    margin = 2 * width_px + 2
    points = np.concatenate(lines)
    height, width = room.shape[:2]
    x0, y0 = (max(0, int(v - margin)) for v in points.min(axis=0))
    x1, y1 = (int(v + margin) + 1 for v in points.max(axis=0))
    x1, y1 = min(x1, width), min(y1, height)
    if x0 >= x1 or y0 >= y1:
        return
    touched = room[y0:y1, x0:x1]
    drawn = touched.copy()
    fixed = [np.round((line - (x0, y0) - 0.5) * 16).astype(np.int32) for line in lines]
    light = max(1, round(width_px))
    cv2.polylines(drawn, fixed, closed, PLATE, light + 2, cv2.LINE_AA, 4)
    cv2.polylines(drawn, fixed, closed, colour, light, cv2.LINE_AA, 4)
    touched[:] = drawn if opacity >= 1 else cv2.addWeighted(drawn, opacity, touched, 1 - opacity, 0)


@lru_cache(maxsize=64)
def _corner(radius_px: int) -> npt.NDArray[np.uint8]:
    """Return the coverage of a quarter disc, top left, uint8 (radius, radius)."""
    return _disc(2 * radius_px, radius_px, radius_px, radius_px)[:radius_px, :radius_px]


@lru_cache(maxsize=512)
def _disc(side: int, x: float, y: float, radius_px: float) -> npt.NDArray[np.uint8]:
    centres = np.arange(side) + 0.5
    distance = np.hypot(centres[:, None] - y, centres[None, :] - x)
    coverage = np.clip(radius_px - distance + 0.5, 0, 1)
    disc: npt.NDArray[np.uint8] = np.round(coverage * 255).astype(np.uint8)
    return disc
