"""From a scene to a picture."""

from __future__ import annotations

import numpy as np

from overlays.colour_bar import caption_of, draw_caption
from overlays.exhibits import Exhibit, collect_exhibits
from overlays.labels import draw_random_mark, text_size
from overlays.layouts import (
    compose_heads,
    compose_insets,
    compose_overlay,
    compose_side,
    plan_canvas,
)
from overlays.normalize import Normalizer
from overlays.panes import Pane, draw_picture
from overlays.readouts import draw_readouts
from overlays.style import Layout, Style
from stream.frames import RgbImage
from stream.geometry import Handedness
from stream.scene import Scene

__all__ = ["Compositor"]

_SLOT_KEPT_S = 1.5
"""Media time for which a hand out of view keeps its place in the grid of heads."""


class Compositor:
    """Draws scenes in a style; a ``stream.protocols.Renderer``.

    Give the next frame another look by assigning ``compositor.style``. The compositor remembers
    only what must not jump from frame to frame: colour ranges and the places of panels. One thread
    draws with it.

    Args:
        style: How to draw.
    """

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()
        self._normalizer = Normalizer()
        self._slots: dict[tuple[Handedness | None, int], float] = {}
        self._is_random = False

    def draw(self, scene: Scene) -> RgbImage:
        """Return the scene as a new picture, uint8 (H, W, 3) RGB; the scene is only read.

        The canvas has even sides, which depend only on the frame's size and the layout.
        """
        style = self.style
        layout: Layout = "heads" if style.head == "all" else style.layout
        image = scene.frame.image
        width, height = scene.frame.size_wh
        plan = plan_canvas(layout, (width, height))
        canvas = np.empty((plan.canvas_wh[1], plan.canvas_wh[0], 3), np.uint8)
        pane = Pane(plan.picture, (0.0, 0.0, float(width), float(height)), style.mirror)
        draw_picture(canvas, pane, image)
        exhibits = collect_exhibits(scene, style, self._normalizer, with_heads=layout == "heads")
        room = pane.cut(canvas)
        size_px = text_size(min(room.shape[:2]))
        margin_px = max(2, round(0.018 * min(room.shape[:2])))
        below = margin_px
        if style.hud and scene.stats is not None:
            below = draw_readouts(room, scene.stats, size_px, margin_px) + margin_px // 2

        last = pane
        if layout == "overlay":
            compose_overlay(canvas, pane, exhibits, style)
        elif layout == "insets":
            compose_insets(canvas, pane, image, exhibits, style, below)
        elif layout == "side" and plan.panel:
            last = Pane(plan.panel, pane.source, style.mirror)
            canvas[:, plan.picture[2] : plan.panel[0]] = 0
            compose_side(canvas, pane, last, image, exhibits, style)
        elif plan.panel:
            compose_overlay(canvas, pane, exhibits, style)
            slots = self._fill_slots(exhibits, scene.frame.time_s)
            compose_heads(canvas, plan.panel, image, slots, style)

        caption = caption_of(exhibits, style, with_heads=layout == "heads")
        if caption is not None:
            draw_caption(last.cut(canvas), caption, style.colormap, size_px, margin_px)
        self._note_random(exhibits)
        if self._is_random:
            draw_random_mark(room)
            if plan.panel:
                left, top, right, bottom = plan.panel
                draw_random_mark(canvas[top:bottom, left:right])
        if canvas.shape[1] > plan.picture[2] and plan.panel is None:
            canvas[:, -1] = canvas[:, -2] if width > 1 else canvas[:, 0]
        if canvas.shape[0] > plan.picture[3] and plan.panel is None:
            canvas[-1] = canvas[-2] if height > 1 else canvas[0]
        return canvas

    def _note_random(self, exhibits: tuple[Exhibit, ...]) -> None:
        """Keep the mark between maps, until a map of trained weights comes."""
        for exhibit in exhibits:
            if exhibit.aged is not None:
                self._is_random = exhibit.aged.maps.is_random

    def _fill_slots(
        self, exhibits: tuple[Exhibit, ...], time_s: float
    ) -> list[tuple[Handedness | None, Exhibit | None]]:
        """Return the panel's places in order; a hand keeps its own for a moment when it is lost."""
        present = {(e.region.handedness, e.region.track_id): e for e in exhibits}
        self._slots = {
            key: seen_s
            for key, seen_s in self._slots.items()
            if 0 <= time_s - seen_s <= _SLOT_KEPT_S
        }
        for key in present:
            self._slots[key] = time_s
        first = "left" if self.style.mirror else "right"
        order = sorted(self._slots, key=lambda key: (key[0] != first, key[1]))
        return [(key[0], present.get(key)) for key in order]
