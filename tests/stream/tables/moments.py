"""Moments as a measurer makes them of a signer, but whose numbers are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import Absence, Focus, HandMoment, Moment, Motion, Stretch, TierKind
from stream.frames import Frame
from stream.geometry import CropTransform, Handedness, HandRegion
from stream.measures import (
    centroid,
    effective_patches,
    jensen_shannon_bits,
    normalized_entropy,
    spread,
)
from stream.scene import AgedMaps, AttentionMaps, Scene

__all__ = [
    "HEADS",
    "SIZE_WH",
    "hand_moment",
    "make_moment",
    "moments",
    "scene_of",
    "stretches",
    "whole_picture",
]

SIZE_WH = (320, 240)
HEADS = 3
GRID = 8
CROP_PX = 128
TIME_BASE = Fraction(1, 25)


def moments(
    num: int, *, time_base: Fraction = TIME_BASE, ticks: int = 1, begun_pts: int = 0
) -> Iterator[Moment]:
    """Yield frames in which a right hand holds and moves in turn, and a left one comes late."""
    for index in range(num):
        hands, absent = [], dict[Handedness, Absence]()
        hands.append(hand_moment(index, "right", 0))
        if index < num // 4:
            absent["left"] = "not yet"
        elif index < num // 2:
            hands.append(hand_moment(index, "left", 1))
        else:
            absent["left"] = "left the picture"
        pts = begun_pts + index * ticks
        yield make_moment(index, hands, absent, pts=pts, begun_pts=begun_pts, time_base=time_base)


def make_moment(
    index: int,
    hands: list[HandMoment],
    absent: dict[Handedness, Absence] | None = None,
    *,
    pts: int | None = None,
    begun_pts: int = 0,
    time_base: Fraction = TIME_BASE,
) -> Moment:
    pts = index if pts is None else pts
    return Moment(
        frame_index=index,
        pts=pts,
        time_base=time_base,
        time_s=(pts - begun_pts) * time_base,
        duration_s=None,
        hands=tuple(hands),
        absent=absent or {},
    )


def hand_moment(
    index: int, side: Handedness, track_id: int, *, unseen_s: float = 0.0, grid: int = GRID
) -> HandMoment:
    """Return a hand that goes round; every second second it stays."""
    turn = 2 * math.pi * (index // 50 + max(0, index % 50 - 25) / 25) / 4
    x = (90 if side == "right" else 230) + 30 * math.cos(turn)
    y = 120 + 40 * math.sin(turn)
    box = (x - 40, y - 40, x + 40, y + 40)
    along = np.linspace(0.1, 0.9, 21)
    landmarks = np.stack([box[0] + 80 * along, box[1] + 80 * along[::-1]], 1).astype(np.float32)
    region = HandRegion(
        box_xyxy=box,
        landmarks=landmarks,
        handedness=side,
        score=0.75,
        track_id=track_id,
        unseen_s=unseen_s,
    )
    if unseen_s:
        return HandMoment(region=region, motion=None, maps=None, focus=None)
    speed = 0.1 if index % 50 < 25 else 3.0 + math.sin(index)
    motion = Motion(
        palm_xy=np.array([x, y], np.float32),
        palm_px=40.0,
        palm_speed=speed if index else math.nan,
        shape_speed=speed / 4,
        joint_angles=np.linspace(0, 1.4, 15, dtype=np.float32),
        joint_rates=np.linspace(-1, 1, 15, dtype=np.float32),
    )
    maps = _maps(region, index, grid)
    return HandMoment(
        region=region,
        motion=motion,
        maps=AgedMaps(maps=maps, age_s=0.0),
        focus=_focus(maps, is_first=index == 0),
    )


def whole_picture(index: int) -> HandMoment:
    """Return the picture as one region without a hand."""
    region = HandRegion.whole_frame(SIZE_WH)
    maps = _maps(region, index, GRID)
    focus = _focus(maps, is_first=index == 0, is_hand=False)
    return HandMoment(region=region, motion=None, maps=AgedMaps(maps=maps, age_s=0.0), focus=focus)


def scene_of(moment: Moment) -> Scene:
    """Return the scene that a moment is of: a grey slope with a bright square for each hand."""
    image = np.empty((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    image[:] = np.linspace(40, 120, SIZE_WH[0], dtype=np.uint8)[None, :, None]
    for hand in moment.hands:
        left, top, right, bottom = (round(edge) for edge in hand.region.box_xyxy)
        image[max(0, top) : bottom, max(0, left) : right] = (220, 170, 130)
    return Scene(
        frame=Frame(
            image=image,
            pts=moment.pts,
            time_base=moment.time_base,
            index=moment.frame_index,
            captured_ns=0,
        ),
        hands=tuple(hand.region for hand in moment.hands),
        maps={hand.region.track_id: hand.maps for hand in moment.hands if hand.maps},
    )


def stretches(num: int) -> list[Stretch]:
    """Return what lasts in ``moments(num)``, for ``num`` a multiple of 100 or less than 51."""
    end_s = num * TIME_BASE

    def stretch(
        tier: TierKind, hand: Handedness | None, start: int, end: int, value: str
    ) -> Stretch:
        ends = (start * TIME_BASE, min(end * TIME_BASE, end_s))
        return Stretch(tier=tier, hand=hand, start_s=ends[0], end_s=ends[1], value=value)

    found = [stretch("in view", "right", 0, num, "in view")]
    for begin in range(0, num, 50):
        found.append(stretch("phase", "right", begin, begin + 25, "hold"))
        if begin + 25 < num:
            found.append(stretch("phase", "right", begin + 25, begin + 50, "movement"))
            found.append(stretch("handshape change", "right", begin + 25, begin + 30, ""))
        head = str(begin // 50 % HEADS)
        found.append(stretch("most focused head", "right", begin, begin + 50, head))
    found.append(stretch("not seen", "left", 0, num // 4, "not yet"))
    found.append(stretch("in view", "left", num // 4, num // 2, "in view"))
    found.append(stretch("not seen", "left", num // 2, num, "left the picture"))
    found.append(stretch("number of hands", None, 0, num // 4, "1"))
    return found


def _maps(region: HandRegion, index: int, grid: int) -> AttentionMaps:
    y, x = np.mgrid[0:grid, 0:grid] / grid
    weights = np.stack(
        [
            np.exp(-((x - 0.3 - 0.1 * head) ** 2 + (y - 0.5) ** 2) / (0.01 + 0.02 * head))
            for head in range(HEADS)
        ]
    )
    weights[0] += 0.2 * (1 + math.sin(index / 9))
    weights *= 0.9 / weights.sum((1, 2), keepdims=True)
    left, top = region.centre_xy[0] - 64, region.centre_xy[1] - 64
    return AttentionMaps(
        weights=weights.astype(np.float32),
        kind="attention",
        model="dino_hands8",
        layer=11,
        transform=CropTransform(
            left_px=left, top_px=top, scale_xy=(2.0, 2.0), crop_wh=(CROP_PX // 2, CROP_PX // 2)
        ),
        region_box_xyxy=region.box_xyxy,
        track_id=region.track_id,
        frame_index=index,
        time_s=float(index * TIME_BASE),
    )


def _focus(maps: AttentionMaps, *, is_first: bool, is_hand: bool = True) -> Focus:
    weights = np.concatenate([maps.weights, maps.mean[None]])
    num = len(weights)
    on_hand = np.linspace(0.5, 0.8, num) if is_hand else np.full(num, np.nan)
    parts = np.tile(on_hand[:, None] / 6, 6)

    def narrow(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return values.astype(np.float32)

    place = maps.transform.to_frame(centroid(weights) * maps.transform.crop_wh)
    return Focus(
        normalized_entropy=narrow(normalized_entropy(weights)),
        effective_patches=narrow(effective_patches(weights)),
        peak_xy=narrow(place),
        is_peak_on_hand=np.arange(num) % 2 == 0,
        centroid_xy=narrow(place),
        spread_xy=narrow(spread(weights) * CROP_PX),
        mass_on_hand=narrow(on_hand),
        lift_on_hand=narrow(2 * on_hand),
        rank_accuracy=narrow(on_hand),
        mass_on_parts=narrow(parts),
        lift_on_parts=narrow(2 * parts),
        kept=np.full(num, 0.1, np.float32),
        divergence_to_mean=narrow(jensen_shannon_bits(weights, maps.mean)),
        divergence_to_before=np.full(num, np.nan if is_first else 0.05, np.float32),
    )
