"""How big the canvas is and what goes where on it, one function per layout.

Canvas sides are even (H.264 wants that), and depend on nothing but the frame's size and the layout.
On the picture, the canvas is the frame, rounded up to even. Layouts with panels enlarge tiny frames
so that panels can be read, and shrink huge ones so that the canvas stays within 4096 pixels, which
hardware decoders still play.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from overlays.colours import ACCENTS, BACKDROP, INK, QUIET
from overlays.contour import draw_lines, draw_outline
from overlays.exhibits import Exhibit, HeadMap
from overlays.heatmap import FLOOR, draw_heat
from overlays.labels import draw_tag, text_size
from overlays.lettering import text_width
from overlays.paint import draw_dot, draw_plate, draw_text
from overlays.panes import Box, Pane, Rect, draw_picture
from overlays.skeleton import draw_skeleton
from overlays.style import Layout, Style
from stream.frames import RgbImage
from stream.geometry import Handedness

__all__ = [
    "Plan",
    "compose_heads",
    "compose_insets",
    "compose_overlay",
    "compose_side",
    "plan_canvas",
]

_MAX_SIDE_PX = 4096
_MIN_SIDE_PX = 360
_GAP_PX = 4


class Plan:
    """Sizes of a canvas: the whole, the picture, and the panel beside it.

    Args:
        layout: How the canvas is laid out.
        frame_wh: Width and height of the frame.
    """

    def __init__(self, layout: Layout, frame_wh: tuple[int, int]) -> None:
        width, height = frame_wh
        self.panel: Rect | None = None
        if layout in ("overlay", "insets"):
            self.picture: Rect = (0, 0, width, height)
            self.canvas_wh = (_even(width), _even(height))
            return
        # In frame pixels: how much wider the canvas is than the picture.
        panel_w = width if layout == "side" else height * 2 / 3
        scale = max(1.0, _MIN_SIDE_PX / min(width, height))
        scale = min(scale, (_MAX_SIDE_PX - _GAP_PX) / (width + panel_w), _MAX_SIDE_PX / height)
        picture_wh = (_even(max(2, int(width * scale))), _even(max(2, int(height * scale))))
        left = picture_wh[0] + _GAP_PX
        right = left + _even(max(2, int(panel_w * scale)))
        self.picture = (0, 0, *picture_wh)
        self.panel = (left, 0, right, picture_wh[1])
        self.canvas_wh = (right, picture_wh[1])


def plan_canvas(layout: Layout, frame_wh: tuple[int, int]) -> Plan:
    """Return the sizes for a layout and a frame."""
    return Plan(layout, frame_wh)


def compose_overlay(
    canvas: RgbImage, pane: Pane, exhibits: Sequence[Exhibit], style: Style
) -> None:
    """Draw maps, skeletons and tags onto the picture in ``pane``."""
    room = pane.cut(canvas)
    for exhibit in exhibits:
        _draw_map(room, pane, exhibit, exhibit.main, style, alpha=style.alpha)
    _draw_marks(room, pane, exhibits, style)


def compose_side(
    canvas: RgbImage,
    pane: Pane,
    beside: Pane,
    image: RgbImage,
    exhibits: Sequence[Exhibit],
    style: Style,
) -> None:
    """Draw the picture with skeletons, and the maps at the same places of a grey one beside it."""
    _draw_marks(pane.cut(canvas), pane, exhibits, style)
    draw_picture(canvas, beside, image)
    room = beside.cut(canvas)
    _subdue(room, 0.34)
    for exhibit in exhibits:
        _draw_map(room, beside, exhibit, exhibit.main, style, alpha=1.0, floor=0.75)
    _draw_marks(room, beside, exhibits, style, bare=True)


def compose_heads(
    canvas: RgbImage,
    panel: Rect,
    image: RgbImage,
    slots: Sequence[tuple[Handedness | None, Exhibit | None]],
    style: Style,
) -> None:
    """Draw every head's map on a close-up of its hand, as a grid per hand."""
    left, top, right, bottom = panel
    canvas[top:bottom, left - _GAP_PX : right] = BACKDROP
    size_px = text_size(min(right - left, bottom - top) * 3 // 2)
    slot_h = (bottom - top) / max(1, len(slots))
    for index, (handedness, exhibit) in enumerate(slots):
        rect = (left, round(top + index * slot_h), right, round(top + (index + 1) * slot_h))
        _draw_slot(canvas, rect, image, handedness, exhibit, style, size_px)


def compose_insets(
    canvas: RgbImage,
    pane: Pane,
    image: RgbImage,
    exhibits: Sequence[Exhibit],
    style: Style,
    top_px: int,
) -> None:
    """Draw close-ups of the hands with their maps into the picture's upper corners.

    The signer's right hand is on the viewer's left, as in life; mirrored, the other way round.
    """
    room = pane.cut(canvas)
    _draw_marks(room, pane, exhibits, style)
    height, width = room.shape[:2]
    margin = max(2, round(0.018 * min(width, height)))
    side = min(round(0.3 * min(width, height)), (height - top_px - 3 * margin) // 2)
    if side < 16:
        return
    size_px = max(9.0, 0.85 * text_size(min(width, height)))
    used = {"left": 0, "right": 0}
    for exhibit in exhibits:
        hand_first = exhibit.region.handedness == ("left" if style.mirror else "right")
        corner = "left" if hand_first else "right"
        tile_w, tile_h = _fit(exhibit.box, side, side)
        offset = margin + used[corner] * (tile_w + margin)
        used[corner] += 1
        x = offset if corner == "left" else width - offset - tile_w
        if x < 0 or x + tile_w > width:
            continue
        left, top = pane.rect[0] + x, pane.rect[1] + top_px
        for row, with_map in enumerate((False, True)):
            y = top + row * (tile_h + _GAP_PX)
            tile = Pane((left, y, left + tile_w, y + tile_h), exhibit.box, pane.mirrored)
            draw_picture(canvas, tile, image)
            inset = tile.cut(canvas)
            if with_map:
                _draw_close_map(inset, tile, exhibit, exhibit.main, style)
                text = exhibit.label
            else:
                text = exhibit.name
            _frame(inset)
            draw_tag(
                inset,
                text,
                (0, 0, *tile.size_wh),
                accent=exhibit.accent,
                size_px=size_px,
                opacity=exhibit.presence,
                taken=[],
                inside=True,
            )


def _draw_map(
    room: RgbImage,
    pane: Pane,
    exhibit: Exhibit,
    head: HeadMap | None,
    style: Style,
    *,
    alpha: float,
    floor: float = FLOOR,
    soft_edges: bool = True,
) -> None:
    if head is None or exhibit.opacity <= 0:
        return
    box = pane.place_box(exhibit.box)
    draw_heat(
        room,
        head.values,
        box,
        colormap=style.colormap,
        alpha=alpha * exhibit.opacity,
        floor=floor,
        soft_edges=soft_edges and not exhibit.region.is_whole_frame,
        mirrored=pane.mirrored,
    )
    if head.outline is not None:
        draw_outline(
            room,
            head.outline,
            box,
            opacity=exhibit.opacity,
            width_px=_line_px(room),
            mirrored=pane.mirrored,
        )


def _draw_close_map(
    tile: RgbImage, pane: Pane, exhibit: Exhibit, head: HeadMap | None, style: Style
) -> None:
    """Draw a map on a close-up turned grey, so that all colours are the map's."""
    _subdue(tile, 0.62)
    _draw_map(tile, pane, exhibit, head, style, alpha=0.86, floor=0.3, soft_edges=False)


def _draw_marks(
    room: RgbImage, pane: Pane, exhibits: Sequence[Exhibit], style: Style, *, bare: bool = False
) -> None:
    """Draw boxes, skeletons and tags; bare: boxes only."""
    size_px = text_size(min(room.shape[:2]))
    taken: list[Rect] = []
    for exhibit in exhibits:
        box = pane.place_box(exhibit.box)
        if not exhibit.region.is_whole_frame:
            _draw_box(room, box, exhibit)
        if style.skeleton and exhibit.region.landmarks is not None and not bare:
            draw_skeleton(
                room,
                pane.place(exhibit.region.landmarks),
                accent=exhibit.accent,
                width_px=_line_px(room),
                opacity=exhibit.presence,
            )
    for exhibit in exhibits:
        if not bare:
            draw_tag(
                room,
                exhibit.label,
                pane.place_box(exhibit.box),
                accent=exhibit.accent,
                size_px=size_px,
                opacity=max(exhibit.presence, 0.35),
                taken=taken,
                inside=exhibit.region.is_whole_frame,
            )


def _draw_box(room: RgbImage, box: Box, exhibit: Exhibit) -> None:
    """Draw corners around a crop that has a map, a dashed box around one that waits for its own."""
    left, top, right, bottom = box
    width_px = max(1.0, _line_px(room) * 0.75)
    if exhibit.opacity > 0 and exhibit.main is not None:
        arm = 0.06 * (right - left)
        for x, y, dx, dy in (
            (left, top, arm, arm),
            (right, top, -arm, arm),
            (left, bottom, arm, -arm),
            (right, bottom, -arm, -arm),
        ):
            corner = np.array([(x + dx, y), (x, y), (x, y + dy)])
            draw_lines(
                room, [corner], closed=False, width_px=width_px, opacity=0.8 * exhibit.presence
            )
        return
    dash = max(3.0, 0.035 * (right - left))
    for start, stop in (
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
    ):
        length = math.dist(start, stop)
        places = np.linspace(0, 1, 2 * max(1, round(length / dash / 2)) + 2)
        at = np.asarray(start, np.float64) + places[:, None] * np.subtract(stop, start)
        dashes = [at[i : i + 2] for i in range(0, len(at) - 1, 2)]
        draw_lines(room, dashes, closed=False, width_px=width_px, opacity=0.7 * exhibit.presence)


def _draw_slot(
    canvas: RgbImage,
    rect: Rect,
    image: RgbImage,
    handedness: Handedness | None,
    exhibit: Exhibit | None,
    style: Style,
    size_px: float,
) -> None:
    """Draw one hand's title and its grid of heads."""
    left, top, right, bottom = rect
    pad = max(2, round(0.6 * size_px))
    title_h = round(1.9 * size_px)
    middle = top + pad / 2 + title_h / 2
    dot = 0.24 * size_px
    draw_dot(canvas, left + pad + dot, middle, dot, ACCENTS[handedness], 1.0 if exhibit else 0.4)
    text = (
        exhibit.label if exhibit else f"{handedness or 'whole picture'} \N{MIDDLE DOT} not in view"
    )
    draw_text(
        canvas[:, :right],
        text,
        left + pad + round(3.6 * dot),
        middle,
        size_px,
        INK if exhibit else QUIET,
    )
    if exhibit is None or not exhibit.heads:
        return
    room_w, room_h = right - left - 2 * pad, bottom - top - title_h - pad - pad // 2
    count = len(exhibit.heads)
    gap = max(2, pad // 2)
    columns, tile_w, tile_h = _best_grid(count, room_w, room_h, gap, exhibit.box)
    if tile_w < 4 or tile_h < 4:
        return
    rows = -(-count // columns)
    x0 = left + pad + (room_w - columns * tile_w - (columns - 1) * gap) // 2
    y0 = top + title_h + pad // 2
    close_up = np.empty((tile_h, tile_w, 3), np.uint8)
    pane = Pane((0, 0, tile_w, tile_h), exhibit.box, style.mirror)
    draw_picture(close_up, pane, image)
    _subdue(close_up, 0.62)
    del rows
    for number, head in enumerate(exhibit.heads):
        x = x0 + number % columns * (tile_w + gap)
        y = y0 + number // columns * (tile_h + gap)
        tile = canvas[y : y + tile_h, x : x + tile_w]
        tile[:] = close_up
        _draw_map(tile, pane, exhibit, head, style, alpha=0.86, floor=0.3, soft_edges=False)
        _frame(tile, bright=number == style.head)
        _draw_number(tile, str(number), size_px)


def _draw_number(tile: RgbImage, number: str, size_px: float) -> None:
    height, width = tile.shape[:2]
    plate_h = round(1.5 * size_px)
    plate_w = max(plate_h, text_width(number, size_px) + round(0.8 * size_px))
    if plate_h > height // 2 or plate_w > width // 2:
        return
    inset = round(0.3 * size_px)
    draw_plate(tile, (inset, inset, inset + plate_w, inset + plate_h), plate_h // 2, 0.6)
    text_left = inset + round((plate_w - text_width(number, size_px)) / 2)
    draw_text(tile, number, text_left, inset + plate_h / 2, size_px)


def _best_grid(count: int, room_w: int, room_h: int, gap: int, box: Box) -> tuple[int, int, int]:
    """Return columns, tile width and height of the grid with the largest tiles."""
    best = (1, 0, 0)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        tile_w, tile_h = _fit(
            box, (room_w - (columns - 1) * gap) // columns, (room_h - (rows - 1) * gap) // rows
        )
        if tile_w > best[1]:
            best = (columns, tile_w, tile_h)
    return best


def _fit(box: Box, room_w: int, room_h: int) -> tuple[int, int]:
    """Return the largest whole size of a box's proportions that fits."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = min(room_w / width, room_h / height)
    return max(0, round(width * scale)), max(0, round(height * scale))


def _subdue(room: RgbImage, brightness: float) -> None:
    """Turn a picture into a darker grey one, in place."""
    grey = cv2.cvtColor(room, cv2.COLOR_RGB2GRAY)
    room[:] = cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=brightness), cv2.COLOR_GRAY2RGB)


def _frame(tile: RgbImage, *, bright: bool = False) -> None:
    """Draw a fine line just inside a tile's edge."""
    width = 2 if bright else 1
    colour = INK if bright else (70, 70, 72)
    height, tile_w = tile.shape[:2]
    cv2.rectangle(tile, (0, 0), (tile_w - 1, height - 1), colour, 2 * width - 1)


def _line_px(room: RgbImage) -> float:
    return max(1.0, min(room.shape[:2]) / 400)


def _even(number: int) -> int:
    return number + number % 2
