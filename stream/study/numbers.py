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
    effective_heads,
    effective_patches,
    head_divergence,
    jensen_shannon_bits,
    lift,
    mass_on,
    shares_of,
    spread,
)
from stream.scene import AttentionMaps
from stream.study.blocks import Block

__all__ = [
    "LEAST_PICTURES",
    "MEASURES",
    "VARIATION",
    "Measure",
    "Numbered",
    "Role",
    "measure_maps",
    "measure_shares",
    "number_block",
]

LEAST_PICTURES: Final = 20
"""Rows from which on means have an interval: of fewer, resampling says little."""
_RESAMPLES: Final = 2000
_MIDDLE: Final = (2.5, 97.5)
"""Percentiles between which 95 of 100 resampled means lie."""
_KEEPS_ROLE: Final = 0.6
"""Share of signs in which a head must favour one part to be named after it."""


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
        "of signs",
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
            name=f"on_{part}",
            title=part,
            form=".2f",
            words=f"share of the map on the {part} over the {part}'s share of the area: 1 is "
            "chance; empty where it does not show",
        )
        for part in PARTS
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The part of the hand that a head favours."""

    part: str
    """That with the most of its map for its area in most signs."""
    share: float
    """In how many signs, 0 to 1."""

    @property
    def is_kept(self) -> bool:
        """Whether that is often enough to call the head by it."""
        return self.share >= _KEEPS_ROLE


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
    return _number([(row.maps[layer], row.hands) for row in block.rows])


def _number(rows: Sequence[tuple[AttentionMaps, Sequence[HandRegion]]]) -> Numbered:
    """Return the numbers of maps of signs, each with the hands that it is measured against."""
    measured = [measure_maps(maps, hands) for maps, hands in rows]
    values = {each.name: np.stack([one[each.name] for one in measured]) for each in MEASURES}
    is_many = len(rows) >= LEAST_PICTURES
    divergences = np.stack([_divergences(maps.weights) for maps, _ in rows])
    variations = {
        "head_divergence": np.array([head_divergence(maps.weights) for maps, _ in rows]),
        "effective_heads": np.array([effective_heads(maps.weights) for maps, _ in rows]),
    }
    parts = np.stack([values[f"on_{part}"][:, :-1] for part in PARTS], -1)
    return Numbered(
        values=values,
        means={name: _mean(each) for name, each in values.items()},
        intervals={name: _interval(each) for name, each in values.items()} if is_many else None,
        variation={
            name: (float(_mean(each)), _pair(_interval(each[:, None])) if is_many else None)
            for name, each in variations.items()
        },
        matrix=np.asarray(_mean(divergences)),
        roles=tuple(_role(parts[:, head]) for head in range(parts.shape[1])),
    )


def measure_maps(maps: AttentionMaps, hands: Sequence[HandRegion]) -> dict[str, Floats]:
    """Return each of ``MEASURES`` of the maps, heads and then their mean, (M,).

    NaN for what is about a hand where there is none.
    """
    shares = shares_of(np.concatenate([maps.weights, maps.mean[None]]))
    if hands:
        by_hand = [cover_parts(hand, maps.transform, maps.grid_hw) for hand in hands]
        parts = np.minimum(np.sum(by_hand, 0), 1.0)
        size_px = float(np.mean([_longer_side(hand) for hand in hands]))
    else:
        parts, size_px = np.full((len(PARTS), *maps.grid_hw), np.nan), np.nan
    return measure_shares(shares, np.minimum(parts.sum(0), 1.0)) | {
        "spread": np.hypot(*(spread(shares) * _size_wh(maps)).T) / size_px,
        **{f"on_{part}": lift(shares, cover) for part, cover in zip(PARTS, parts, strict=True)},
    }


def measure_shares(shares: Numbers, cover: Floats) -> dict[str, Floats]:
    """Return those of ``MEASURES`` that need no more than a hand's cover.

    Args:
        shares: (..., rows, columns).
        cover: Share of each patch that the hand fills, (rows, columns).
    """
    flat = np.asarray(shares).reshape(*shares.shape[:-2], -1)
    at_peak = np.take(cover.ravel(), flat.argmax(-1))
    over_area = lift(shares, cover)
    area = cover.mean()
    most = 1 / area if area > 0 else np.nan
    return {
        "mass_on_hand": mass_on(shares, cover),
        "mass_over_area": over_area,
        "most": np.where(np.isfinite(over_area), most, np.nan),
        "peak_on_hand": np.where(np.isfinite(over_area), at_peak > 0.5, np.nan),
        "effective_patches": effective_patches(shares),
    }


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


def _role(parts: Floats) -> Role | None:
    """Return what a head favours, given its lift on each part in each sign, (signs, parts)."""
    seen = parts[np.isfinite(parts).any(1)]
    if not len(seen):
        return None
    favourites = np.where(np.isfinite(seen), seen, -1.0).argmax(1)
    counts = np.bincount(favourites, minlength=len(PARTS))
    best = int(counts.argmax())
    return Role(part=PARTS[best], share=float(counts[best] / len(seen)))
