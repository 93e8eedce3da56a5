"""Text on the picture: tags of hands, plates of several lines, the mark of random weights."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from overlays.colours import INK, PLATE, Rgb
from overlays.lettering import text_mask, text_width
from overlays.paint import draw_dot, draw_plate, draw_text, paint
from overlays.panes import Box, Rect
from stream.frames import RgbImage

__all__ = ["draw_random_mark", "draw_tag", "line_height", "text_size"]

_SMALLEST_SIDE_PX = 72
"""Below this side there is no room for a tag."""


def text_size(side_px: int) -> float:
    """Return the text size that suits a picture whose shorter side is ``side_px``, in pixels."""
    return float(max(11, round(0.0235 * side_px)))


def line_height(size_px: float) -> int:
    """Return the distance between baselines in pixels."""
    return round(1.5 * size_px)


def draw_tag(
    room: RgbImage,
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
        room: uint8 (H, W, 3) RGB, written.
        text: One line.
        box: What is labelled, pixels of ``room``; may leave it.
        accent: Colour of the dot before the text.
        size_px: Text size.
        opacity: 0 to 1.
        taken: Places of earlier tags; this tag avoids them and adds its own.
        inside: Place it in the box's top-left corner rather than above it.
    """
    height, width = room.shape[:2]
    if min(height, width) < _SMALLEST_SIDE_PX or opacity <= 0:
        return
    tag_h = round(1.75 * size_px)
    dot = 0.24 * size_px
    pad = round(0.6 * size_px)
    text_left = pad + round(2 * dot + 0.4 * size_px)
    tag_w = text_left + text_width(text, size_px) + pad
    gap = round(0.4 * size_px)
    right_most, lowest = max(gap, width - tag_w - gap), max(gap, height - tag_h - gap)
    x0, y0, x1, y1 = (round(edge) for edge in box)
    above, below = y0 - tag_h - gap, y1 + gap
    places = [(x0, above), (x1 - tag_w, above), (x0, below), (x1 - tag_w, below), (x0, y0 + gap)]
    if inside:
        places = [(x0 + gap, y0 + gap), (x0 + gap, y1 - tag_h - gap), (x1 - tag_w, y0 + gap)]
    rects = []
    for left, top in places:
        left, top = min(max(left, gap), right_most), min(max(top, gap), lowest)
        rects.append((left, top, left + tag_w, top + tag_h))
    rect = next((r for r in rects if not any(_overlap(r, other) for other in taken)), rects[0])
    left, top = rect[:2]
    taken.append(rect)
    draw_plate(room, rect, tag_h // 2, 0.66 * opacity)
    middle = top + tag_h / 2
    draw_dot(room, left + pad + dot, middle, dot, accent, opacity)
    draw_text(room, text, left + text_left, middle, size_px, INK, opacity)


def _overlap(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def draw_random_mark(room: RgbImage) -> None:
    """Write RANDOM WEIGHTS across a picture: large, light with a dark edge, see-through."""
    height, width = room.shape[:2]
    ink, edge = _random_mark(width, height)
    left, top = (width - ink.shape[1]) // 2, (height - ink.shape[0]) // 2
    paint(room, edge, left, top, PLATE, 0.5)
    paint(room, ink, left, top, INK, 0.62)


@lru_cache(maxsize=8)
def _random_mark(width: int, height: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the coverage of the letters and of the dark glow around them, uint8 (h, w)."""
    text = "\N{HAIR SPACE}".join("RANDOM WEIGHTS")
    size_px = max(4.0, min(0.8 * width / text_width(text, 100) * 100, 0.3 * height))
    letters = text_mask(text, round(size_px, 1))
    glow_px = max(1, round(0.06 * size_px))
    ink = np.pad(letters, 3 * glow_px)
    edge = cv2.GaussianBlur(cv2.dilate(ink, np.ones((glow_px, glow_px), np.uint8)), (0, 0), glow_px)
    return ink, np.clip(edge.astype(np.int32) * 3 // 2, 0, 255).astype(np.uint8)
