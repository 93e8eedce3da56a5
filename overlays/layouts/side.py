"""The picture, and beside it the maps alone."""

from __future__ import annotations

from overlays.labels import draw_random_mark
from overlays.layouts.layout import Layout, Plan, Stage, plan_beside
from overlays.marks import draw_corners, draw_map, draw_marks, subdue
from overlays.panes import Rect, draw_picture

__all__ = ["Side"]

_BRIGHTNESS = 0.34


class Side(Layout):
    """The maps alone, at their places on a dark grey picture."""

    has_caption_beside = True

    def plan(self, frame_wh: tuple[int, int]) -> Plan:
        """See ``Layout``."""
        return plan_beside(frame_wh, frame_wh[0])

    def draw(self, stage: Stage) -> list[Rect]:
        """See ``Layout``."""
        pane, style = stage.beside, stage.style
        draw_marks(stage.pane.cut(stage.canvas), stage.pane, stage.exhibits, style)
        draw_picture(stage.canvas, pane, stage.frame.image)
        panel = pane.cut(stage.canvas)
        subdue(panel, _BRIGHTNESS)
        for exhibit in stage.exhibits:
            draw_map(panel, pane, exhibit, exhibit.main, style, alpha=1.0, floor=0.7)
        draw_corners(panel, pane, stage.exhibits)
        if stage.is_random:
            draw_random_mark(panel)
        return []
