"""How a hand is put before the camera: its light, its place and turn, its sleeve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from samples.anatomy import HandBody
from samples.skin import Colour

Handedness = Literal["left", "right"]

_PALM_CENTRE: Final = np.array([-0.2, 5.6, 0.3])
"""The point of a standard hand that ``Placement.centre_px`` names, hand frame, cm."""


@dataclass(frozen=True)
class Light:
    """A soft key light and the light of the room around it."""

    direction: tuple[float, float, float] = (0.35, 0.55, 0.76)
    """Towards the key light in the camera frame: x right, y up, z to the viewer; any length."""
    key: Colour = (0.85, 0.82, 0.78)
    """Linear light of the key, 0..1.5."""
    ambient: Colour = (0.42, 0.43, 0.46)
    """Linear light that comes from everywhere."""
    softness: float = 0.16
    """Half-width of the key light as seen from the hand, radians; 0.02 a bulb, 0.4 a window."""

    def __post_init__(self) -> None:
        if math.hypot(*self.direction) < 1e-6 or self.softness <= 0.0:
            raise ValueError(f"a light needs a direction and softness > 0, got {self}")

    @classmethod
    def random(cls, rng: np.random.Generator) -> Light:
        """Return a random light of a room: from the front half, warm or cold."""
        turn = math.radians(rng.uniform(-65.0, 65.0))
        rise = math.radians(rng.uniform(5.0, 65.0))
        warm = rng.uniform(-0.10, 0.12)
        key = rng.uniform(0.55, 1.05)
        ambient = rng.uniform(0.28, 0.60)
        return cls(
            direction=(
                math.sin(turn) * math.cos(rise),
                math.sin(rise),
                math.cos(turn) * math.cos(rise),
            ),
            key=(key * (1.0 + warm), key, key * (1.0 - warm)),
            ambient=(ambient * (1.0 - 0.5 * warm), ambient, ambient * (1.0 + 0.5 * warm)),
            softness=float(rng.uniform(0.08, 0.35)),
        )


@dataclass(frozen=True)
class Placement:
    """Where a hand is in the picture and which way it turns.

    Angles are those of a right hand; a left hand is its exact mirror image. At 0 the palm faces
    the camera and the fingers point up. The hand is turned by yaw, then pitch, then roll.
    """

    centre_px: tuple[float, float]
    """Centre of the palm, px from the picture's top left corner."""
    hand_length_px: float
    """Wrist to middle fingertip of the open hand at this distance, px."""
    yaw: float = 0.0
    """Degrees about the vertical; positive turns the thumb's side away from the camera."""
    pitch: float = 0.0
    """Degrees about the horizontal; positive tips the fingers towards the camera."""
    roll: float = 0.0
    """Degrees in the picture's plane, counter-clockwise."""
    distance_cm: float = 60.0
    """Camera to palm; smaller is stronger perspective."""
    handedness: Handedness = "right"

    def __post_init__(self) -> None:
        if self.hand_length_px <= 0.0 or self.distance_cm < 25.0:
            raise ValueError(
                "hand_length_px must be > 0 and distance_cm >= 25, "
                f"got {self.hand_length_px} and {self.distance_cm}"
            )
        if self.handedness not in ("left", "right"):
            raise ValueError(f"handedness must be 'left' or 'right', got {self.handedness!r}")

    def focal_px(self, body: HandBody) -> float:
        """Focal length that shows this body at this size and distance, px."""
        return self.hand_length_px * self.distance_cm / body.hand_length_cm


@dataclass(frozen=True)
class Sleeve:
    """The end of a sleeve on the forearm."""

    colour: Colour
    """Linear light, red, green, blue in 0..1."""
    begins_cm: float = 5.0
    """Bare skin between wrist and hem, cm."""


def place_in_camera(
    placement: Placement, body: HandBody, size_wh: tuple[int, int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return how a hand stands before the camera.

    The camera is in the origin, x right, y up, and looks along -z.

    Args:
        placement: Where and how the hand is held.
        body: Its proportions.
        size_wh: Width and height of the picture, px; its middle is the optical axis.

    Returns:
        Rotation from the hand frame, shape ``(3, 3)``, with a mirror in it for left hands, and
        the place of the wrist, cm, shape ``(3,)``.
    """
    mirror = -1.0 if placement.handedness == "left" else 1.0
    yaw, pitch, roll = (math.radians(a) for a in (placement.yaw, placement.pitch, placement.roll))
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    turn_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    turn_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    turn_z = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    turn = np.diag([mirror, 1.0, 1.0]) @ turn_z @ turn_x @ turn_y
    depth = placement.distance_cm
    cm_per_px = depth / placement.focal_px(body)
    target = np.array(
        [
            (placement.centre_px[0] - size_wh[0] / 2.0) * cm_per_px,
            (size_wh[1] / 2.0 - placement.centre_px[1]) * cm_per_px,
            -depth,
        ]
    )
    return turn, target - turn @ (_PALM_CENTRE * body.scale)
