"""Maps on the picture."""

from __future__ import annotations

from overlays.layouts.layout import Layout, Stage
from overlays.marks import draw_on_picture
from overlays.panes import Rect

__all__ = ["Overlay"]


class Overlay(Layout):
    """Each map where its hand is."""

    def draw(self, stage: Stage) -> list[Rect]:
        """See ``Layout``."""
        draw_on_picture(stage.pane.cut(stage.canvas), stage.pane, stage.exhibits, stage.style)
        return []
