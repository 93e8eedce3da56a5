"""Where text and close-ups go: off hands, faces and each other, and not to and fro."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from overlays.exhibits import Exhibit
from overlays.panes import Box, Pane

__all__ = ["SteadyChoice", "covered_share", "shown_boxes"]

_BEARABLE = 0.1
"""Cost of a place that is kept, although another may be better."""


class SteadyChoice:
    """Chooses among numbered places the one that covers least.

    What moves with every frame can't be read: a choice stays until it covers more than a tenth, and
    there is a place that covers less than half of that.
    """

    def __init__(self) -> None:
        self._chosen: dict[Hashable, int] = {}

    def choose(self, key: Hashable, costs: Sequence[float], *, first: int = 0) -> int:
        """Return the number of the place for ``key``.

        Args:
            key: What is to be placed.
            costs: What each place covers, as a share of it, about 0 to 1.
            first: The place that is tried first where nothing was chosen yet.
        """
        chosen = self._chosen.get(key, first)
        if chosen >= len(costs):
            chosen = first
        best = min(range(len(costs)), key=costs.__getitem__)
        if costs[chosen] > _BEARABLE and costs[best] < costs[chosen] / 2:
            chosen = best
        self._chosen[key] = chosen
        return chosen

    def forget_all_but(self, keys: Sequence[Hashable]) -> None:
        """Forget what is no longer placed."""
        self._chosen = {key: place for key, place in self._chosen.items() if key in keys}


def covered_share(place: Box, boxes: Sequence[Box]) -> float:
    """Return how much of a place lies on boxes, 0 to 1 for each of them, in all."""
    area = (place[2] - place[0]) * (place[3] - place[1])
    return sum(_shared_area(place, box) for box in boxes) / max(area, 1e-9)


def shown_boxes(pane: Pane, exhibits: Sequence[Exhibit]) -> list[Box]:
    """Return what nothing may hide, in pixels of the pane: the hands and their signers' faces."""
    regions = [exhibit.region for exhibit in exhibits if not exhibit.region.is_whole_frame]
    faces = {region.face_xyxy for region in regions if region.face_xyxy is not None}
    return [pane.place_box(box) for box in (*(region.box_xyxy for region in regions), *faces)]


def _shared_area(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
