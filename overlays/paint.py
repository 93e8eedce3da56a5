"""Coverage onto pixels: text, plates and dots, each touching only its own rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from overlays.colours import INK, PLATE, Rgb
from overlays.lettering import ASCENT_EM, CAP_EM, text_mask, text_width
from overlays.panes import Rect
from stream.frames import RgbImage

__all__ = [
    "PLATE_OPACITY",
    "blend",
    "draw_dot",
    "draw_lines",
    "draw_plate",
    "draw_text",
    "paint",
    "tint_layers",
]

_HALO_OPACITY = 0.55
_FIXED_BITS = 4
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_UNIT_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
PLATE_OPACITY = 0.68
"""Of the plates under text: light enough to see through, dark enough to read on."""


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
    under = canvas[max(top, 0) :, max(left, 0) :][: visible.shape[0], : visible.shape[1]]
    if 0 in under.shape or 0 in visible.shape:
        return
    cover = visible[: under.shape[0], : under.shape[1]]
    if opacity < 1:
        cover = cv2.convertScaleAbs(cover, alpha=opacity)
    tint, rest = tint_layers(cover, colour)
    blend(under, tint, rest)


def tint_layers(
    coverage: npt.NDArray[np.uint8], colour: Rgb
) -> tuple[RgbImage, npt.NDArray[np.uint8]]:
    """Return what a colour adds, and what is kept of what is under it, both uint8 (h, w, 3)."""
    cover = cv2.cvtColor(coverage, cv2.COLOR_GRAY2RGB)
    return cv2.multiply(cover, (*colour, 0), scale=1 / 255), cv2.bitwise_not(cover)


def blend(under: RgbImage, tint: RgbImage, rest: npt.NDArray[np.uint8]) -> None:
    """Replace pixels by ``under * rest / 255 + tint``, in place; all uint8 (h, w, 3).

    Whole numbers all the way: a float copy of a picture would cost more than all the rest.
    """
    under[:] = cv2.add(cv2.multiply(under, rest, scale=1 / 255), tint)


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
    canvas: RgbImage,
    rect: Rect,
    radius_px: int,
    opacity: float = PLATE_OPACITY,
    grey: int = PLATE[0],
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
    canvas: RgbImage,
    lines: Sequence[npt.NDArray[np.float64]],
    *,
    closed: bool,
    width_px: float,
    opacity: float,
    has_halo: bool = True,
    colour: Rgb = INK,
    dots: Sequence[tuple[npt.NDArray[np.float64], float, Rgb]] = (),
) -> None:
    """Draw smooth lines with a soft dark edge, readable on any picture, in place.

    Args:
        canvas: uint8 (H, W, 3) RGB, written where the lines are.
        lines: Points (N, 2) of each line, in pixels; may leave the canvas.
        closed: Join each line's end to its beginning.
        width_px: Width of the line.
        opacity: 0 to 1.
        has_halo: Draw the dark edge.
        colour: Of the lines.
        dots: Discs on the ends of lines: centre (2,) and radius in pixels, colour.
    """
    if not lines or opacity <= 0:
        return
    points = np.concatenate(lines)
    margin = 3 + max([width_px, *(radius for _, radius, _ in dots)])
    (x0, y0), (x1, y1) = points.min(axis=0) - margin, points.max(axis=0) + margin
    x0, y0 = max(0, int(x0)), max(0, int(y0))
    x1, y1 = min(canvas.shape[1], int(x1) + 1), min(canvas.shape[0], int(y1) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    touched = canvas[y0:y1, x0:x1]
    drawn = touched.copy()
    origin = np.array([x0 + 0.5, y0 + 0.5])
    fixed = [_fixed_point(line - origin) for line in lines]
    centres = np.array([centre for centre, _, _ in dots]).reshape(-1, 2) - origin
    radii = np.array([radius for _, radius, _ in dots], np.float64)
    light = max(1, round(width_px))
    if has_halo:
        cv2.polylines(drawn, fixed, closed, PLATE, light + 2, cv2.LINE_AA, _FIXED_BITS)
        for rim in _rims(centres, radii + 1):
            cv2.fillConvexPoly(drawn, rim, PLATE, cv2.LINE_AA, _FIXED_BITS)
        cv2.addWeighted(drawn, _HALO_OPACITY, touched, 1 - _HALO_OPACITY, 0, drawn)
    cv2.polylines(drawn, fixed, closed, colour, light, cv2.LINE_AA, _FIXED_BITS)
    for rim, (_, _, fill) in zip(_rims(centres, radii), dots, strict=True):
        cv2.fillConvexPoly(drawn, rim, fill, cv2.LINE_AA, _FIXED_BITS)
    touched[:] = drawn if opacity >= 1 else cv2.addWeighted(drawn, opacity, touched, 1 - opacity, 0)


def _rims(
    centres: npt.NDArray[np.float64], radii: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Return discs as polygons, fixed-point (N, 24, 2); cv2.circle makes small ones diamonds."""
    return _fixed_point(centres[:, None] + radii[:, None, None] * _UNIT_CIRCLE)


def _fixed_point(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    fixed: npt.NDArray[np.int32] = np.round(points * (1 << _FIXED_BITS)).astype(np.int32)
    return fixed


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
