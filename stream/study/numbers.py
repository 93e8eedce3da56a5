"""The numbers of a study: where heads look, how they differ, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from stream.annotation.moments import PARTS
from stream.annotation.parts import cover_parts
from stream.geometry import HandRegion
from stream.measures import (
    Floats,
    Numbers,
    cover_of,
    effective_heads,
    effective_patches,
    head_divergence,
    jensen_shannon_bits,
    lift,
    mass_on,
    peak_on,
    shares_of,
    spread,
)
from stream.scene import AttentionMaps
from stream.study.blocks import Block
from stream.study.roles import PLACES, Group, Role, group_heads, role_of

__all__ = [
    "LEAST_PICTURES",
    "MEASURES",
    "VARIATION",
    "Measure",
    "Numbered",
    "measure_maps",
    "measure_shares",
    "number_block",
]

LEAST_PICTURES: Final = 20
"""Rows from which on means have an interval: of fewer, resampling says little."""
_RESAMPLES: Final = 2000
_MIDDLE: Final = (2.5, 97.5)
"""Percentiles between which 95 of 100 resampled means lie."""
_FIRST_GROUP: Final = "\N{GREEK SMALL LETTER ALPHA}"
"""What groups of heads are called: signs have Latin letters, heads numbers."""
_FINE: Final = 8
"""Points along a patch's side at which a face is asked whether it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number, and what it is."""

    name: str
    """Name of its column."""
    title: str
    """Heading in a table for people."""
    form: str
    """How it is written there."""
    words: str
    """What it is, and where it was first defined."""


MEASURES: Final = (
    Measure(
        name="mass_on_hand",
        title="on hand",
        form=".0%",
        words="share of the map on the hand, 0 to 1; the forearm is no part of it (L. Arras et "
        "al., CLEVR-XAI, Information Fusion 81, 2022)",
    ),
    Measure(
        name="mass_over_area",
        title="/ area",
        form=".2f",
        words="that share over the hand's share of the area: 1 is chance",
    ),
    Measure(
        name="most",
        title="most",
        form=".2f",
        words="what it would be if all of the map were on the hand: 1 / the hand's share of the "
        "area",
    ),
    Measure(
        name="peak_on_hand",
        title="peak",
        form=".0%",
        words="1 where the strongest patch is more than half hand, else 0; its mean is the share "
        "of signs (J. Zhang et al., International Journal of Computer Vision 126, 2018)",
    ),
    Measure(
        name="mass_on_face",
        title="on face",
        form=".0%",
        words="share of the map on the signer's face, an oval from forehead to chin without what "
        "hands hide of it; empty where no face is known",
    ),
    Measure(
        name="face_over_area",
        title="face / area",
        form=".2f",
        words="that share over the face's share of the area: 1 is chance",
    ),
    Measure(
        name="mass_elsewhere",
        title="elsewhere",
        form=".0%",
        words="the rest: on neither hands nor face; empty where no face is known",
    ),
    Measure(
        name="macro_on_hand",
        title="macro on hand",
        form=".0%",
        words="of a crop: of what the map of the whole picture has within the crop, the share on "
        "the hand; mass_on_hand is that of the crop's own map",
    ),
    Measure(
        name="crop_divergence",
        title="crop changes",
        form=".3f",
        words="of a crop: Jensen-Shannon divergence, bits, of its map from what the same head's "
        "map of the whole picture has within the crop, both on the whole picture's patches: 0 "
        "where the crop changes nothing, 1 where they have nothing in common",
    ),
    Measure(
        name="effective_patches",
        title="patches",
        form=".0f",
        words="patches with equal shares that would have the same entropy (Hill number of order "
        "1: M. Hill, Ecology 54, 1973)",
    ),
    Measure(
        name="spread",
        title="spread",
        form=".2f",
        words="root mean square distance of the map's mass from its centroid, over the longer "
        "side of the hand's box",
    ),
    *(
        Measure(
            name=f"on_{place}",
            title=place,
            form=".2f",
            words=f"share of the map {where} over its share of the area: 1 is chance; empty where "
            "it does not show",
        )
        for place, where in zip(
            PLACES, (*(f"on the {part}" for part in PARTS), "beside all hands"), strict=True
        )
    ),
)
"""What is measured of each map, in the order of columns. Defined in ``stream.measures``."""

