"""What is measured of pictures whose hands are known, beside the measures of maps in stream.

Maps are arrays (N, heads, rows, columns), >= 0; of each only how it is shared out counts, as in
``stream.measures``. A cover is the share of each patch that the hand fills, (N, rows, columns).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from stream.measures import Floats, Numbers, cover_of, shares_of

__all__ = [
    "FINGERS",
    "finger_densities",
    "head_correlations",
    "jaccard",
    "kept_by_cls",
    "knn_accuracy",
    "on_bare_patches",
]

FINGERS: Final = ("thumb", "index", "middle", "ring", "little", "palm")
"""Columns of ``finger_densities``."""
_OWNER: Final = np.array([5, *(finger for finger in range(5) for _ in range(4))])
"""Part that each of MediaPipe's 21 landmarks belongs to; the wrist (0) is palm."""
_OWNER[[1, 5, 9, 13, 17]] = 5  # the knuckles, and the thumb's root, lie in the palm


def on_bare_patches(maps: Numbers, cover: Floats) -> Floats:
    """Return the attention on patches that the hand does not touch, (N, heads), 0..1.

    What ``lift`` misses of the most there can be counts the background in patches that
    the hand touches, too; here it does not count.
    """
    return np.asarray((shares_of(maps) * (cover == 0)[:, None]).sum((2, 3)))


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
