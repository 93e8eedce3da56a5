"""The caption: which model, layer and head, and what the colours stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overlays.colours import INK, QUIET, colour_table
from overlays.exhibits import Exhibit
from overlays.labels import line_height
from overlays.lettering import text_width
from overlays.normalize import ABSOLUTE_TOP, ValueRange
from overlays.paint import draw_plate, draw_text
from overlays.panes import Rect
from overlays.style import Style
from stream.frames import RgbImage
from stream.scene import AttentionMaps

__all__ = ["Caption", "caption_of", "caption_places", "draw_caption"]

_DOT = " \N{MIDDLE DOT} "
_TIMES = "\N{MULTIPLICATION SIGN}"
_TICK = f", tick at 1{_TIMES}"
_MAX_SHARE = 0.2
"""Of a picture that the caption takes: of a tiny one it would hide the hands."""
_RANGE_WORDS = {"frame": "frame range", "stable": "stable range"}


@dataclass(frozen=True, slots=True)
class Caption:
    """Text beside the colour bar."""

    title: str
    """Model, layer, head."""
    low: str
    """What the bar's left end stands for."""
    high: str
    """What its right end stands for."""
    note: str
    """What is shown, and by which normalization."""
    uniform_at: float | None = None
    """Where on the bar 1.0 (uniform) lies, 0..1; None where it has no one place."""


def caption_of(
    maps: AttentionMaps, exhibits: Sequence[Exhibit], style: Style, *, with_heads: bool
) -> Caption:
    """Return the caption of what is shown.

    Args:
        maps: The newest maps there were, which tell the model; perhaps of a hand that is gone.
        exhibits: What is on show now.
        style: Head and normalization.
        with_heads: All heads are on show.
    """
    part = "head" if maps.kind == "attention" else "component"
    title = [maps.model, f"layer {maps.layer}", _head_text(maps, style, part)]
    if maps.is_random:
        title.append("random weights")
    unit = "uniform" if maps.kind == "attention" else "mean"
    bounds = [e.main.bounds for e in exhibits if e.main is not None]
    outline = f"{_DOT}outline {style.threshold:.0%}" if style.threshold is not None else ""
    if style.normalize == "absolute":
        return Caption(
            title=_DOT.join(title),
            low="0",
            high=f"{ABSOLUTE_TOP:g}{_TIMES} {unit}",
            note=f"{maps.kind}{_DOT}absolute scale{_TICK}{outline}",
            uniform_at=1 / ABSOLUTE_TOP,
        )
    note = f"{maps.kind}{_DOT}{_RANGE_WORDS[style.normalize]}"
    if with_heads or len(bounds) != 1:
        if with_heads or len(bounds) > 1:
            note += f" of each {part if with_heads else 'hand'}"
        return Caption(_DOT.join(title), "low", "high", note + outline)
    low, high = bounds[0].low, bounds[0].high
    digits = 1 if high - low >= 1 else 2
    place = _uniform_place(bounds[0])
    return Caption(
        title=_DOT.join(title),
        low=f"{low:.{digits}f}",
        high=f"{high:.{digits}f}{_TIMES} {unit}",
        note=note + ("" if place is None else _TICK) + outline,
        uniform_at=place,
    )


def caption_places(
    caption: Caption, room_wh: tuple[int, int], size_px: float, margin_px: int
) -> list[Rect]:
    """Return where the caption may go, corners from the bottom right on; none without room.

    The corner at the top left is that of the read-outs.
    """
    pad, small, gap = _measures(size_px)
    ends_px = text_width(caption.low, small) + text_width(caption.high, small)
    inner = max(
        text_width(caption.title, size_px),
        text_width(caption.note, small),
        ends_px + 2 * gap + round(7 * size_px),
    )
    width, height = inner + 2 * pad, 3 * line_height(size_px) + pad
    left, top = room_wh[0] - margin_px - width, room_wh[1] - margin_px - height
    is_large = width * height > _MAX_SHARE * room_wh[0] * room_wh[1]
    if is_large or left < margin_px or top < room_wh[1] // 3:
        return []
    starts = [(left, top), (margin_px, top), (left, margin_px)]
    return [(x, y, x + width, y + height) for x, y in starts]


def draw_caption(
    canvas: RgbImage, caption: Caption, rect: Rect, colormap: str, size_px: float
) -> None:
    """Draw the caption and its colour bar where ``caption_places`` put it, in place."""
    pad, small, gap = _measures(size_px)
    draw_plate(canvas, rect, pad)
    left, right = rect[0] + pad, rect[2] - pad
    line = line_height(size_px)
    middle = rect[1] + (pad + line) / 2
    draw_text(canvas, caption.title, left, middle, size_px, INK)
    middle += line
    low_px = draw_text(canvas, caption.low, left, middle, small, QUIET)
    high_px = text_width(caption.high, small)
    draw_text(canvas, caption.high, right - high_px, middle, small, QUIET)
    span = (left + low_px + gap, right - high_px - gap)
    _draw_bar(canvas, span, middle, round(0.5 * size_px), colormap, caption.uniform_at)
    draw_text(canvas, caption.note, left, middle + line, small, QUIET)


def _measures(size_px: float) -> tuple[int, int, int]:
    """Return padding, size of the small text, and the gap beside the bar."""
    return round(0.75 * size_px), round(0.86 * size_px), round(0.5 * size_px)


def _draw_bar(
    canvas: RgbImage,
    span: tuple[int, int],
    middle: float,
    bar_h: int,
    colormap: str,
    uniform_at: float | None,
) -> None:
    left, right = span
    top = round(middle - bar_h / 2)
    steps = np.linspace(0, 255, right - left).round().astype(np.intp)
    canvas[top : top + bar_h, left:right] = colour_table(colormap)[steps]
    if uniform_at is not None:
        tick = left + round(uniform_at * (right - left - 1))
        over = max(2, bar_h // 3)
        wide = max(1, bar_h // 8)
        canvas[top - over : top + bar_h + over, tick : tick + wide] = INK


def _head_text(maps: AttentionMaps, style: Style, part: str) -> str:
    if isinstance(style.head, int):
        if style.head < maps.num_heads:
            return f"{part} {style.head}"
        return f"no {part} {style.head} (0\N{EN DASH}{maps.num_heads - 1})"
    if maps.kind == "activation":
        return "channel norm"
    return f"mean of {maps.num_heads} heads" if maps.num_heads > 1 else "1 head"


def _uniform_place(bounds: ValueRange) -> float | None:
    place = (1 - bounds.low) / max(bounds.high - bounds.low, 1e-6)
    return place if 0 < place < 1 else None