VARIATION: Final = (
    Measure(
        name="head_divergence",
        title="divergence",
        form=".3f",
        words="mean Jensen-Shannon divergence of all pairs of heads, bits: 0 alike, 1 nothing in "
        "common (J. Lin, IEEE Transactions on Information Theory 37, 1991)",
    ),
    Measure(
        name="effective_heads",
        title="different heads",
        form=".2f",
        words="heads without a patch in common that would differ as much (beta diversity of order "
        "1: L. Jost, Ecology 88, 2007)",
    ),
)
"""What is measured of all heads of a sign together."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Numbered:
    """The numbers of one layer of a block: M = heads + 1, the mean of the heads last."""

    values: Mapping[str, Floats]
    """Of each of ``MEASURES``, (signs, M)."""
    means: Mapping[str, Floats]
    """Their means over signs, (M,)."""
    intervals: Mapping[str, Floats] | None
    """Where 95 of 100 resampled means lie, (2, M); None for too few signs."""
    variation: Mapping[str, tuple[float, tuple[float, float] | None]]
    """Of each of ``VARIATION``, the mean and its interval."""
    matrix: Floats
    """Jensen-Shannon divergence of each pair of heads, mean over signs, bits, (heads, heads)."""
    roles: tuple[Role | None, ...]
    """Of each head; None where there is no hand."""
    groups: tuple[Group, ...]
    """Heads that look at the same; none where there is no hand."""

    @property
    def head_names(self) -> tuple[str, ...]:
        """What heads are called: a letter for those that look at the same, and what that is."""
        names = [""] * len(self.roles)
        for number, group in enumerate(self.groups):
            letter = chr(ord(_FIRST_GROUP) + number)
            for head in group.heads:
                names[head] = f"{letter} {group.role.name}".rstrip()
        return tuple(names)

    @property
    def most_alike(self) -> tuple[int, int] | None:
        """The two heads that look at the most alike; None where there is one head only."""
        pairs = combinations(range(len(self.matrix)), 2)
        known = [pair for pair in pairs if np.isfinite(self.matrix[pair])]
        return min(known, key=lambda pair: float(self.matrix[pair]), default=None)


def number_block(block: Block, layer: int) -> Numbered:
    """Return the numbers of a block's layer, by its index in ``block.layers``.

    Intervals are of percentiles of the means of signs drawn with replacement (bootstrap: B. Efron,
    "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7, 1979).
    """
    rows = block.rows
    measured = [
        measure_maps(row.maps[layer], row.hands, row.macro[layer] if row.macro else None)
        for row in rows
    ]
    weights = [row.maps[layer].weights for row in rows]
    values = {each.name: np.stack([one[each.name] for one in measured]) for each in MEASURES}
    is_many = len(rows) >= LEAST_PICTURES
    divergences = np.stack([_divergences(each) for each in weights])
    variations = {
        "head_divergence": np.array([head_divergence(each) for each in weights]),
        "effective_heads": np.array([effective_heads(each) for each in weights]),
    }
    lifts = np.stack([values[f"on_{place}"][:, :-1] for place in PLACES], -1)
    return Numbered(
        values=values,
        means={name: _mean(each) for name, each in values.items()},
        intervals={name: _interval(each) for name, each in values.items()} if is_many else None,
        variation={
            name: (float(_mean(each)), _pair(_interval(each[:, None])) if is_many else None)
            for name, each in variations.items()
        },
        matrix=np.asarray(_mean(divergences)),
        roles=tuple(role_of(lifts[:, head]) for head in range(lifts.shape[1])),
        groups=group_heads(lifts),
    )


def measure_maps(
    maps: AttentionMaps, hands: Sequence[HandRegion], macro: AttentionMaps | None = None
) -> dict[str, Floats]:
    """Return each of ``MEASURES`` of the maps, heads and then their mean, (M,).

    NaN for what is about a hand where there is none, about a face where none is known, and about
    what a crop changes without ``macro``, the maps of the whole picture that it was cut from.
    """
    shares = _all_shares(maps)
    parts = _cover_hands(maps, hands)
    hand = np.minimum(parts.sum(0), 1.0)
    face = np.full(maps.grid_hw, np.nan)
    known = [each.face_xyxy for each in hands if each.face_xyxy is not None]
    if known:
        face = np.minimum(_cover_face(maps, known[0]), 1 - hand)
    before: Floats = np.full(len(shares), np.nan)
    change = before
    if macro is not None:
        ours, theirs = _share_window(maps, shares, macro)
        before = mass_on(theirs, np.minimum(_cover_hands(macro, hands).sum(0), 1.0))
        change = jensen_shannon_bits(ours, theirs)
    sides = [_longer_side(each) for each in hands]
    size_px = float(np.mean(sides)) if sides else np.nan
    return measure_shares(shares, hand) | {
        "mass_on_face": mass_on(shares, face),
        "face_over_area": lift(shares, face),
        "mass_elsewhere": mass_on(shares, 1 - hand - face),
        "macro_on_hand": before,
        "crop_divergence": change,
        "spread": np.hypot(*(spread(shares) * _size_wh(maps)).T) / size_px,
        **{
            f"on_{place}": lift(shares, cover)
            for place, cover in zip(PLACES, [*parts, 1 - hand], strict=True)
        },
    }


def measure_shares(shares: Numbers, cover: Floats) -> dict[str, Floats]:
    """Return those of ``MEASURES`` that need no more than a hand's cover.

    Args:
        shares: (..., rows, columns).
        cover: Share of each patch that the hand fills, (rows, columns).
    """
    over_area = lift(shares, cover)
    area = cover.mean()
    most = 1 / area if area > 0 else np.nan
    return {
        "mass_on_hand": mass_on(shares, cover),
        "mass_over_area": over_area,
        "most": np.where(np.isfinite(over_area), most, np.nan),
        "peak_on_hand": peak_on(shares, cover),
        "effective_patches": effective_patches(shares),
    }


def _all_shares(maps: AttentionMaps) -> Floats:
    """Return how each head's map and their mean are shared out, (M, rows, columns)."""
    return shares_of(np.concatenate([maps.weights, maps.mean[None]]))


def _cover_hands(maps: AttentionMaps, hands: Sequence[HandRegion]) -> Floats:
    """Return the share of each patch that each of ``PARTS`` fills, (6, rows, columns)."""
    if not hands:
        return np.full((len(PARTS), *maps.grid_hw), np.nan)
    by_hand = [cover_parts(hand, maps.transform, maps.grid_hw) for hand in hands]
    return np.asarray(np.minimum(np.sum(by_hand, 0), 1.0))


def _cover_face(maps: AttentionMaps, box_xyxy: tuple[float, float, float, float]) -> Floats:
    """Return the share of each patch that the oval in a face's box fills, (rows, columns)."""
    rows, columns = maps.grid_hw
    corners = maps.transform.to_crop(np.reshape(box_xyxy, (2, 2))) / maps.transform.crop_wh
    (left, top), (right, bottom) = (corners * (columns, rows)).tolist()
    x, y = ((np.arange(_FINE * count) + 0.5) / _FINE for count in (columns, rows))
    across = (2 * x - left - right) / (right - left)
    down = (2 * y - top - bottom) / (bottom - top)
    return cover_of(across**2 + down[:, None] ** 2 <= 1, maps.grid_hw)


def _share_window(
    maps: AttentionMaps, shares: Floats, macro: AttentionMaps
) -> tuple[Floats, Floats]:
    """Return a crop's shares, and those of the whole picture within it, on the latter's patches."""
    rows, columns = macro.grid_hw
    left, top, right, bottom = maps.transform.box_xyxy
    corners = macro.transform.to_crop(np.array([[left, top], [right, bottom]]))
    (x0, y0), (x1, y1) = (corners / macro.transform.crop_wh * (columns, rows)).tolist()
    across = _overlaps(np.linspace(x0, x1, maps.grid_hw[1] + 1), columns)
    down = _overlaps(np.linspace(y0, y1, maps.grid_hw[0] + 1), rows)
    ours = down.T @ shares @ across
    return shares_of(ours), shares_of(_all_shares(macro) * down.sum(0)[:, None] * across.sum(0))


def _overlaps(edges: Floats, count: int) -> Floats:
    """Return how much of each patch between edges lies in each of 0..1, 1..2, ..., (N, count)."""
    starts = np.arange(count)
    ends = np.minimum(edges[1:, None], starts + 1)
    return np.asarray((ends - np.maximum(edges[:-1, None], starts)).clip(0))


def _size_wh(maps: AttentionMaps) -> Floats:
    """Return the crop's width and height in pixels of the frame."""
    return np.multiply(maps.transform.crop_wh, maps.transform.scale_xy)


def _longer_side(hand: HandRegion) -> float:
    left, top, right, bottom = hand.box_xyxy
    return max(right - left, bottom - top)


def _divergences(weights: Numbers) -> Floats:
    """Return the divergence of each head from each, (heads, heads)."""
    return jensen_shannon_bits(weights[:, None], weights[None])


def _mean(values: Floats) -> Floats:
    """Return the mean over the first axis of what is known; NaN where nothing is."""
    is_known = np.isfinite(values)
    num = is_known.sum(0)
    return np.asarray(np.where(is_known, values, 0.0).sum(0) / np.where(num > 0, num, np.nan))


def _interval(values: Floats) -> Floats:
    """Return where 95 of 100 means of resampled rows lie, (2, M)."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), _RESAMPLES)
    is_known = np.isfinite(values)
    num = counts @ is_known
    means = (counts @ np.where(is_known, values, 0.0)) / np.where(num > 0, num, np.nan)
    known = np.where(np.isfinite(means).all(0), means, 0.0)
    interval = np.percentile(known, _MIDDLE, axis=0)
    return np.asarray(np.where(is_known.any(0), interval, np.nan))


def _pair(interval: Floats) -> tuple[float, float]:
    """Return the interval of a single mean."""
    low, high = interval[:, 0].tolist()
    return low, high
