"""Text on the picture: tags of hands, plates of several lines, the mark of random weights."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from overlays.colours import INK, PLATE, Rgb
from overlays.lettering import STROKE_EM, text_mask, text_width
from overlays.paint import PLATE_OPACITY, blend, draw_dot, draw_plate, draw_text, tint_layers
from overlays.panes import Box, Rect
from stream.frames import RgbImage

__all__ = ["draw_random_mark", "draw_tag", "edge_margin", "line_height", "text_size"]

_SMALLEST_SIDE_PX = 72
"""Below this side there is no room for a tag."""


def text_size(side_px: int) -> float:
    """Return the text size that suits a picture whose shorter side is ``side_px``, in pixels."""
    return float(max(11, round(0.0235 * side_px)))


def edge_margin(side_px: int) -> int:
    """Return how far text keeps from a picture's edges in pixels."""
    return max(2, round(0.018 * side_px))


def line_height(size_px: float) -> int:
    """Return the distance between baselines in pixels."""
    return round(1.5 * size_px)


def draw_tag(
    canvas: RgbImage,
    text: str,
    box: Box,
    *,
    accent: Rgb,
    size_px: float,
    opacity: float,
    taken: list[Rect],
    inside: bool = False,
) -> None:
    """Write what a box is: a small plate above its left corner, kept inside the picture.

    Where something else stands there, it goes to the next corner that is free.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        text: One line.
        box: What is labelled, pixels of ``canvas``; may leave it.
        accent: Colour of the dot before the text.
        size_px: Text size.
        opacity: 0 to 1.
        taken: Places of earlier tags; this tag avoids them and adds its own.
        inside: Place it inside the box's corner rather than above it.
    """
    height, width = canvas.shape[:2]
    if min(height, width) < _SMALLEST_SIDE_PX or opacity <= 0:
        return
    tag_h = round(1.75 * size_px)
    dot = 0.24 * size_px
    pad = round(0.6 * size_px)
    text_left = pad + round(2 * dot + 0.4 * size_px)
    tag_w = text_left + text_width(text, size_px) + pad
    gap = round(0.4 * size_px)
    edge = max(gap, edge_margin(min(height, width)))
    right_most, lowest = max(edge, width - tag_w - edge), max(edge, height - tag_h - edge)
    x0, y0, x1, y1 = (round(edge) for edge in box)
    above, below = y0 - tag_h - gap, y1 + gap
    places = [(x0, above), (x1 - tag_w, above), (x0, below), (x1 - tag_w, below), (x0, y0 + gap)]
    if inside:
        places = [
            (x0 + edge, y0 + edge),
            (x0 + edge, y1 - tag_h - edge),
            (x1 - tag_w - edge, y0 + edge),
        ]
    rects = []
    for left, top in places:
        left, top = min(max(left, edge), right_most), min(max(top, edge), lowest)
        rects.append((left, top, left + tag_w, top + tag_h))
    rect = next((r for r in rects if not any(_overlap(r, other) for other in taken)), rects[0])
    left, top = rect[:2]
    taken.append(rect)
    draw_plate(canvas, rect, tag_h // 2, PLATE_OPACITY * opacity)
    middle = top + tag_h / 2
    draw_dot(canvas, left + pad + dot, middle, dot, accent, opacity)
    draw_text(canvas, text, left + text_left, middle, size_px, INK, opacity)


def _overlap(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def draw_random_mark(canvas: RgbImage, *, height_share: float = 0.3) -> None:
    """Write RANDOM WEIGHTS across a picture: wide, thin, light with a dark edge, see-through.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        height_share: Share of its height that the letters take at most.
    """
    height, width = canvas.shape[:2]
    tint, rest = _random_mark(width, height, height_share)
    top, left = (height - tint.shape[0]) // 2, (width - tint.shape[1]) // 2
    # On a picture of a few pixels the letters are cut off; they are never left out.
    cut_y, cut_x = max(0, -top), max(0, -left)
    under = canvas[max(0, top) :, max(0, left) :][: tint.shape[0], : tint.shape[1]]
    seen = np.s_[cut_y : cut_y + under.shape[0], cut_x : cut_x + under.shape[1]]
    blend(under, tint[seen], rest[seen])


@lru_cache(maxsize=8)
def _random_mark(
    width: int, height: int, height_share: float
) -> tuple[RgbImage, npt.NDArray[np.uint8]]:
    """Return what the letters and their dark edge add, and keep, of a picture of that size."""
    text = ("\N{HAIR SPACE}" * 3).join("RANDOM WEIGHTS")
    size_px = min(0.76 * width / text_width(text, 100) * 100, height_share * height)
    size_px = max(4.0, round(size_px, 1))
    letters = text_mask(text, size_px, 0.06 if size_px > 24 else STROKE_EM)
    edge_px = max(1, round(0.03 * size_px))
    ink = np.pad(letters, 4 * edge_px)
    wide = cv2.dilate(ink, np.ones((2 * edge_px + 1, 2 * edge_px + 1), np.uint8))
    edge = cv2.convertScaleAbs(cv2.GaussianBlur(wide, (0, 0), edge_px), alpha=0.55)
    ink = cv2.convertScaleAbs(ink, alpha=0.85)
    tint, rest = tint_layers(edge, PLATE)
    ink_tint, ink_rest = tint_layers(ink, INK)
    blend(tint, ink_tint, ink_rest)
    return tint, cv2.multiply(rest, ink_rest, scale=1 / 255)
