"""Text on the picture: its sizes, and the mark of random weights."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from overlays.colours import INK, PLATE
from overlays.lettering import STROKE_EM, text_mask, text_width
from overlays.paint import blend, tint_layers
from stream.frames import RgbImage

__all__ = ["draw_random_mark", "edge_margin", "line_height", "text_size"]


def text_size(side_px: int) -> float:
    """Return the text size that suits a picture whose shorter side is ``side_px``, in pixels.

    Text of 11 pixels reads well, but hides too much of a picture of 240: there it has 8.
    """
    return float(max(8, round(min(max(11, 0.0235 * side_px), side_px / 30))))


def edge_margin(side_px: int) -> int:
    """Return how far text keeps from a picture's edges in pixels."""
    return max(2, round(0.018 * side_px))


def line_height(size_px: float) -> int:
    """Return the distance between baselines in pixels."""
    return round(1.5 * size_px)


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
