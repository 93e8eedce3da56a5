"""The numbers: where attention is, what it covers, how heads differ, what features know.

Maps are arrays (N, heads, rows, columns), >= 0; each head of each picture is first scaled to sum to
1, so that what the CLS token pays to itself does not count: ``kept_by_cls`` tells that. A cover is
the share of each patch that the hand fills, (N, rows, columns).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "FINGERS",
    "cover_of",
    "finger_densities",
    "head_correlations",
    "head_divergence",
    "jaccard",
    "kept_by_cls",
    "knn_accuracy",
    "mass_mask",
    "mass_over_area",
    "on_bare_patches",
    "peak_on_hand",
    "shares_of",
]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]

FINGERS: Final = ("thumb", "index", "middle", "ring", "little", "palm")
"""Columns of ``finger_densities``."""
_OWNER: Final = np.array([5, *(finger for finger in range(5) for _ in range(4))])
"""Part that each of MediaPipe's 21 landmarks belongs to; the wrist (0) is palm."""
_OWNER[[1, 5, 9, 13, 17]] = 5  # the knuckles, and the thumb's root, lie in the palm


def shares_of(maps: Numbers) -> Floats:
    """Return the maps with every head of every picture summing to 1."""
    maps = np.asarray(maps, np.float64)
    return np.asarray(maps / np.maximum(maps.sum((2, 3), keepdims=True), 1e-30))


def cover_of(masks: npt.NDArray[np.bool_], grid_hw: tuple[int, int]) -> Floats:
    """Return the share of each patch that a mask fills, (N, rows, columns).

    Args:
        masks: (N, H, W), sides multiples of the grid's.
        grid_hw: Rows and columns of patches.
    """
    rows, columns = grid_hw
    count, height, width = masks.shape
    blocks = masks.reshape(count, rows, height // rows, columns, width // columns)
    return np.asarray(blocks.mean((2, 4)), np.float64)


def mass_over_area(maps: Numbers, cover: Floats) -> Floats:
    """Return the attention on the hand over the hand's share of the area, (N, heads).

    1 is chance; 1 / (share of the area) the most there can be.
    """
    area = np.maximum(cover.mean((1, 2)), 1e-12)
    on_hand = (shares_of(maps) * cover[:, None]).sum((2, 3))
    return np.asarray(on_hand / area[:, None])


def on_bare_patches(maps: Numbers, cover: Floats) -> Floats:
    """Return the attention on patches that the hand does not touch, (N, heads), 0..1.

    What ``mass_over_area`` misses of the most there can be counts the background in patches that
    the hand touches, too; here it does not count.
    """
    return np.asarray((shares_of(maps) * (cover == 0)[:, None]).sum((2, 3)))


def peak_on_hand(maps: Numbers, cover: Floats) -> npt.NDArray[np.bool_]:
    """Return whether the strongest patch of the mean map is more than half hand, (N,)."""
    mean = shares_of(maps).mean(1).reshape(len(maps), -1)
    peak = mean.argmax(1)
    return np.asarray(cover.reshape(len(maps), -1)[np.arange(len(maps)), peak] > 0.5)


def mass_mask(maps: Numbers, share: float = 0.6) -> npt.NDArray[np.bool_]:
    """Return the fewest patches that hold ``share`` of each head's attention, (N, heads, ...).

    The mask of M. Caron et al. (ICCV 2021, figure 4 and appendix), which keeps 60 %.
    """
    flat = shares_of(maps).reshape(*maps.shape[:2], -1)
    order = np.argsort(-flat, axis=-1, kind="stable")
    ranked = np.take_along_axis(flat, order, -1)
    before = ranked.cumsum(-1) - ranked
    kept = np.zeros(flat.shape, bool)
    np.put_along_axis(kept, order, before < share - 1e-12, -1)
    return kept.reshape(maps.shape)


def jaccard(kept: npt.NDArray[np.bool_], masks: npt.NDArray[np.bool_]) -> Floats:
    """Return intersection over union, in pixels, of kept patches with hands, (N, heads).

    Args:
        kept: (N, heads, rows, columns).
        masks: (N, H, W), sides multiples of the grid's.
    """
    # Counting how much of each patch is hand gives the same numbers as enlarging the patches.
    cover = cover_of(masks, (kept.shape[2], kept.shape[3]))[:, None]
    both = (cover * kept).sum((2, 3))
    either = cover.sum((2, 3)) + ((1 - cover) * kept).sum((2, 3))
    return np.asarray(both / np.maximum(either, 1e-12))


def head_divergence(maps: Numbers) -> float:
    """Return the mean Jensen-Shannon divergence of all pairs of heads, in bits.

    0 where all heads look at the same, 1 where no two share a patch; 0 for a single head. (J. Lin,
    "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37,
    1991.)
    """
    shares = shares_of(maps).reshape(*maps.shape[:2], -1)
    pairs = list(combinations(range(shares.shape[1]), 2))
    if not pairs:
        return 0.0
    divergences = [
        _entropy_bits((shares[:, i] + shares[:, j]) / 2)
        - (_entropy_bits(shares[:, i]) + _entropy_bits(shares[:, j])) / 2
        for i, j in pairs
    ]
    return float(np.mean(divergences))


def head_correlations(maps: Numbers) -> Floats:
    """Return Pearson's correlation of each pair of heads, mean over pictures, (pairs,)."""
    flat = shares_of(maps).reshape(*maps.shape[:2], -1)
    centred = flat - flat.mean(-1, keepdims=True)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-30)
    pairs = combinations(range(flat.shape[1]), 2)
    return np.array([float((unit[:, i] * unit[:, j]).sum(-1).mean()) for i, j in pairs])


