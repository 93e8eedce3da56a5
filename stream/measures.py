"""Numbers of maps, each defined once.

Maps are arrays (..., rows, columns), >= 0, of any leading dimensions (pictures, heads). A measure
looks at how a map's sum is shared out, so what the CLS token pays to itself, and the scale of an
activation, do not count. A map whose sum is 0, or that holds a NaN or an infinity, shares nothing
out: its mask is empty, its numbers are NaN. A cover is the share of each patch that a region fills,
(..., rows, columns), 0..1; its leading dimensions are those of the maps, or are spread over them.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = [
    "centroid",
    "cover_of",
    "effective_heads",
    "effective_patches",
    "entropy_bits",
    "head_divergence",
    "jensen_shannon_bits",
    "lift",
    "mass_mask",
    "mass_on",
    "normalized_entropy",
    "peak_on",
    "rank_accuracy",
    "shares_of",
    "spread",
]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def shares_of(maps: Numbers) -> Floats:
    """Return the maps, float64 (..., rows, columns), each summing to 1."""
    maps = np.asarray(maps, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = maps.sum((-2, -1), keepdims=True)
        # Infinities would leave finite shares of 0 beside them.
        return np.asarray(maps / np.where(np.isfinite(total), total, np.nan))


def entropy_bits(maps: Numbers) -> Floats:
    """Return the Shannon entropy of each map in bits, (...): 0 where one patch has it all.

    C. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal 27, 1948.
    """
    return _entropy_of(shares_of(maps))


def normalized_entropy(maps: Numbers) -> Floats:
    """Return the entropy over the most there can be, (...): 0 one patch, 1 uniform.

    NaN for maps of a single patch, which are both.
    """
    num_patches = maps.shape[-2] * maps.shape[-1]
    return entropy_bits(maps) / (np.log2(num_patches) if num_patches > 1 else np.nan)


def effective_patches(maps: Numbers) -> Floats:
    """Return the number of patches with equal shares that would have the same entropy, (...).

    1 where one patch has it all, rows x columns where the map is uniform. (The Hill number of order
    1: M. Hill, "Diversity and Evenness", Ecology 54, 1973.)
    """
    return np.asarray(np.exp2(entropy_bits(maps)))


def mass_on(maps: Numbers, cover: Floats) -> Floats:
    """Return the share of each map that is on a region, (...), 0..1.

    Patches that the region fills in part count in part. (Relevance mass accuracy: L. Arras et al.,
    "CLEVR-XAI", Information Fusion 81, 2022.)
    """
    return np.asarray((shares_of(maps) * cover).sum((-2, -1)))


def lift(maps: Numbers, cover: Floats) -> Floats:
    """Return the share on a region over the region's share of the area, (...).

    1 is chance, 1 / (share of the area) the most there can be; NaN for a region without area.
    """
    area = np.asarray(cover, np.float64).mean((-2, -1))
    return np.asarray(mass_on(maps, cover) / np.where(area > 0, area, np.nan))


def peak_on(maps: Numbers, cover: Floats) -> Floats:
    """Return 1 where a region fills more than half of the strongest patch, else 0, (...).

    The mean over maps is the pointing game's accuracy. NaN for a region without area. (J. Zhang et
    al., "Top-Down Neural Attention by Excitation Backprop", International Journal of Computer
    Vision 126, 2018.)
    """
    shares = shares_of(maps)
    flat = shares.reshape(*shares.shape[:-2], -1)
    covers = np.broadcast_to(cover, shares.shape).reshape(flat.shape)
    at_peak = np.take_along_axis(covers, flat.argmax(-1)[..., None], -1)[..., 0]
    is_known = np.isfinite(flat).all(-1) & (covers.mean(-1) > 0)
    return np.asarray(np.where(is_known, at_peak > 0.5, np.nan))


def rank_accuracy(maps: Numbers, cover: Floats) -> Floats:
    """Return how many of the strongest patches lie on a region, (...), 0..1.

    As many patches are asked as the region has: those that it fills by more than half. Equal ones
    are taken row by row. NaN where the region has none. (Relevance rank accuracy: L. Arras et al.,
    "CLEVR-XAI", Information Fusion 81, 2022.)
    """
    shares = shares_of(maps)
    flat = shares.reshape(*shares.shape[:-2], -1)
    inside = np.broadcast_to(cover, shares.shape).reshape(flat.shape) > 0.5
    num_inside = inside.sum(-1, keepdims=True)
    weakest = np.take_along_axis(np.sort(flat, -1), -np.maximum(num_inside, 1), -1)
    stronger, equal = flat > weakest, flat == weakest
    is_asked = stronger | (
        equal & (equal.cumsum(-1) <= num_inside - stronger.sum(-1, keepdims=True))
    )
    is_known = (num_inside > 0) & np.isfinite(flat).all(-1, keepdims=True)
    return np.asarray((inside & is_asked).sum(-1) / np.where(is_known, num_inside, np.nan)[..., 0])


def mass_mask(maps: Numbers, share: float) -> npt.NDArray[np.bool_]:
    """Return the fewest patches that together hold ``share`` of each map, (..., rows, columns).

    Patches are taken from the strongest on; of equal ones the first, row by row. (M. Caron et al.,
    "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021, figure 4, and the
    option ``--threshold`` of its ``visualize_attention.py``; 60 % there.)
    """
    shares = shares_of(maps)
    flat = shares.reshape(*shares.shape[:-2], -1)
    order = np.argsort(-flat, axis=-1, kind="stable")
    ranked = np.take_along_axis(flat, order, -1)
    before = ranked.cumsum(-1) - ranked
    kept = np.zeros(flat.shape, bool)
    # A hair less, so that 0.35 + 0.3 is enough for 0.65. NaN is less than nothing.
    np.put_along_axis(kept, order, before < share - 1e-12, -1)
    return kept.reshape(shares.shape)


def jensen_shannon_bits(maps: Numbers, others: Numbers) -> Floats:
    """Return the Jensen-Shannon divergence of maps from others of the same grid, (...), in bits.

    0 where both share out alike, 1 where no patch has a share in both. (J. Lin, "Divergence
    Measures Based on the Shannon Entropy", IEEE Transactions on Information Theory 37, 1991.)
    """
    ours, theirs = shares_of(maps), shares_of(others)
    return _entropy_of((ours + theirs) / 2) - (_entropy_of(ours) + _entropy_of(theirs)) / 2


def head_divergence(maps: Numbers) -> Floats:
    """Return the mean Jensen-Shannon divergence of all pairs of heads, in bits, (...).

    0 where all heads look at the same, and for a single head; 1 where no two share a patch.

    Args:
        maps: (..., heads, rows, columns).
    """
    pairs = list(combinations(range(maps.shape[-3]), 2))
    if not pairs:
        return np.zeros(maps.shape[:-3])
    first, second = (list(side) for side in zip(*pairs, strict=True))
    divergences = jensen_shannon_bits(maps[..., first, :, :], maps[..., second, :, :])
    return np.asarray(divergences.mean(-1))


def effective_heads(maps: Numbers) -> Floats:
    """Return how many heads that share no patch would differ as much, (...), 1 to the heads.

    2 to the power of the Jensen-Shannon divergence of all heads at once, in bits: 1 where all look
    at the same. (The beta diversity of order 1: L. Jost, "Partitioning Diversity into Independent
    Alpha and Beta Components", Ecology 88, 2007.)

    Args:
        maps: (..., heads, rows, columns).
    """
    shares = shares_of(maps)
    shared = _entropy_of(shares.mean(-3)) - _entropy_of(shares).mean(-1)
    return np.asarray(np.exp2(np.maximum(shared, 0.0)))


def centroid(maps: Numbers) -> Floats:
    """Return where each map's mass is on average, (..., 2): x and y, 0..1 from the top left."""
    shares = shares_of(maps)
    y, x = _centres(shares)
    return np.stack([(shares * x).sum((-2, -1)), (shares * y).sum((-2, -1))], -1)


def spread(maps: Numbers) -> Floats:
    """Return how far the mass lies from its centroid, (..., 2): standard deviations along x and y.

    In the same units as the centroid: 1 is the whole width or height. A single patch has none.
    """
    shares = shares_of(maps)
    y, x = _centres(shares)
    middle = centroid(maps)[..., None, None, :]
    x_variance = (shares * (x - middle[..., 0]) ** 2).sum((-2, -1))
    y_variance = (shares * (y - middle[..., 1]) ** 2).sum((-2, -1))
    return np.asarray(np.sqrt(np.stack([x_variance, y_variance], -1)))


def cover_of(masks: npt.NDArray[np.bool_], grid_hw: tuple[int, int]) -> Floats:
    """Return the share of each patch that a mask fills, (..., rows, columns).

    Args:
        masks: (..., H, W), sides multiples of the grid's.
        grid_hw: Rows and columns of patches.
    """
    rows, columns = grid_hw
    height, width = masks.shape[-2:]
    blocks = masks.reshape(*masks.shape[:-2], rows, height // rows, columns, width // columns)
    return np.asarray(blocks.mean((-3, -1)), np.float64)


def _entropy_of(shares: Floats) -> Floats:
    # 0 log 0 is 0, and a NaN stays one.
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares != 0)
    return np.asarray(np.maximum(-(shares * logs).sum((-2, -1)), 0.0))


def _centres(maps: Floats) -> tuple[Floats, Floats]:
    """Return y and x of the patches' centres, 0..1, (rows, 1) and (1, columns)."""
    rows, columns = maps.shape[-2:]
    return (np.arange(rows)[:, None] + 0.5) / rows, (np.arange(columns)[None, :] + 0.5) / columns
