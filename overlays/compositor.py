"""From a scene to a picture."""

from __future__ import annotations

from dataclasses import replace

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
from stream.frames import Frame, RgbImage
from stream.geometry import Handedness
from stream.scene import AttentionMaps, Scene

__all__ = ["Compositor"]

_SLOT_KEPT_S = 1.5
"""Media time for which a hand out of view keeps its place in the grid of heads."""


class Compositor:
    """Draws scenes in a style; a ``stream.protocols.Renderer``.

    Give the next frame another look by assigning ``style``. From frame to frame the compositor
    remembers only what must not jump: colour ranges, the places of grids and close-ups, and the
    newest maps for the caption and the mark of random weights. One thread draws with it.

    Args:
        style: How to draw; None: ``Style()``.
    """

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()
        self._normalizer = Normalizer()
        self._insets = Insets()
        self._slots_seen_s: dict[tuple[Handedness | None, int], float] = {}
        self._newest: AttentionMaps | None = None

    def draw(self, scene: Scene) -> RgbImage:
        """Return the scene as a new picture, uint8 (H, W, 3) RGB; the scene is only read.

        The canvas has even sides, which depend only on the frame's size and the layout.
        """
        style = self.style
        layout: Layout = "heads" if style.head == "all" else style.layout
        width, height = scene.frame.size_wh
        plan = plan_canvas(layout, (width, height))
        canvas = np.empty((plan.canvas_wh[1], plan.canvas_wh[0], 3), np.uint8)
        if plan.panel is not None:
            canvas[:, plan.picture[2] :] = BACKDROP
        pane = Pane(plan.picture, (0.0, 0.0, float(width), float(height)), style.mirror)
        beside = Pane(plan.panel, pane.source, style.mirror) if plan.panel else pane
        draw_picture(canvas, pane, scene.frame.image)
        exhibits = collect_exhibits(scene, style, self._normalizer, with_heads=layout == "heads")
        for exhibit in exhibits:
            if exhibit.aged is not None:
                self._newest = exhibit.aged.maps

        is_random = self._newest is not None and self._newest.is_random
        foot = beside
        if is_random and layout == "heads":
            beside, foot = _split_foot(beside)  # across the tiles the mark would hide maps

        room = pane.cut(canvas)
        size_px, margin_px = text_size(min(pane.size_wh)), edge_margin(min(pane.size_wh))
        readouts = caption = place = None
        if style.hud:
            time_s = scene.frame.time_s
            readouts = Readouts(scene.stats, pane.size_wh, size_px, margin_px, time_s=time_s)
        if self._newest is not None:
            caption = caption_of(self._newest, exhibits, style, with_heads=layout == "heads")
            place = place_caption(caption, pane.size_wh, size_px, margin_px)
        above = readouts.rect if readouts else None
        below = place if layout != "side" else None
        taken = [rect for rect in (above, below) if rect is not None]
        span = (
            above[3] + margin_px // 2 if above else margin_px,
            below[1] - margin_px // 2 if below else pane.size_wh[1] - margin_px,
        )
        taken += self._compose(canvas, layout, pane, beside, scene.frame, exhibits, span)
        if is_random:
            draw_random_mark(room)
        if is_random and layout == "side":
            draw_random_mark(beside.cut(canvas))
        elif is_random and layout == "heads":
            draw_random_mark(foot.cut(canvas), height_share=0.7)
        if caption is not None and place is not None:
            caption_room = beside.cut(canvas) if layout == "side" else room
            draw_caption(caption_room, caption, place, style.colormap, size_px)
        draw_tags(room, pane, exhibits, taken, names_only=layout == "insets")
        if readouts is not None:
            readouts.draw(room)
        _fill_to_even(canvas, plan.picture)
        return canvas

    def _compose(
        self,
        canvas: RgbImage,
        layout: Layout,
        pane: Pane,
        beside: Pane,
        frame: Frame,
        exhibits: tuple[Exhibit, ...],
        span: tuple[int, int],
    ) -> list[Rect]:
        """Draw maps and marks as the layout has them; return what close-ups take of the picture.

        Args:
            canvas: Written; the picture is on it already.
            layout: What goes where.
            pane: The picture.
            beside: The panel; the picture again where there is none.
            frame: Its picture is cut into close-ups.
            exhibits: What to show.
            span: Rows of the picture that text leaves free, from and to.
        """
        room, style = pane.cut(canvas), self.style
        if layout in ("side", "insets"):
            draw_marks(room, pane, exhibits, style)
        else:
            draw_on_picture(room, pane, exhibits, style)
        if layout == "insets":
            return self._insets.draw(room, pane, frame.image, exhibits, style, span)
        if layout == "side":
            draw_picture(canvas, beside, frame.image)
            draw_beside(beside.cut(canvas), beside, exhibits, style)
        elif layout == "heads":
            slots = self._fill_slots(exhibits, frame.time_s)
            size_px = text_size(min(pane.size_wh))
            draw_head_grids(canvas, beside.rect, frame.image, slots, style, size_px)
        return []

    def _fill_slots(self, exhibits: tuple[Exhibit, ...], time_s: float) -> list[Slot]:
        """Return the panel's places in order; a lost hand keeps its own for a moment."""
        present = {(e.region.handedness, e.region.track_id): e for e in exhibits}
        kept = {
            key: seen_s
            for key, seen_s in self._slots_seen_s.items()
            if key in present or 0 <= time_s - seen_s <= _SLOT_KEPT_S
        }
        for key in present.keys() - kept.keys():
            # The same hand, found anew under another number, takes its old place.
            before = next((k for k in kept if k[0] == key[0] and k not in present), None)
            if before is not None:
                del kept[before]
        self._slots_seen_s = kept | dict.fromkeys(present, time_s)
        first = self.style.viewers_left
        order = sorted(self._slots_seen_s, key=lambda key: (key[0] != first, key[1]))
        return [(key[0], present.get(key)) for key in order]


def _split_foot(panel: Pane) -> tuple[Pane, Pane]:
    """Return a panel without, and of, the strip at its foot that one line of large text takes."""
    left, top, right, bottom = panel.rect
    middle = bottom - min(round(0.12 * (right - left)), (bottom - top) // 4)
    upper, foot = (left, top, right, middle), (left, middle, right, bottom)
    return replace(panel, rect=upper), replace(panel, rect=foot)


def _fill_to_even(canvas: RgbImage, picture: Rect) -> None:
    """Repeat the picture's last column and row where the canvas was rounded up to even."""
    _, _, right, bottom = picture
    if right == canvas.shape[1] - 1:
        canvas[:bottom, right] = canvas[:bottom, right - 1]
    if bottom == canvas.shape[0] - 1:
        canvas[bottom] = canvas[bottom - 1]