def kept_by_cls(maps: Numbers) -> Floats:
    """Return the attention that the CLS token pays to itself, mean over pictures, (heads,), 0..1.

    A head near 1 hands on nothing of any patch: its map, however good it looks, is of no effect.

    Args:
        maps: Maps of N pictures as the model gives them, which with that share sum to 1.
    """
    kept: Floats = 1.0 - maps.sum((2, 3), dtype=np.float64).mean(0)
    return kept


def finger_densities(
    maps: Numbers,
    masks: npt.NDArray[np.bool_],
    landmarks: Numbers,
) -> Floats:
    """Return the mean map's density on each finger and the palm, over uniform attention, (N, 6).

    A pixel of the hand belongs to the part whose landmark is nearest; wrist and knuckles are palm,
    and so is the forearm. NaN where a part does not show.

    Args:
        maps: Maps of N pictures.
        masks: (N, H, W).
        landmarks: (N, 21, 2), MediaPipe's order, pixels of the masks.
    """
    count, height, width = masks.shape
    mean = shares_of(maps).mean(1) * (maps.shape[2] * maps.shape[3])  # 1 is uniform
    density = mean.repeat(height // maps.shape[2], 1).repeat(width // maps.shape[3], 2)
    result = np.full((count, len(FINGERS)), np.nan)
    for picture in range(count):
        y, x = np.nonzero(masks[picture])
        if not len(y):
            continue
        points = np.stack([x, y], 1) + 0.5
        distance = np.linalg.norm(points[:, None] - landmarks[picture][None], axis=2)
        owner = _OWNER[distance.argmin(1)]
        values = density[picture, y, x]
        for part in range(len(FINGERS)):
            mine = owner == part
            if mine.sum() >= 8:  # a sliver of a finger says more about the outline
                result[picture, part] = values[mine].mean()
    return result


def knn_accuracy(
    features: Numbers,
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    k: int = 5,
) -> float:
    """Return the share of labels that the k nearest features of other groups vote for.

    Leave one group (person) out: nobody is recognised by pictures of their own hand. Nearness is
    the cosine; of labels with equal votes, the one with the nearest neighbour wins. NaN where there
    is one group only.

    Raises:
        ValueError: ``k`` < 1, or labels or groups for another number of features.
    """
    if k < 1 or not len(features) == len(labels) == len(groups):
        raise ValueError(
            f"k must be >= 1 and lengths equal, got {k = }, {len(features)} features, "
            f"{len(labels)} labels, {len(groups)} groups"
        )
    flat = np.asarray(features, np.float64).reshape(len(features), -1)
    unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-30)
    group_of, label_of = np.asarray(groups), np.asarray(labels)
    if len(set(groups)) < 2:
        return float("nan")
    right = 0
    for group in sorted(set(groups)):
        mine = group_of == group
        others = label_of[~mine]
        near = np.argsort(-(unit[mine] @ unit[~mine].T), axis=1, kind="stable")[:, :k]
        # Counter keeps the order of first appearance, which is that of nearness.
        votes = [Counter(others[row].tolist()).most_common(1)[0][0] for row in near]
        right += sum(vote == label for vote, label in zip(votes, label_of[mine], strict=True))
    return right / len(labels)


def _entropy_bits(shares: Floats) -> Floats:
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(-1))
