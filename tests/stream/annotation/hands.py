"""Rendered hands as the annotation sees them, and maps to put on them."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from samples.hand import HandPicture, render_hand
from stream.frames import Frame
from stream.geometry import CropTransform, Handedness, HandRegion
from stream.measures import Floats, cover_of
from stream.scene import AgedMaps, AttentionMaps, Scene

SIZE_PX = 224
GRID_HW = (28, 28)
WHOLE_PICTURE = CropTransform.identity((SIZE_PX, SIZE_PX))
FRAME_WH = (640, 480)


@lru_cache
def rendered(letter: str, seed: int) -> HandPicture:
    return render_hand(letter, size_px=SIZE_PX, seed=seed)


def region_of(
    landmarks: npt.NDArray[np.floating],
    handedness: Handedness = "right",
    *,
    track_id: int = 0,
    unseen_s: float = 0.0,
) -> HandRegion:
    left, top = landmarks.min(0).tolist()
    right, bottom = landmarks.max(0).tolist()
    return HandRegion(
        box_xyxy=(left, top, right, bottom),
        landmarks=landmarks.astype(np.float32),
        handedness=handedness,
        score=1.0,
        track_id=track_id,
        unseen_s=unseen_s,
    )


def true_cover(picture: HandPicture) -> Floats:
    """Share of each patch that shows each part, (6, 28, 28)."""
    return cover_of(picture.part_masks, GRID_HW)


def bumps_on(cover: Floats) -> npt.NDArray[np.float32]:
    """Maps that look at a few patches of a hand each, spread over all of it."""
    rows, columns = np.nonzero(cover.sum(0) > 0.5)
    chosen = np.linspace(0, len(rows) - 1, 12).astype(int)
    y, x = np.indices(cover.shape[1:])
    away = (y - rows[chosen, None, None]) ** 2 + (x - columns[chosen, None, None]) ** 2
    return np.asarray(np.exp(-away / (2 * 1.5**2)), np.float32)


def maps_of(
    weights: npt.NDArray[np.floating],
    transform: CropTransform = WHOLE_PICTURE,
    *,
    frame_index: int = 0,
    track_id: int = 0,
) -> AttentionMaps:
    return AttentionMaps(
        weights=weights.astype(np.float32),
        kind="attention",
        model="fake",
        layer=11,
        transform=transform,
        frame_index=frame_index,
        track_id=track_id,
    )


def scene_of(
    index: int,
    *hands: HandRegion,
    time_s: Fraction | None = None,
    maps: AttentionMaps | None = None,
    duration: int | None = None,
) -> Scene:
    """A scene at 30 frames a second unless told when."""
    time_s = Fraction(index, 30) if time_s is None else time_s
    return Scene(
        frame=Frame(
            image=np.zeros((FRAME_WH[1], FRAME_WH[0], 3), np.uint8),
            pts=time_s.numerator,
            time_base=Fraction(1, time_s.denominator),
            duration=duration,
            index=index,
            captured_ns=0,
        ),
        hands=hands,
        maps={maps.track_id: AgedMaps(maps=maps, age_s=0.0)} if maps else {},
    )
