"""The values that tables, tiers and curves are made of: a moment for each frame, and stretches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from stream.geometry import Handedness, HandRegion
from stream.scene import AgedMaps

__all__ = ["PARTS", "Absence", "Focus", "HandMoment", "Moment", "Motion", "Stretch", "TierKind"]

Array = npt.NDArray[np.float32]

PARTS = ("thumb", "index", "middle", "ring", "little", "palm")
"""Parts of a hand, in the order of the columns of ``mass_on_parts``."""

Absence = Literal["not yet", "left the picture", "lost"]
"""Why a hand is not seen: it never was so far; its last box touched the edge; else."""

TierKind = Literal[
    "in view",
    "not seen",
    "phase",
    "handshape change",
    "most focused head",
    "number of hands",
    "dominant hand",
    "mark",
    "setting",
    "signal",
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Motion:
    """How a hand moves, smoothed over its neighbours in time; NaN where there are too few."""

    palm_xy: Array
    """float32 (2,), middle of the palm in frame pixels."""
    palm_px: float
    """Length of the palm, wrist to the knuckle of the middle finger, in frame pixels; where that is
    foreshortened, what the palm's other lines tell."""
    palm_speed: float
    """Speed of the palm's middle in palm lengths a second."""
    shape_speed: float
    """Speed of the 21 landmarks in the palm's own frame, root mean square, palm lengths a second:
    what is left when the palm's shift, turn and size are taken out."""
    joint_angles: Array
    """float32 (15,), radians, 0 straight: of each finger from the thumb on, its three joints from
    the palm outwards, as they look in the picture."""
    joint_rates: Array
    """float32 (15,), their change in radians a second."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Focus:
    """Where a hand's maps look. Arrays over the heads and then their mean: M = heads + 1.

    Each number is defined in ``stream.measures``; places are in frame pixels.
    """

    normalized_entropy: Array
    """(M,) 0 one patch, 1 uniform."""
    effective_patches: Array
    """(M,)"""
    peak_xy: Array
    """(M, 2) middle of the strongest patch."""
    is_peak_on_hand: npt.NDArray[np.bool_]
    """(M,)"""
    centroid_xy: Array
    """(M, 2)"""
    spread_xy: Array
    """(M, 2) standard deviations."""
    mass_on_hand: Array
    """(M,) 0..1; NaN for the whole picture, which is no hand. So are the following four."""
    lift_on_hand: Array
    """(M,) 1 is chance."""
    rank_accuracy: Array
    """(M,) 0..1"""
    mass_on_parts: Array
    """(M, 6) 0..1, in the order of ``PARTS``."""
    lift_on_parts: Array
    """(M, 6)"""
    kept: Array
    """(M,) share that is not on the patches; of the mean, the mean."""
    divergence_to_mean: Array
    """(M,) Jensen-Shannon divergence to the heads' mean, bits."""
    divergence_to_before: Array
    """(M,) the same to the hand's maps of the frame before, each laid onto the hand; NaN at its
    first."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HandMoment:
    """One hand (or the whole picture) in one frame."""

    region: HandRegion
    """Where it is, who it is, how long unseen."""
    motion: Motion | None
    """None for the whole picture, and while the place is only held."""
    maps: AgedMaps | None
    """Its maps; None while there are none."""
    focus: Focus | None
    """Where they look; None without maps of this very frame."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Moment:
    """One frame, without its picture."""

    frame_index: int
    """From 0."""
    pts: int
    """Presentation time in ``time_base`` ticks."""
    time_base: Fraction
    """Seconds per tick."""
    time_s: Fraction
    """Presentation time in the file, seconds, exact."""
    duration_s: Fraction | None
    """How long it is shown, where that is known: else until the next."""
    hands: tuple[HandMoment, ...]
    """The hands in it."""
    absent: Mapping[Handedness, Absence]
    """Why hands are not seen in it, held ones among them; empty for the whole picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Something that lasts: from its first frame on until the first frame that is not of it."""

    tier: TierKind
    """What it tells of."""
    hand: Handedness | None
    """Whose it is; None of both."""
    start_s: Fraction
    """When its first frame is shown."""
    end_s: Fraction
    """When the next frame is shown, or the last one ends; later than ``start_s``."""
    value: str
    """What is so: a word of the tier's vocabulary, a head's number, a mark's name, a reason."""
