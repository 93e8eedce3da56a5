"""Tags: whose map is where and how old it is, beside each hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from overlays.colours import INK, Rgb
from overlays.exhibits import Exhibit
from overlays.labels import edge_margin, text_size
from overlays.lettering import text_width
from overlays.marks import corner_boxes
from overlays.paint import PLATE_OPACITY, draw_dot, draw_plate, draw_text
from overlays.panes import Box, Pane, Rect
from overlays.places import SteadyChoice, covered_share, shown_boxes
from stream.frames import RgbImage

__all__ = ["Tag", "Tags"]

_SMALLEST_SIDE_PX = 72
"""Below this side there is no room for a tag."""
_CROSSWISE = 0.5
"""Cost of a place that is nearer to another hand, in shares of a tag that hide something."""
_BESIDE = 0.02
"""The same where it is as near: of two places that hide nothing, the outer one is better."""
_ON_CORNER = 0.3
"""Cost of a place that hides a corner of another hand's crop, as if it were that hand's tag."""
_ON_TEXT = 2.0
"""How much worse it is to hide text than a hand."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A line on a small plate, with a dot before it."""

    text: str
    """One line."""
    accent: Rgb
    """Colour of the dot."""
    size_px: float
    """Text size."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the plate in pixels."""
        pad = round(0.6 * self.size_px)
        width = self._text_left + text_width(self.text, self.size_px) + pad
        return width, round(1.75 * self.size_px)

    def draw(self, canvas: RgbImage, left: int, top: int, opacity: float) -> None:
        """Draw it into a picture, uint8 (H, W, 3) RGB, opacity 0 to 1."""
        if opacity <= 0 or min(canvas.shape[:2]) < _SMALLEST_SIDE_PX:
            return
        width, height = self.size_wh
        rect = (left, top, left + width, top + height)
        draw_plate(canvas, rect, height // 2, PLATE_OPACITY * opacity)
        middle, dot = top + height / 2, 0.24 * self.size_px
        draw_dot(canvas, left + round(0.6 * self.size_px) + dot, middle, dot, self.accent, opacity)
        draw_text(canvas, self.text, left + self._text_left, middle, self.size_px, INK, opacity)

    @property
    def _text_left(self) -> int:
        return round(0.6 * self.size_px) + round(0.88 * self.size_px)


class Tags:
    """Writes a tag beside each hand, off hands and faces, and not nearer to another hand.

    Remembers where each tag stood, for it must not jump.
    """

    def __init__(self) -> None:
        self._corners = SteadyChoice()

    def draw(
        self,
        canvas: RgbImage,
        pane: Pane,
        exhibits: Sequence[Exhibit],
        taken: Sequence[Rect],
        *,
        names_only: bool = False,
    ) -> None:
        """Write the tags of a picture, in place.

        Args:
            canvas: The pane's pixels, uint8 (H, W, 3) RGB.
            pane: Where the picture is.
            exhibits: What is labelled.
            taken: Places of other text, pixels of the pane.
            names_only: Leave out how old maps are.
        """
        texts: list[Box] = list(taken)
        shown = shown_boxes(pane, exhibits)
        boxes = [pane.place_box(exhibit.box) for exhibit in exhibits]
        self._corners.forget_all_but([exhibit.region.track_id for exhibit in exhibits])
        for number, (exhibit, box) in enumerate(zip(exhibits, boxes, strict=True)):
            text = exhibit.name if names_only else exhibit.label
            tag = Tag(text, exhibit.accent, text_size(min(canvas.shape[:2])))
            others = boxes[:number] + boxes[number + 1 :]
            rects = _places(tag.size_wh, box, pane.size_wh, inside=exhibit.region.is_whole_frame)
            corners = [corner for other in others for corner in corner_boxes(other)]
            costs = [
                _ON_TEXT * covered_share(rect, texts)
                + covered_share(rect, shown)
                + _ON_CORNER * (covered_share(rect, corners) > 0)
                + _nearness(rect, box, others)
                for rect in rects
            ]
            is_right = any(_middle(other)[0] < _middle(box)[0] for other in others)
            corner = self._corners.choose(exhibit.region.track_id, costs, first=int(is_right))
            texts.append(rects[corner])
            tag.draw(canvas, *rects[corner][:2], exhibit.presence)


def _places(
    tag_wh: tuple[int, int], box: Box, room_wh: tuple[int, int], *, inside: bool
) -> list[Rect]:
    """Return where a box's tag may stand, within the room: at its corners, outside or inside."""
    (tag_w, tag_h), (width, height) = tag_wh, room_wh
    gap = round(0.23 * tag_h)
    edge = max(gap, edge_margin(min(room_wh)))
    x0, y0, x1, y1 = (round(side) for side in box)
    if inside:
        gap = edge
        starts = []
    else:
        above, below = y0 - tag_h - gap, y1 + gap
        starts = [(x, y) for y in (above, below) for x in (x0, x1 - tag_w)]
        starts += [(x0 - tag_w - gap, y0), (x1 + gap, y0)]
    starts += [(x, y) for y in (y0 + gap, y1 - tag_h - gap) for x in (x0 + gap, x1 - tag_w - gap)]
    right_most, lowest = max(edge, width - tag_w - edge), max(edge, height - tag_h - edge)
    places = [(min(max(x, edge), right_most), min(max(y, edge), lowest)) for x, y in starts]
    return [(x, y, x + tag_w, y + tag_h) for x, y in places]


def _nearness(place: Rect, own: Box, others: Sequence[Box]) -> float:
    """Return what it costs that a tag is as near to another hand as to its own, or nearer."""
    middle = _middle(place)
    own_px = math.dist(middle, _middle(own))
    other_px = min((math.dist(middle, _middle(other)) for other in others), default=math.inf)
    return _CROSSWISE if other_px < own_px else _BESIDE * own_px / other_px


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
