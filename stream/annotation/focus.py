"""Where a hand's maps look, in numbers, and how much that changes from frame to frame."""

from __future__ import annotations

from typing import Final

import numpy as np

from stream.annotation.moments import PARTS, Focus
from stream.annotation.parts import cover_parts, palm_axes
from stream.geometry import HandRegion
from stream.measures import (
    Floats,
    centroid,
    effective_patches,
    jensen_shannon_bits,
    lift,
    mass_on,
    normalized_entropy,
    peak_on,
    rank_accuracy,
    shares_of,
    spread,
)
from stream.scene import AttentionMaps

__all__ = ["Focuser", "lay_on_hand"]

_CELLS: Final = 22
"""Cells per side of the grid that is laid on a hand: about as fine as 28 patches across a crop."""
_SIDE: Final = 2.75
"""Its side in palm lengths: room for a hand with its fingers stretched."""
_BELOW: Final = 1.0
"""How much of it lies below the palm's middle, palm lengths; it is as wide left as right."""


class Focuser:
    """Measures maps frame by frame, and how far they are from the same hand's last ones."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, Floats]] = {}

    def measure(
        self, maps: AttentionMaps, region: HandRegion, *, frame_before: int | None
    ) -> Focus:
        """Return where maps look that were made of ``region`` in this very frame.

        Args:
            maps: Its maps.
            region: A hand, or the whole picture.
            frame_before: Index of the frame before this one; None at the first.
        """
        shares = shares_of(np.concatenate([maps.weights, maps.mean[None]]))
        transform, (rows, columns) = maps.transform, maps.grid_hw
        peak_rows, peak_columns = np.divmod(shares.reshape(len(shares), -1).argmax(1), columns)
        peaks = np.stack([(peak_columns + 0.5) / columns, (peak_rows + 0.5) / rows], -1)
        width, height = transform.crop_wh
        numbers: dict[str, Floats] = {
            "normalized_entropy": normalized_entropy(shares),
            "effective_patches": effective_patches(shares),
            "peak_xy": transform.to_frame(peaks * (width, height)),
            "centroid_xy": transform.to_frame(centroid(shares) * (width, height)),
            "spread_xy": spread(shares) * (width, height) * transform.scale_xy,
            "kept": np.append(maps.kept, maps.kept.mean()),
            "divergence_to_mean": jensen_shannon_bits(shares, shares[-1]),
            "divergence_to_before": self._divergence_to_before(
                shares, maps, region, frame_before=frame_before
            ),
        }
        if region.is_whole_frame:
            covers = np.full((len(PARTS) + 1, rows, columns), np.nan)
        else:
            parts = cover_parts(region, transform, maps.grid_hw)
            covers = np.concatenate([parts, parts.sum(0, keepdims=True)])
        mass, lifts = mass_on(shares[:, None], covers), lift(shares[:, None], covers)
        numbers |= {
            "mass_on_hand": mass[:, -1],
            "lift_on_hand": lifts[:, -1],
            "rank_accuracy": rank_accuracy(shares, covers[-1]),
            "mass_on_parts": mass[:, :-1],
            "lift_on_parts": lifts[:, :-1],
        }
        return Focus(
            is_peak_on_hand=peak_on(shares, covers[-1]) > 0,
            **{name: values.astype(np.float32) for name, values in numbers.items()},
        )

    def _divergence_to_before(
        self, shares: Floats, maps: AttentionMaps, region: HandRegion, *, frame_before: int | None
    ) -> Floats:
        laid = shares if region.is_whole_frame else lay_on_hand(shares, maps, region)
        index, before = self._before.get(region.track_id, (None, laid))
        # A hand that left is not coming back to it; only the frame before is of use.
        self._before[region.track_id] = maps.frame_index, laid
        if index is None or index != frame_before or before.shape != laid.shape:
            return np.full(len(shares), np.nan)
        is_in_both = np.isfinite(laid) & np.isfinite(before)
        return jensen_shannon_bits(
            np.where(is_in_both, laid, 0.0), np.where(is_in_both, before, 0.0)
        )


def lay_on_hand(shares: Floats, maps: AttentionMaps, region: HandRegion) -> Floats:
    """Return maps as a hand sees them that stands upright and fills a fixed grid, (M, 22, 22).

    The palm's middle stays in its place, its axis from the wrist to the knuckles points up, and
    its length is the unit, so a hand that moves, turns or comes nearer with the same attention
    keeps its numbers. Between patches values are interpolated; NaN outside the crop.

    Args:
        shares: (M, rows, columns).
        maps: Whose they are.
        region: The hand as the crop saw it.
    """
    assert region.landmarks is not None, "the whole picture is no hand"
    middle, (right, up) = palm_axes(region.landmarks)
    across = ((np.arange(_CELLS) + 0.5) / _CELLS - 0.5) * _SIDE
    along = (_SIDE - _BELOW) - (np.arange(_CELLS) + 0.5) / _CELLS * _SIDE
    points = middle + across[None, :, None] * right + along[:, None, None] * up
    return _interpolate(shares, maps.transform.to_crop(points) / maps.transform.crop_wh)


def _interpolate(values: Floats, points_xy: Floats) -> Floats:
    """Return values (M, rows, columns) at points (..., 2), 0..1 from the top left; NaN outside."""
    rows, columns = values.shape[-2:]
    flat = values.reshape(len(values), -1)
    x = np.clip(points_xy[..., 0] * columns - 0.5, 0, columns - 1)
    y = np.clip(points_xy[..., 1] * rows - 0.5, 0, rows - 1)
    left, top = x.astype(int), y.astype(int)
    right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    x, y = x - left, y - top
    upper = flat[:, top * columns + left] * (1 - x) + flat[:, top * columns + right] * x
    lower = flat[:, bottom * columns + left] * (1 - x) + flat[:, bottom * columns + right] * x
    is_inside = ((points_xy >= 0) & (points_xy <= 1)).all(-1)
    return np.where(is_inside, upper * (1 - y) + lower * y, np.nan)
