"""Close-ups of the hands in the corners of the picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from overlays.exhibits import Exhibit
from overlays.head_grid import CLOSE_UP_BRIGHTNESS, draw_rim, fit_box
from overlays.labels import edge_margin, text_size
from overlays.layouts.layout import Layout, Stage
from overlays.marks import draw_close_map, draw_marks, subdue
from overlays.panes import Box, Pane, Rect, box_within, draw_picture
from overlays.places import SteadyChoice, covered_share, shown_boxes
from overlays.style import Style
from overlays.tags import Tag
from stream.frames import RgbImage

__all__ = ["Insets"]

_GAP_PX = 4
_MIN_INSET_PX = 16
_INSET_SHARE = 0.3


class Insets(Layout):
    """Close-ups of the hands, each above its map, in the corners of the picture.

    The signer's right hand is on the viewer's left, as in life; mirrored, the other way round. A
    close-up that would cover a hand or a face moves from the upper corner to the lower one or back.
    """

    names_only = True

    def __init__(self) -> None:
        self._heights = SteadyChoice()

    def draw(self, stage: Stage) -> list[Rect]:
        """See ``Layout``."""
        pane, exhibits, style, span = stage.pane, stage.exhibits, stage.style, stage.span
        part = pane.cut(stage.canvas)
        draw_marks(part, pane, exhibits, style)
        height, width = part.shape[:2]
        margin = edge_margin(min(width, height))
        side = min(round(_INSET_SHARE * min(width, height)), (span[1] - span[0] - _GAP_PX) // 2)
        shown = shown_boxes(pane, exhibits)
        taken: list[Rect] = []
        used_px = {True: margin, False: margin}
        image = stage.frame.image
        for exhibit in exhibits:
            if exhibit.presence <= 0:
                continue
            close_up_box = box_within(exhibit.box, stage.frame.size_wh)
            tile_wh = fit_box(close_up_box, round(_INSET_SHARE * width), side)
            is_left = exhibit.region.handedness == style.viewers_left
            left = used_px[is_left] if is_left else width - used_px[is_left] - tile_wh[0]
            if min(tile_wh) < _MIN_INSET_PX or left < margin or left + tile_wh[0] > width - margin:
                continue
            used_px[is_left] += tile_wh[0] + margin
            top = self._choose_top(is_left, left, tile_wh, span, shown)
            for with_map in (False, True):
                y = top + with_map * (tile_wh[1] + _GAP_PX)
                rect = (left, y, left + tile_wh[0], y + tile_wh[1])
                tile = Pane(rect, close_up_box, pane.mirrored)
                _draw_tile(part, tile, image, exhibit, style, with_map=with_map)
                taken.append(rect)
        return taken

    def _choose_top(
        self,
        is_left: bool,
        left: int,
        tile_wh: tuple[int, int],
        span: tuple[int, int],
        shown: Sequence[Box],
    ) -> int:
        height = 2 * tile_wh[1] + _GAP_PX
        tops = (span[0], span[1] - height)
        costs = [covered_share((left, top, left + tile_wh[0], top + height), shown) for top in tops]
        return tops[self._heights.choose(is_left, costs)]


def _draw_tile(
    part: RgbImage, tile: Pane, image: RgbImage, exhibit: Exhibit, style: Style, *, with_map: bool
) -> None:
    """Draw a close-up; that of a hand no longer seen fades with the rest of it."""
    inset = tile.cut(part)
    under = inset.copy() if exhibit.presence < 1 else None
    draw_picture(part, tile, image)
    if with_map:
        subdue(inset, CLOSE_UP_BRIGHTNESS)
        draw_close_map(inset, tile, exhibit, exhibit.main, style)
        size_px = max(8.0, 0.85 * text_size(min(part.shape[:2])))
        margin = edge_margin(min(inset.shape[:2]))
        Tag(exhibit.label, exhibit.accent, size_px).draw(inset, margin, margin, 1.0)
    draw_rim(inset)
    if under is not None:
        inset[:] = cv2.addWeighted(inset, exhibit.presence, under, 1 - exhibit.presence, 0)
