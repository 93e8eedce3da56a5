"""Old maps: where they belong now, and how much of them is still to be seen."""

from __future__ import annotations

from overlays.panes import Box
from stream.geometry import HandRegion
from stream.scene import AttentionMaps

__all__ = ["FULL_UNTIL_S", "carried_box", "map_opacity", "region_opacity"]

FULL_UNTIL_S = 0.15
"""Age up to which a map is drawn in full: at 30 frames a second, four frames."""
HELD_FOR_S = 0.3
"""Time over which a hand that is no longer seen fades."""


def carried_box(maps: AttentionMaps, region: HandRegion) -> Box:
    """Return where the maps' crop belongs in the frame on show, frame pixels, xyxy.

    The crop keeps its place relative to the hand: it is shifted with the centre of the hand's box
    and scaled with its longer side, as a crop cut now would be. The map of a whole picture, and a
    map that does not say where its hand was, stays where it was made.
    """
    left, top, right, bottom = maps.transform.box_xyxy
    if maps.region_box_xyxy is None or region.is_whole_frame:
        return left, top, right, bottom
    then_left, then_top, then_right, then_bottom = maps.region_box_xyxy
    now_left, now_top, now_right, now_bottom = region.box_xyxy
    scale = max(now_right - now_left, now_bottom - now_top) / max(
        then_right - then_left, then_bottom - then_top
    )
    then_x, then_y = (then_left + then_right) / 2, (then_top + then_bottom) / 2
    now_x, now_y = region.centre_xy
    return (
        now_x + (left - then_x) * scale,
        now_y + (top - then_y) * scale,
        now_x + (right - then_x) * scale,
        now_y + (bottom - then_y) * scale,
    )


def map_opacity(age_s: float, lifetime_s: float) -> float:
    """Return how much of a map of that age is drawn, 0..1.

    1 up to ``FULL_UNTIL_S``, 0 from ``lifetime_s``, a smooth step between: half at 0.575 s for maps
    that live for a second. Those of a slow model are faded when they come and ever after.

    Args:
        age_s: Seconds since the frame that the map was made of.
        lifetime_s: The map's :attr:`~stream.scene.AttentionMaps.lifetime_s`.
    """
    return 1.0 - _smooth_step((age_s - FULL_UNTIL_S) / (lifetime_s - FULL_UNTIL_S))


def region_opacity(unseen_s: float) -> float:
    """Return how much of a hand last seen ``unseen_s`` ago is drawn: 1 down to 0 at 0.3 s."""
    return 1.0 - _smooth_step(unseen_s / HELD_FOR_S)


def _smooth_step(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)
