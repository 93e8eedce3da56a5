"""What is said over the picture: what the keys do, short notices, and that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from overlays.colours import INK, PLATE, QUIET
from overlays.controls import KEYS
from overlays.labels import edge_margin, text_size
from overlays.lettering import text_width
from overlays.paint import draw_plate, draw_text
from overlays.panes import Box, Rect
from overlays.places import SteadyChoice, covered_share
from stream.frames import RgbImage
from stream.keys import Key

__all__ = ["HelpCard", "draw_loss", "draw_notice"]


_Columns = tuple[tuple[Key[Any], ...], ...]
_ONE_COLUMN: _Columns = (tuple(key for column in KEYS for key in column),)
_PLACES: tuple[tuple[_Columns, float], ...] = (
    (KEYS, 1.0),
    (KEYS, 0.0),
    (_ONE_COLUMN, 1.0),
    (_ONE_COLUMN, 0.0),
    (KEYS, 0.5),
)
"""Columns of the card, and how much of the room beside it is to its left; the best one first."""
_LEAST_TEXT_PX = 7.5
"""Of the card in one column: smaller letters can't be read."""
_SHARE = 0.94
"""Of the canvas that the card takes at most along each side."""


class HelpCard:
    """The keys and what they do, on a card beside hands and faces.

    Where it stands it stays as long as it hides nothing there and the canvas keeps its size.
    """

    def __init__(self) -> None:
        self._places = SteadyChoice()

    def draw(self, canvas: RgbImage, shown: Sequence[Box], notice: str = "") -> bool:
        """Draw the card, as large as fits, in place; return whether the notice can be read on it.

        Args:
            canvas: uint8 (H, W, 3) RGB, written.
            shown: What it should not hide, pixels of the canvas.
            notice: Line to stand at its head.
        """
        rects, sizes_px, costs = [], [], []
        for columns, to_the_left in _PLACES:
            size_px, rect = _place(canvas, columns, to_the_left)
            is_small = columns is _ONE_COLUMN and size_px < _LEAST_TEXT_PX
            rects.append(rect)
            sizes_px.append(size_px)
            costs.append(inf if is_small else sum(covered_share(box, [rect]) for box in shown))
        place = self._places.choose(canvas.shape, costs)
        if min(rects[place]) < 0:
            return False
        return _draw_card(canvas, _PLACES[place][0], rects[place], sizes_px[place], notice)


def _place(canvas: RgbImage, columns: _Columns, to_the_left: float) -> tuple[float, Rect]:
    """Return the size of the card's text and where the card goes."""
    height, width = canvas.shape[:2]
    size_px = text_size(min(height, width)) * 1.15
    card_w, card_h = _card_size(columns, size_px)
    shrink = min(1.0, _SHARE * width / card_w, _SHARE * height / card_h)
    size_px = max(4.0, round(size_px * shrink - 0.05, 1))
    card_w, card_h = _card_size(columns, size_px)
    edge = edge_margin(min(height, width))
    left = edge + round(to_the_left * (width - 2 * edge - card_w))
    top = (height - card_h) // 2
    return size_px, (left, top, left + card_w, top + card_h)


def _draw_card(
    canvas: RgbImage, columns: _Columns, rect: Rect, size_px: float, notice: str
) -> bool:
    left, top, right, _ = rect
    pad, row_h, key_w, _ = _measures(size_px)
    draw_plate(canvas, rect, pad, 1.0)
    title_y, title_px = top + pad + row_h / 2, 1.25 * size_px
    shrink = min(1.0, (right - left - 2 * pad) / max(1, text_width(notice, title_px)))
    fits = shrink * title_px >= min(_LEAST_TEXT_PX, title_px)
    title, title_px = (notice, shrink * title_px) if notice and fits else ("Keys", title_px)
    draw_text(canvas, title, left + pad, title_y, title_px, INK)
    x = left + pad
    for column in columns:
        middle = title_y + 1.35 * row_h
        for key in column:
            _draw_caps(canvas, key.shown, x, middle, size_px)
            draw_text(canvas, key.on_card or key.words, x + key_w, middle, size_px, INK)
            middle += row_h
        x += _column_width(column, size_px) + 2 * pad
    return fits


def draw_notice(canvas: RgbImage, text: str) -> None:
    """Write one line on a plate, in place: "saved ...", say; low, where the card has ended.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        text: The line; made smaller where it would not fit.
    """
    _draw_line(canvas, text, 1.1, middle=0.86)


def draw_loss(canvas: RgbImage, lost_s: float) -> None:
    """Dim a picture that is no more what the camera sees, in place, and say since when.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        lost_s: Seconds since the last picture came.
    """
    canvas //= 3
    minutes, seconds = divmod(int(lost_s), 60)
    _draw_line(canvas, f"signal lost {minutes}:{seconds:02d}", 1.6, middle=0.5)


def _draw_line(canvas: RgbImage, text: str, scale: float, *, middle: float) -> None:
    """Write a line on a plate, so many times as large as other text, centred at a share of height.

    It is made smaller where it would not fit.
    """
    height, width = canvas.shape[:2]
    size_px = text_size(min(height, width)) * scale
    widest = 0.9 * width - 2 * size_px
    size_px = max(4.0, round(size_px * min(1.0, widest / text_width(text, size_px)), 1))
    plate_w = text_width(text, size_px) + round(2 * size_px)
    plate_h = round(2.2 * size_px)
    left, top = (width - plate_w) // 2, round(middle * height) - plate_h // 2
    draw_plate(canvas, (left, top, left + plate_w, top + plate_h), plate_h // 2, 0.8)
    draw_text(canvas, text, left + round(size_px), top + plate_h / 2, size_px, INK)


def _measures(size_px: float) -> tuple[int, int, int, int]:
    """Return padding, height of a row, width of the keys' column, and space between caps."""
    return round(1.4 * size_px), round(1.95 * size_px), round(5.2 * size_px), round(0.35 * size_px)


def _column_width(column: Sequence[Key[Any]], size_px: float) -> int:
    return _measures(size_px)[2] + max(
        text_width(key.on_card or key.words, size_px) for key in column
    )


def _card_size(columns: _Columns, size_px: float) -> tuple[int, int]:
    pad, row_h, _, _ = _measures(size_px)
    width = sum(_column_width(column, size_px) for column in columns) + 2 * pad * len(columns)
    rows = max(len(column) for column in columns)
    return width, round((rows + 1.35) * row_h) + 2 * pad


def _draw_caps(
    canvas: RgbImage, caps: tuple[str, ...], left: int, middle: float, size_px: float
) -> None:
    cap_h = round(1.55 * size_px)
    for cap in caps:
        if cap == "\N{EN DASH}":
            left += draw_text(canvas, cap, left, middle, size_px, QUIET) + _measures(size_px)[3]
            continue
        cap_w = max(cap_h, text_width(cap, size_px) + round(0.8 * size_px))
        top = round(middle - cap_h / 2)
        radius = round(0.3 * size_px)
        draw_plate(canvas, (left, top, left + cap_w, top + cap_h), radius, 0.92, grey=225)
        text_left = left + round((cap_w - text_width(cap, size_px)) / 2)
        draw_text(canvas, cap, text_left, middle, size_px, PLATE)
        left += cap_w + _measures(size_px)[3]
