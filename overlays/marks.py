"""A hand on a picture: its map, the corners of its crop, and its skeleton."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from overlays.contour import draw_outline
from overlays.exhibits import Exhibit, HeadMap
from overlays.heatmap import FLOOR, draw_heat
from overlays.paint import draw_lines
from overlays.panes import Box, Pane
from overlays.skeleton import draw_skeleton
from overlays.style import Style
from stream.frames import RgbImage

__all__ = [
    "corner_boxes",
    "draw_close_map",
    "draw_corners",
    "draw_map",
    "draw_marks",
    "draw_on_picture",
    "subdue",
]

_ARM = 0.06
"""Length of a corner's arms, as a share of the crop's width."""


def draw_map(
    canvas: RgbImage,
    pane: Pane,
    exhibit: Exhibit,
    head: HeadMap | None,
    style: Style,
    *,
    alpha: float,
    floor: float = FLOOR,
    soft_edges: bool = True,
) -> None:
    """Lay one map of an exhibit on the pixels of a pane, with its outline if there is one."""
    if head is None or exhibit.opacity <= 0:
        return
    box = pane.place_box(exhibit.box)
    draw_heat(
        canvas,
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
            canvas,
            head.outline,
            box,
            opacity=exhibit.opacity,
            width_px=_line_px(canvas),
            colour=exhibit.accent,
            mirrored=pane.mirrored,
        )


def draw_close_map(
    canvas: RgbImage, pane: Pane, exhibit: Exhibit, head: HeadMap | None, style: Style
) -> None:
    """Lay a map on a close-up that was subdued before, so that all colours are the map's."""
    soft_edges = pane.source != exhibit.box  # the map ends within the close-up
    draw_map(canvas, pane, exhibit, head, style, alpha=0.86, floor=0.3, soft_edges=soft_edges)


def subdue(canvas: RgbImage, brightness: float) -> None:
    """Turn a picture into a darker grey one, in place."""
    grey = cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)
    canvas[:] = cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=brightness), cv2.COLOR_GRAY2RGB)


def draw_corners(canvas: RgbImage, pane: Pane, exhibits: Sequence[Exhibit]) -> None:
    """Mark where the crops are: corners where there is a map, a dashed box where one is awaited."""
    for exhibit in exhibits:
        if exhibit.region.is_whole_frame:
            continue
        box = pane.place_box(exhibit.box)
        width_px = max(1.0, 0.75 * _line_px(canvas))
        if exhibit.opacity > 0 and exhibit.main is not None:
            _draw_corners(canvas, box, width_px, 0.8 * exhibit.presence)
        else:
            _draw_dashes(canvas, box, width_px, 0.7 * exhibit.presence)


def corner_boxes(box: Box) -> list[Box]:
    """Return where ``draw_corners`` marks a crop: a small box at each of its corners."""
    left, top, right, bottom = box
    arm = _ARM * (right - left)
    return [(x, y, x + arm, y + arm) for x in (left, right - arm) for y in (top, bottom - arm)]


def draw_marks(canvas: RgbImage, pane: Pane, exhibits: Sequence[Exhibit], style: Style) -> None:
    """Draw corners, and skeletons if they are wanted."""
    draw_corners(canvas, pane, exhibits)
    if not style.skeleton:
        return
    for exhibit in exhibits:
        if exhibit.region.landmarks is not None:
            draw_skeleton(
                canvas,
                pane.place(exhibit.region.landmarks),
                accent=exhibit.accent,
                width_px=0.85 * _line_px(canvas),
                opacity=0.85 * exhibit.presence,
            )


def draw_on_picture(
    canvas: RgbImage, pane: Pane, exhibits: Sequence[Exhibit], style: Style
) -> None:
    """Draw maps, corners and skeletons."""
    for exhibit in exhibits:
        draw_map(canvas, pane, exhibit, exhibit.main, style, alpha=style.alpha)
    draw_marks(canvas, pane, exhibits, style)


def _draw_corners(canvas: RgbImage, box: Box, width_px: float, opacity: float) -> None:
    left, top, right, bottom = box
    arm = _ARM * (right - left)
    for x, y, dx, dy in (
        (left, top, arm, arm),
        (right, top, -arm, arm),
        (left, bottom, arm, -arm),
        (right, bottom, -arm, -arm),
    ):
        corner = np.array([(x + dx, y), (x, y), (x, y + dy)])
        draw_lines(canvas, [corner], closed=False, width_px=width_px, opacity=opacity)


def _draw_dashes(canvas: RgbImage, box: Box, width_px: float, opacity: float) -> None:
    left, top, right, bottom = box
    dash = max(3.0, 0.035 * (right - left))
    for start, stop in (
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
    ):
        num_gaps = max(1, round(math.dist(start, stop) / dash / 2))
        places = np.linspace(0, 1, 2 * num_gaps + 2)
        ends = np.asarray(start, np.float64) + places[:, None] * np.subtract(stop, start)
        dashes = [ends[i : i + 2] for i in range(0, len(ends), 2)]
        draw_lines(canvas, dashes, closed=False, width_px=width_px, opacity=opacity)


def _line_px(canvas: RgbImage) -> float:
    return max(1.0, min(canvas.shape[:2]) / 400)
