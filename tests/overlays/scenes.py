"""Scenes for the tests of what is drawn: small, synthetic, every pixel known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stream.frames import Frame, RgbImage
from stream.geometry import CropTransform, Handedness, HandRegion
from stream.scene import AgedMaps, AttentionMaps, MapKind, Scene
from stream.stats import Stats

__all__ = [
    "GREY",
    "flat_picture",
    "make_maps",
    "make_region",
    "make_scene",
    "one_hot",
    "random_weights",
    "two_hands",
]

GREY = 128
MARGIN = 0.25
"""Of crops around boxes, as a fraction of the longer side."""

Box = tuple[float, float, float, float]


def flat_picture(size_wh: tuple[int, int] = (320, 240), value: int = GREY) -> RgbImage:
    return np.full((size_wh[1], size_wh[0], 3), value, np.uint8)


def one_hot(row: int, column: int, grid: int = 4) -> npt.NDArray[np.float32]:
    """Return a map with all its weight on one patch."""
    weights = np.zeros((grid, grid), np.float32)
    weights[row, column] = 1.0
    return weights


def make_region(
    box: Box = (100, 80, 180, 160),
    *,
    handedness: Handedness = "right",
    track_id: int = 0,
    unseen_s: float = 0.0,
) -> HandRegion:
    left, top, right, bottom = box
    along = np.linspace(0.2, 0.8, 21)
    landmarks = np.stack([left + along * (right - left), top + along * (bottom - top)], axis=1)
    return HandRegion(
        box_xyxy=box,
        landmarks=landmarks.astype(np.float32),
        handedness=handedness,
        score=0.9,
        track_id=track_id,
        unseen_s=unseen_s,
    )


def make_maps(
    region: HandRegion,
    weights: npt.NDArray[np.float32],
    *,
    mean: npt.NDArray[np.float32] | None = None,
    kind: MapKind = "attention",
    time_s: float = 0.0,
    is_random: bool = False,
) -> AttentionMaps:
    """Return maps of a square crop around a region, or of the whole picture."""
    grid_h, grid_w = weights.shape[1:]
    left, top, right, bottom = region.box_xyxy
    if not region.is_whole_frame:
        half = max(right - left, bottom - top) * (0.5 + MARGIN)
        x, y = region.centre_xy
        left, top, right, bottom = x - half, y - half, x + half, y + half
    crop_wh = (16 * grid_w, 16 * grid_h)
    transform = CropTransform(
        left_px=left,
        top_px=top,
        scale_xy=((right - left) / crop_wh[0], (bottom - top) / crop_wh[1]),
        crop_wh=crop_wh,
    )
    return AttentionMaps(
        weights=weights,
        mean=weights.mean(axis=0, dtype=np.float32) if mean is None else mean,
        kind=kind,
        model="dino_vits16" if kind == "attention" else "dino_resnet50",
        layer=11,
        transform=transform,
        region_box_xyxy=region.box_xyxy,
        track_id=region.track_id,
        time_s=time_s,
        is_random=is_random,
    )


def make_scene(
    image: RgbImage,
    hands: Sequence[HandRegion] = (),
    maps: Sequence[AttentionMaps] = (),
    *,
    age_s: float = 0.0,
    time_s: float = 1.0,
    stats: Stats | None = None,
) -> Scene:
    frame = Frame(
        image=image,
        pts=round(time_s * 1000),
        time_base=Fraction(1, 1000),
        index=0,
        captured_ns=0,
    )
    aged = {m.track_id: AgedMaps(maps=m, age_s=age_s) for m in maps}
    return Scene(frame=frame, hands=tuple(hands), maps=aged, stats=stats)


def random_weights(num_heads: int = 6, grid: int = 8, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return attention whose heads differ, (num_heads, grid, grid)."""
    weights = np.random.default_rng(seed).uniform(0, 1, (num_heads, grid, grid)) ** 3
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    return np.asarray(weights, np.float32)


def two_hands(
    image: RgbImage | None = None,
    *,
    age_s: float = 0.0,
    is_random: bool = False,
    unseen_s: float = 0.0,
    stats: Stats | None = None,
) -> Scene:
    """Return a picture with a right and a left hand and their maps."""
    hands = [
        make_region((60, 80, 130, 150), handedness="right", track_id=0, unseen_s=unseen_s),
        make_region((190, 90, 250, 160), handedness="left", track_id=1, unseen_s=unseen_s),
    ]
    maps = [
        make_maps(hand, random_weights(seed=hand.track_id), is_random=is_random) for hand in hands
    ]
    return make_scene(
        flat_picture() if image is None else image, hands, maps, age_s=age_s, stats=stats
    )
