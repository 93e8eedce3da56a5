"""From a scene to a picture."""

from __future__ import annotations

import numpy as np

from overlays.colour_bar import caption_of, draw_caption, place_caption
from overlays.colours import BACKDROP
from overlays.exhibits import Exhibit, collect_exhibits
from overlays.head_grid import Slot, draw_head_grids
from overlays.labels import draw_random_mark, edge_margin, text_size
from overlays.layouts import Insets, draw_beside, draw_on_picture, plan_canvas
from overlays.marks import draw_marks, draw_tags
from overlays.normalize import Normalizer
from overlays.panes import Pane, Rect, draw_picture
from overlays.readouts import Readouts
from overlays.style import Layout, Style
from stream.frames import RgbImage
from stream.geometry import Handedness
from stream.scene import Scene

__all__ = ["Compositor"]

_SLOT_KEPT_S = 1.5
"""Media time for which a hand out of view keeps its place in the grid of heads."""


class Compositor:
    """Draws scenes in a style; a ``stream.protocols.Renderer``.

    Give the next frame another look by assigning ``style``. From frame to frame the compositor
    remembers only what must not jump: colour ranges, the places of grids and close-ups, the mark
    of random weights. One thread draws with it.

    Args:
        style: How to draw; None: ``Style()``.
    """

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()
        self._normalizer = Normalizer()
        self._insets = Insets()
        self._slots_seen_s: dict[tuple[Handedness | None, int], float] = {}
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
        exhibits = collect_exhibits(scene, style, self._normalizer, with_heads=layout == "heads")
        self._note_random(exhibits)
        if plan.panel is not None:
            canvas[:, plan.picture[2] :] = BACKDROP

        draw_picture(canvas, pane, image)
        room = pane.cut(canvas)
        size_px = text_size(min(pane.size_wh))
        margin_px = edge_margin(min(pane.size_wh))
        below_px, above_px = margin_px, pane.size_wh[1] - margin_px
        taken: list[Rect] = []
        readouts = None
        if style.hud and scene.stats is not None:
            readouts = Readouts(scene.stats, pane.size_wh, size_px, margin_px)
            if readouts.rect is not None:
                taken.append(readouts.rect)
                below_px = readouts.rect[3] + margin_px // 2
        caption = caption_of(exhibits, style, with_heads=layout == "heads")
        place = None
        if caption is not None:
            place = place_caption(caption, pane.size_wh, size_px, margin_px)
        if place is not None and layout != "side":
            taken.append(place)
            above_px = place[1] - margin_px // 2

        caption_room = room
        if layout == "overlay":
            draw_on_picture(room, pane, exhibits, style)
        elif layout == "insets":
            draw_marks(room, pane, exhibits, style)
            span = (below_px, above_px)
            taken += self._insets.draw(room, pane, image, exhibits, style, span)
        elif plan.panel is not None and layout == "side":
            draw_marks(room, pane, exhibits, style)
            beside = Pane(plan.panel, pane.source, style.mirror)
            caption_room = beside.cut(canvas)
            draw_picture(canvas, beside, image)
            draw_beside(caption_room, beside, exhibits, style)
        elif plan.panel is not None:
            draw_on_picture(room, pane, exhibits, style)
            slots = self._fill_slots(exhibits, scene.frame.time_s)
            draw_head_grids(canvas, plan.panel, image, slots, style)

        self._draw_random_marks(canvas, plan.picture, plan.panel)
        if caption is not None and place is not None:
            draw_caption(caption_room, caption, place, style.colormap, size_px)
        draw_tags(room, pane, exhibits, taken, names_only=layout == "insets")
        if readouts is not None:
            readouts.draw(room)
        _fill_to_even(canvas, plan.picture)
        return canvas

    def _note_random(self, exhibits: tuple[Exhibit, ...]) -> None:
        """Keep the mark between maps, until a map of trained weights comes."""
        for exhibit in exhibits:
            if exhibit.aged is not None:
                self._is_random = exhibit.aged.maps.is_random

    def _draw_random_marks(self, canvas: RgbImage, *rects: Rect | None) -> None:
        if not self._is_random:
            return
        for rect in rects:
            if rect is not None:
                draw_random_mark(canvas[rect[1] : rect[3], rect[0] : rect[2]])

    def _fill_slots(self, exhibits: tuple[Exhibit, ...], time_s: float) -> list[Slot]:
        """Return the panel's places in order; a lost hand keeps its own for a moment."""
        present = {(e.region.handedness, e.region.track_id): e for e in exhibits}
        self._slots_seen_s = {
            key: seen_s
            for key, seen_s in self._slots_seen_s.items()
            if 0 <= time_s - seen_s <= _SLOT_KEPT_S
        } | dict.fromkeys(present, time_s)
        first = "left" if self.style.mirror else "right"
        order = sorted(self._slots_seen_s, key=lambda key: (key[0] != first, key[1]))
        return [(key[0], present.get(key)) for key in order]


def _fill_to_even(canvas: RgbImage, picture: Rect) -> None:
    """Repeat the picture's last column and row where the canvas was rounded up to even."""
    _, _, right, bottom = picture
    if right == canvas.shape[1] - 1:
        canvas[:bottom, right] = canvas[:bottom, right - 1]
    if bottom == canvas.shape[0] - 1:
        canvas[bottom] = canvas[bottom - 1]
