"""All heads of a hand side by side, to see how they differ."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from overlays.colours import ACCENTS, INK, QUIET
from overlays.exhibits import Exhibit
from overlays.lettering import text_width
from overlays.marks import draw_close_map, subdue
from overlays.paint import draw_dot, draw_plate, draw_text
from overlays.panes import Box, Pane, Rect, box_within, draw_picture
from overlays.style import Style
from stream.frames import RgbImage
from stream.geometry import Handedness

__all__ = ["CLOSE_UP_BRIGHTNESS", "Slot", "draw_head_grids", "draw_rim", "fit_box"]

Slot = tuple[Handedness | None, Exhibit | None]
"""Whose place in the panel it is, and what there is to show of it now."""
CLOSE_UP_BRIGHTNESS = 0.62
"""Of the grey picture under a map in a close-up."""


def draw_head_grids(
    canvas: RgbImage,
    panel: Rect,
    image: RgbImage,
    slots: Sequence[Slot],
    style: Style,
    size_px: float,
) -> None:
    """Draw a titled grid of close-ups per hand, one tile per head, below each other.

    Args:
        canvas: uint8 (H, W, 3) RGB, written inside ``panel`` only.
        panel: Where the grids go.
        image: The frame's picture.
        slots: Hands in the order in which they are shown.
        style: Colours, outline, mirror; the tile of the chosen head has a bright rim.
        size_px: Text size.
    """
    left, top, right, bottom = panel
    if not slots:
        pad = round(0.6 * size_px)
        middle = top + 1.1 * size_px + 0.3 * pad
        draw_text(canvas[:, :right], "no hand in view", left + pad, middle, size_px, QUIET)
    slot_h = (bottom - top) / max(1, len(slots))
    for index, (handedness, exhibit) in enumerate(slots):
        rect = (left, round(top + index * slot_h), right, round(top + (index + 1) * slot_h))
        grid_rect = _draw_title(canvas, rect, handedness, exhibit, size_px)
        if exhibit is not None and exhibit.heads:
            _draw_grid(canvas, grid_rect, image, exhibit, style, size_px)


def fit_box(box: Box, room_w: int, room_h: int) -> tuple[int, int]:
    """Return the largest whole width and height of a box's proportions that fit."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = max(0.0, min(room_w / width, room_h / height))
    return round(width * scale), round(height * scale)


def draw_rim(tile: RgbImage, *, is_bright: bool = False) -> None:
    """Draw a fine line just inside a tile's edge; a bright one where the tile was chosen."""
    height, width = tile.shape[:2]
    colour, thickness = (INK, 3) if is_bright else ((70, 70, 72), 1)
    cv2.rectangle(tile, (0, 0), (width - 1, height - 1), colour, thickness)


def _draw_title(
    canvas: RgbImage,
    rect: Rect,
    handedness: Handedness | None,
    exhibit: Exhibit | None,
    size_px: float,
) -> Rect:
    """Write whose grid it is; return what is left for the grid."""
    left, top, right, bottom = rect
    pad, title_h, dot = round(0.6 * size_px), round(2.2 * size_px), 0.24 * size_px
    middle = top + title_h / 2 + 0.3 * pad
    text = (
        exhibit.label if exhibit else f"{handedness or 'whole picture'} \N{MIDDLE DOT} not in view"
    )
    draw_dot(canvas, left + pad + dot, middle, dot, ACCENTS[handedness], 1.0 if exhibit else 0.4)
    text_left = left + pad + round(3.6 * dot)
    draw_text(canvas[:, :right], text, text_left, middle, size_px, INK if exhibit else QUIET)
    return left + pad, top + title_h, right - pad, bottom - pad


def _draw_grid(
    canvas: RgbImage, rect: Rect, image: RgbImage, exhibit: Exhibit, style: Style, size_px: float
) -> None:
    left, top, right, bottom = rect
    gap = max(2, round(0.3 * size_px))
    close_up_box = box_within(exhibit.box, (image.shape[1], image.shape[0]))
    columns, tile_w, tile_h = _best_grid(
        len(exhibit.heads), right - left, bottom - top, gap, close_up_box
    )
    if tile_w < 4 or tile_h < 4:
        return
    close_up = np.empty((tile_h, tile_w, 3), np.uint8)
    pane = Pane((0, 0, tile_w, tile_h), close_up_box, style.mirror)
    draw_picture(close_up, pane, image)
    subdue(close_up, CLOSE_UP_BRIGHTNESS)
    first_x = left + (right - left - columns * tile_w - (columns - 1) * gap) // 2
    for number, head in enumerate(exhibit.heads):
        x = first_x + number % columns * (tile_w + gap)
        y = top + number // columns * (tile_h + gap)
        tile = canvas[y : y + tile_h, x : x + tile_w]
        tile[:] = close_up
        draw_close_map(tile, pane, exhibit, head, style)
        draw_rim(tile, is_bright=number == style.head)
        _draw_number(tile, str(number), size_px)


def _draw_number(tile: RgbImage, number: str, size_px: float) -> None:
    height, width = tile.shape[:2]
    plate_h = round(1.5 * size_px)
    plate_w = max(plate_h, text_width(number, size_px) + round(0.8 * size_px))
    if plate_h > height // 2 or plate_w > width // 2:
        return
    inset = round(0.35 * size_px)
    draw_plate(tile, (inset, inset, inset + plate_w, inset + plate_h), plate_h // 2)
    text_left = inset + round((plate_w - text_width(number, size_px)) / 2)
    draw_text(tile, number, text_left, inset + plate_h / 2, size_px)


def _best_grid(count: int, room_w: int, room_h: int, gap: int, box: Box) -> tuple[int, int, int]:
    """Return columns, tile width and tile height of the grid with the largest tiles."""
    best = (1, 0, 0)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        tile_w, tile_h = fit_box(
            box, (room_w - (columns - 1) * gap) // columns, (room_h - (rows - 1) * gap) // rows
        )
        if tile_w > best[1]:
            best = (columns, tile_w, tile_h)
    return best
