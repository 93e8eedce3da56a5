"""The picture with its maps, and beside it every head of every hand."""

from __future__ import annotations

from dataclasses import replace

from overlays.head_grid import Slot, draw_head_grids
from overlays.labels import draw_random_mark, text_size
from overlays.layouts.layout import Layout, Plan, Stage, plan_beside
from overlays.marks import draw_on_picture
from overlays.panes import Pane, Rect
from stream.geometry import Handedness

__all__ = ["Heads"]

_SLOT_KEPT_S = 1.5
"""Media time for which a hand out of view keeps its place in the panel."""


class Heads(Layout):
    """A grid of all heads for each hand; a lost hand keeps its place for a moment."""

    shows_heads = True

    def __init__(self) -> None:
        self._slots_seen_s: dict[tuple[Handedness | None, int], float] = {}

    def plan(self, frame_wh: tuple[int, int]) -> Plan:
        """See ``Layout``."""
        # Two thirds of the height hold two columns of three square tiles: a small model's heads.
        return plan_beside(frame_wh, 2 / 3 * frame_wh[1])

    def draw(self, stage: Stage) -> list[Rect]:
        """See ``Layout``."""
        draw_on_picture(stage.pane.cut(stage.canvas), stage.pane, stage.exhibits, stage.style)
        panel = stage.beside
        if stage.is_random:  # across the tiles the mark would hide maps
            panel, foot = _split_foot(panel)
            draw_random_mark(foot.cut(stage.canvas), height_share=0.7)
        draw_head_grids(
            stage.canvas,
            panel.rect,
            stage.frame.image,
            self._fill_slots(stage),
            stage.style,
            text_size(min(stage.pane.size_wh)),
        )
        return []

    def _fill_slots(self, stage: Stage) -> list[Slot]:
        """Return the panel's places in order."""
        time_s = stage.frame.time_s
        present = {(e.region.handedness, e.region.track_id): e for e in stage.exhibits}
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
        first = stage.style.viewers_left
        order = sorted(self._slots_seen_s, key=lambda key: (key[0] != first, key[1]))
        return [(key[0], present.get(key)) for key in order]


def _split_foot(panel: Pane) -> tuple[Pane, Pane]:
    """Return a panel without, and of, the strip at its foot that one line of large text takes."""
    left, top, right, bottom = panel.rect
    middle = bottom - min(round(0.12 * (right - left)), (bottom - top) // 4)
    upper, foot = (left, top, right, middle), (left, middle, right, bottom)
    return replace(panel, rect=upper), replace(panel, rect=foot)
