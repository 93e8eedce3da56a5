"""How big the canvas is, and what goes where on it.

Canvas sides are even (H.264 wants that), and depend on nothing but the frame's size and the layout.
On the picture, the canvas is the frame, rounded up to even. Layouts with a panel enlarge tiny
frames so that the panel can be read, and shrink huge ones so that the canvas stays within 4096
pixels, which hardware decoders still play.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from overlays.exhibits import Exhibit
from overlays.head_grid import CLOSE_UP_BRIGHTNESS, draw_rim, fit_box
from overlays.labels import draw_tag, edge_margin, text_size
from overlays.marks import draw_close_map, draw_corners, draw_map, draw_marks, subdue
from overlays.panes import Pane, Rect, draw_picture
from overlays.style import Layout, Style
from stream.frames import RgbImage

__all__ = ["Plan", "draw_beside", "draw_insets", "draw_on_picture", "plan_canvas"]

_MAX_SIDE_PX = 4096
_MIN_SIDE_PX = 360
_GAP_PX = 4
_BESIDE_BRIGHTNESS = 0.34


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a canvas and its parts."""

    canvas_wh: tuple[int, int]
    """Width and height, even."""
    picture: Rect
    """Where the picture goes."""
    panel: Rect | None
    """Where the maps go that stand beside the picture; None where they are on it."""


def plan_canvas(layout: Layout, frame_wh: tuple[int, int]) -> Plan:
    """Return the sizes for a layout and a frame's width and height."""
    width, height = frame_wh
    if layout in ("overlay", "insets"):
        return Plan((_even(width), _even(height)), (0, 0, width, height), None)
    # Two thirds of the height hold two columns of three square tiles: the heads of a small model.
    panel_w = width if layout == "side" else 2 / 3 * height
    scale = max(1.0, _MIN_SIDE_PX / min(width, height))
    scale = min(scale, (_MAX_SIDE_PX - _GAP_PX) / (width + panel_w), _MAX_SIDE_PX / height)
    picture_w, picture_h = (_even(max(2, int(side * scale))) for side in frame_wh)
    left = picture_w + _GAP_PX
    right = left + _even(max(2, int(panel_w * scale)))
    return Plan((right, picture_h), (0, 0, picture_w, picture_h), (left, 0, right, picture_h))


def draw_on_picture(room: RgbImage, pane: Pane, exhibits: Sequence[Exhibit], style: Style) -> None:
    """Draw maps and skeletons onto the picture."""
    for exhibit in exhibits:
        draw_map(room, pane, exhibit, exhibit.main, style, alpha=style.alpha)
    draw_marks(room, pane, exhibits, style)


def draw_beside(room: RgbImage, pane: Pane, exhibits: Sequence[Exhibit], style: Style) -> None:
    """Draw the maps alone, at their places on a dark grey picture."""
    subdue(room, _BESIDE_BRIGHTNESS)
    for exhibit in exhibits:
        draw_map(room, pane, exhibit, exhibit.main, style, alpha=1.0, floor=0.7)
    draw_corners(room, pane, exhibits)


def draw_insets(
    room: RgbImage,
    pane: Pane,
    image: RgbImage,
    exhibits: Sequence[Exhibit],
    style: Style,
    top_px: int,
) -> list[Rect]:
    """Draw close-ups of the hands, each above its map, into the picture's upper corners.

    The signer's right hand is on the viewer's left, as in life; mirrored, the other way round.

    Returns:
        The places taken, in pixels of ``room``.
    """
    height, width = room.shape[:2]
    margin = edge_margin(min(width, height))
    side = min(round(0.3 * min(width, height)), (height - top_px - 3 * margin) // 2)
    size_px = max(9.0, 0.85 * text_size(min(width, height)))
    taken: list[Rect] = []
    used = {"left": 0, "right": 0}
    for exhibit in exhibits:
        tile_w, tile_h = fit_box(exhibit.box, side, side)
        is_viewers_left = exhibit.region.handedness == ("left" if style.mirror else "right")
        corner = "left" if is_viewers_left else "right"
        offset = margin + used[corner]
        left = offset if is_viewers_left else width - offset - tile_w
        if min(tile_w, tile_h) < 16 or left < margin or left + tile_w > width - margin:
            continue
        used[corner] += tile_w + margin
        for top in (top_px, top_px + tile_h + _GAP_PX):
            tile = Pane((left, top, left + tile_w, top + tile_h), exhibit.box, pane.mirrored)
            draw_picture(room, tile, image)
            inset = tile.cut(room)
            if top != top_px:
                subdue(inset, CLOSE_UP_BRIGHTNESS)
                draw_close_map(inset, tile, exhibit, exhibit.main, style)
            draw_rim(inset)
            taken.append(tile.rect)
        draw_tag(
            inset,
            exhibit.label,
            (0, 0, tile_w, tile_h),
            accent=exhibit.accent,
            size_px=size_px,
            opacity=exhibit.presence,
            taken=[],
            inside=True,
        )
    return taken


def _even(number: int) -> int:
    return number + number % 2
