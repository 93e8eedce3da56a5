"""From a scene to a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from overlays.colour_bar import caption_of, caption_places, draw_caption
from overlays.colours import BACKDROP
from overlays.exhibits import collect_exhibits
from overlays.labels import draw_random_mark, edge_margin, text_size
from overlays.layouts import open_layout
from overlays.layouts.layout import Layout, Stage
from overlays.normalize import Normalizer
from overlays.panes import Box, Pane, Rect, draw_picture
from overlays.places import SteadyChoice, covered_share, shown_boxes
from overlays.readouts import Readouts
from overlays.style import Style
from overlays.tags import Tags
from stream.frames import RgbImage
from stream.scene import AttentionMaps, Scene

__all__ = ["Compositor"]


class Compositor:
    """Draws scenes in a style; a ``stream.protocols.Renderer``.

    Give the next frame another look by assigning ``style``. From frame to frame the compositor
    remembers only what must not jump: colour ranges, the places of grids, close-ups and text, and
    the newest maps for the caption and the mark of random weights. One thread draws with it.

    Args:
        style: How to draw; None: ``Style()``.

    Attributes:
        style: How to draw.
        shown: What nothing should hide of the picture drawn last, pixels of the canvas: hands and
            faces (the middle of a picture in which no face is known), and the read-outs.
    """

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()
        self.shown: list[Box] = []
        self._normalizer = Normalizer()
        self._layouts: dict[str, Layout] = {}
        self._newest: AttentionMaps | None = None
        self._tags = Tags()
        self._corners = SteadyChoice()

    def draw(self, scene: Scene) -> RgbImage:
        """Return the scene as a new picture, uint8 (H, W, 3) RGB; the scene is only read.

        The canvas has even sides, which depend only on the frame's size and the layout.
        """
        canvas, draw_readouts = self.compose(scene)
        draw_readouts(canvas)
        return canvas

    def compose(self, scene: Scene) -> tuple[RgbImage, Callable[[RgbImage], None]]:
        """Return the picture without its read-outs, and what draws those into it or a copy."""
        style = self.style
        layout = self._layout("heads" if style.head == "all" else style.layout)
        width, height = scene.frame.size_wh
        plan = layout.plan((width, height))
        canvas = np.empty((plan.canvas_wh[1], plan.canvas_wh[0], 3), np.uint8)
        if plan.panel is not None:
            canvas[:, plan.picture[2] :] = BACKDROP
        pane = Pane(plan.picture, (0.0, 0.0, float(width), float(height)), style.mirror)
        beside = Pane(plan.panel, pane.source, style.mirror) if plan.panel else pane
        draw_picture(canvas, pane, scene.frame.image)
        with_heads = layout.shows_heads
        exhibits = collect_exhibits(scene, style, self._normalizer, with_heads=with_heads)
        for exhibit in exhibits:
            if exhibit.aged is not None:
                self._newest = exhibit.aged.maps

        self.shown = shown_boxes(pane, exhibits)
        if all(each.region.face_xyxy is None for each in exhibits):
            self.shown.append(_middle_of(pane.size_wh))

        part = pane.cut(canvas)
        size_px, margin_px = text_size(min(pane.size_wh)), edge_margin(min(pane.size_wh))
        caption = place = None
        readouts = Readouts(
            scene.stats,
            pane.size_wh,
            size_px,
            margin_px,
            time_s=scene.frame.time_s,
            signs_only=not style.hud,
        )
        text: list[Rect] = [*filter(None, [readouts.rect])]
        self.shown += text
        if self._newest is not None:
            caption = caption_of(self._newest, exhibits, style, with_heads=with_heads)
            if places := caption_places(caption, pane.size_wh, size_px, margin_px):
                shown = [*shown_boxes(pane, exhibits), *text]
                costs = [covered_share(corner, shown) for corner in places]
                place = places[self._corners.choose("caption", costs)]
                text += [] if layout.has_caption_beside else [place]
        stage = Stage(
            canvas=canvas,
            pane=pane,
            beside=beside,
            frame=scene.frame,
            exhibits=exhibits,
            style=style,
            span=_free_rows(text, pane.size_wh[1], margin_px),
            is_random=self._newest is not None and self._newest.is_random,
        )
        taken = [*text, *layout.draw(stage)]
        if stage.is_random:
            draw_random_mark(part)
        if caption is not None and place is not None:
            caption_part = beside.cut(canvas) if layout.has_caption_beside else part
            draw_caption(caption_part, caption, place, style.colormap, size_px)
        self._tags.draw(part, pane, exhibits, taken, names_only=layout.names_only)
        _fill_to_even(canvas, plan.picture)
        return canvas, lambda picture: readouts.draw(pane.cut(picture))

    def _layout(self, name: str) -> Layout:
        if name not in self._layouts:
            self._layouts[name] = open_layout(name)
        return self._layouts[name]


def _middle_of(size_wh: tuple[int, int]) -> Box:
    """Return where a signer's face is most likely to be."""
    width, height = size_wh
    return 0.35 * width, 0.1 * height, 0.65 * width, 0.7 * height


def _free_rows(text: Sequence[Rect], height: int, margin_px: int) -> tuple[int, int]:
    """Return from and to which row a picture is free of the text at its top and bottom."""
    top, bottom = 0, height
    for _, upper, _, lower in text:
        if upper < height // 2:
            top = max(top, lower)
        else:
            bottom = min(bottom, upper)
    return (
        top + margin_px // 2 if top else margin_px,
        bottom - margin_px // 2 if bottom < height else height - margin_px,
    )


def _fill_to_even(canvas: RgbImage, picture: Rect) -> None:
    """Repeat the picture's last column and row where the canvas was rounded up to even."""
    _, _, right, bottom = picture
    if right == canvas.shape[1] - 1:
        canvas[:bottom, right] = canvas[:bottom, right - 1]
    if bottom == canvas.shape[0] - 1:
        canvas[bottom] = canvas[bottom - 1]
