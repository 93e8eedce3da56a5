"""What there is to show of each hand: its newest map, scaled, and where it belongs now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overlays.carrying import carried_box, map_opacity, region_opacity
from overlays.colours import ACCENTS, Rgb
from overlays.normalize import Normalizer, ValueRange
from overlays.panes import Box
from overlays.style import Style
from stream.geometry import HandRegion
from stream.measures import mass_mask
from stream.scene import AgedMaps, Scene

__all__ = ["Exhibit", "HeadMap", "collect_exhibits"]

_WAITING_MARGIN = 0.25
"""Room around a hand that has no map yet, as a fraction of its longer side; only for the look."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadMap:
    """One map, ready to be drawn."""

    values: npt.NDArray[np.float32]
    """float32 (grid_h, grid_w), 0..1."""
    bounds: ValueRange
    """What 0 and 1 stand for."""
    outline: npt.NDArray[np.bool_] | None
    """Patches inside the outline, bool (grid_h, grid_w); None where none was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit:
    """One hand (or the whole picture), ready to be drawn."""

    region: HandRegion
    """Where it is now."""
    aged: AgedMaps | None
    """Its newest maps; None while there are none."""
    box: Box
    """Where the map's crop belongs now, frame pixels."""
    opacity: float
    """How much of the map is to be seen, 0..1: less when it is old or the hand is only held."""
    presence: float
    """How much of everything else is to be seen, 0..1: less when the hand is only held."""
    main: HeadMap | None
    """The map that was chosen; None while there is none, and for a head that does not exist."""
    heads: tuple[HeadMap, ...]
    """All heads; empty unless they are shown."""

    @property
    def name(self) -> str:
        """What the region is called: right, left, whole picture."""
        return self.region.handedness or "whole picture"

    @property
    def accent(self) -> Rgb:
        """The colour of this hand."""
        return ACCENTS[self.region.handedness]

    @property
    def label(self) -> str:
        """Whose map this is and how old, in one short line."""
        if self.aged is None:
            return f"{self.name} \N{MIDDLE DOT} no map yet"
        age_ms = round(1000 * self.aged.age_s)
        if self.opacity <= 0 and self.presence > 0:
            return f"{self.name} \N{MIDDLE DOT} last map {age_ms} ms old"
        # In a file each map is of its own frame: age 0 says nothing.
        return f"{self.name} \N{MIDDLE DOT} {age_ms} ms old" if age_ms else self.name


def collect_exhibits(
    scene: Scene, style: Style, normalizer: Normalizer, *, with_heads: bool
) -> tuple[Exhibit, ...]:
    """Return what there is to show, in the order in which a viewer sees it, left to right."""
    exhibits = [
        _exhibit(region, scene.maps.get(region.track_id), style, normalizer, with_heads)
        for region in scene.hands
    ]
    # A signer's right hand is on the viewer's left, unless the picture is mirrored. By name rather
    # than by place: panels must not change places when hands cross.
    first = style.viewers_left
    return tuple(sorted(exhibits, key=lambda e: (e.region.handedness != first, e.region.track_id)))


def _exhibit(
    region: HandRegion,
    aged: AgedMaps | None,
    style: Style,
    normalizer: Normalizer,
    with_heads: bool,
) -> Exhibit:
    presence = region_opacity(region.unseen_s)
    if aged is None:
        return Exhibit(region, None, _waiting_box(region), 0.0, presence, None, ())
    maps = aged.maps

    def head_map(head: int | None) -> HeadMap:
        values, bounds = normalizer.normalize(maps, head, style.normalize)
        weights = maps.mean if head is None else maps.weights[head]
        outline = None if style.threshold is None else mass_mask(weights, style.threshold)
        return HeadMap(values, bounds, outline)

    head = style.head if isinstance(style.head, int) else None
    exists = head is None or head < maps.num_heads
    return Exhibit(
        region=region,
        aged=aged,
        box=carried_box(maps, region),
        opacity=presence * map_opacity(aged.age_s, maps.lifetime_s),
        presence=presence,
        main=head_map(head) if exists else None,
        heads=tuple(head_map(i) for i in range(maps.num_heads)) if with_heads else (),
    )


def _waiting_box(region: HandRegion) -> Box:
    if region.is_whole_frame:
        return region.box_xyxy
    left, top, right, bottom = region.box_xyxy
    half = max(right - left, bottom - top) * (0.5 + _WAITING_MARGIN)
    x, y = region.centre_xy
    return x - half, y - half, x + half, y + half
