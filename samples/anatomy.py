"""The hand's skeleton: joint angles, their limits, body sizes, and forward kinematics.

The hand frame is that of a right hand held up with its palm to the viewer: x towards the thumb,
y towards the fingertips, z out of the palm, origin in the wrist, centimetres. A left hand is the
mirror image of the same frame, made when the hand is placed in front of a camera.

Bone lengths are the means of Buryanov and Kotiuk, "Proportions of hand segments",
Int. J. Morphol. 28(3), 2010, tables 1 to 3; the ranges of motion follow Hollister et al.,
J. Orthop. Res. 10, 1992 (thumb) and the clinical norms of the AAOS (fingers, wrist).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from samples.rotations import rotation_x, rotation_y, rotation_z

Array = npt.NDArray[np.float64]

FINGERS: Final = ("index", "middle", "ring", "little")
"""The four fingers from the thumb's side; the thumb has joints of its own kind."""

LIMITS_DEG: Final[dict[str, tuple[float, float]]] = {
    "wrist_flexion": (-60.0, 85.0),
    "wrist_deviation": (-20.0, 35.0),
    "thumb_radial": (-25.0, 75.0),
    "thumb_palmar": (-10.0, 80.0),
    "thumb_twist": (-110.0, 40.0),
    "thumb_mcp": (-10.0, 70.0),
    "thumb_side": (-20.0, 20.0),
    "thumb_ip": (-25.0, 85.0),
    **{
        f"{finger}_{joint}": limits
        for finger in FINGERS
        for joint, limits in (
            ("mcp", (-20.0, 95.0)),
            ("side", (-30.0, 30.0)),
            ("pip", (0.0, 112.0)),
            ("dip", (-8.0, 80.0)),
        )
    },
    "ring_cup": (0.0, 12.0),
    "little_cup": (0.0, 25.0),
}
"""Lowest and highest angle of every joint, degrees, in the order of ``HandPose.angles``.

Flexion is positive; ``wrist_deviation`` is positive towards the little finger and ``*_side``
towards the thumb; ``thumb_radial`` and ``thumb_palmar`` lead the thumb's metacarpal away from the
index in and out of the palm's plane, ``thumb_twist`` turns its pad (0 faces the little finger,
negative faces the fingertips); ``*_cup`` folds the outer palm.
"""

JOINTS: Final = tuple(LIMITS_DEG)
"""Names of the 26 joint angles."""

_INDEX: Final = {name: i for i, name in enumerate(JOINTS)}
_LOW: Final = np.radians([low for low, _ in LIMITS_DEG.values()])
_HIGH: Final = np.radians([high for _, high in LIMITS_DEG.values()])


@dataclass(frozen=True, eq=False)
class HandPose:
    """One configuration of the hand's joints. Immutable."""

    angles: Array = field(default_factory=lambda: np.zeros(len(JOINTS)))
    """Radians, float64, shape ``(26,)``, in the order of ``JOINTS``, read-only."""

    def __post_init__(self) -> None:
        angles = np.array(self.angles, dtype=np.float64)
        if angles.shape != (len(JOINTS),) or not np.isfinite(angles).all():
            raise ValueError(f"angles must be {len(JOINTS)} finite numbers, got {angles.shape}")
        angles.flags.writeable = False
        object.__setattr__(self, "angles", angles)

    @classmethod
    def from_degrees(cls, degrees: Mapping[str, float]) -> HandPose:
        """Return the pose with the named joints set; the others are 0.

        Raises:
            ValueError: a name is not one of ``JOINTS``.
        """
        angles = np.zeros(len(JOINTS))
        for name, value in degrees.items():
            if name not in _INDEX:
                raise ValueError(f"no joint is called {name!r}; joints are {', '.join(JOINTS)}")
            angles[_INDEX[name]] = math.radians(value)
        return cls(angles)

    def __getitem__(self, joint: str) -> float:
        """Angle of one joint, radians."""
        return float(self.angles[_INDEX[joint]])

    def degrees(self) -> dict[str, float]:
        """All angles by name, degrees."""
        return dict(zip(JOINTS, np.degrees(self.angles).tolist(), strict=True))

    def clipped(self) -> HandPose:
        """Return the nearest pose within the anatomical limits."""
        return HandPose(np.clip(self.angles, _LOW, _HIGH))

    def mixed(self, other: HandPose, share: float) -> HandPose:
        """Return the pose ``share`` of the way to ``other``, joint by joint."""
        return HandPose(self.angles + (other.angles - self.angles) * share)

    def varied(self, rng: np.random.Generator, amount: float = 1.0) -> HandPose:
        """Return the pose as another person would hold it: a few degrees off, within limits.

        Fingers that touch keep touching, because all four lean and bend mostly together.
        """
        deviation = np.radians(3.0) * amount * rng.standard_normal(len(JOINTS))
        together = np.radians(2.0) * amount * rng.standard_normal(4)
        for finger in FINGERS:
            first = _INDEX[f"{finger}_mcp"]
            deviation[first : first + 4] += together
            deviation[first + 1] *= 0.4
        deviation[:2] *= 2.0
        deviation[_INDEX["thumb_radial"] : _INDEX["thumb_ip"] + 1] *= 0.7
        return HandPose(self.angles + deviation).clipped()


@dataclass(frozen=True)
class HandBody:
    """Proportions of one person's hand. The defaults are the mean of adults."""

    scale: float = 1.0
    """Overall size, 1 = an 18.7 cm hand; adults span 0.85 to 1.15."""
    girth: float = 1.0
    """Thickness of fingers and wrist relative to their length."""
    palm_width: float = 1.0
    """Breadth of the palm relative to its length."""
    finger_lengths: tuple[float, float, float, float, float] = (1.0, 1.0, 1.0, 1.0, 1.0)
    """Length factors of thumb, index, middle, ring and little finger."""

    def __post_init__(self) -> None:
        factors = (self.scale, self.girth, self.palm_width, *self.finger_lengths)
        if len(self.finger_lengths) != 5 or not all(0.5 <= factor <= 2.0 for factor in factors):
            raise ValueError(f"body factors must be eight numbers in 0.5..2, got {factors}")

    @classmethod
    def random(cls, rng: np.random.Generator) -> HandBody:
        """Return the hand of a random adult."""
        scale, girth, width = np.clip(rng.standard_normal(3), -2.0, 2.0)
        lengths = 1.0 + 0.025 * np.clip(rng.standard_normal(5), -2.0, 2.0)
        thumb, index, middle, ring, little = lengths.tolist()
        return cls(
            scale=float(1.0 + 0.06 * scale),
            girth=float(1.0 + 0.055 * girth),
            palm_width=float(1.0 + 0.04 * width),
            finger_lengths=(thumb, index, middle, ring, little),
        )

    @property
    def hand_length_cm(self) -> float:
        """Wrist to tip of the straight middle finger, centimetres."""
        return self.scale * float(_KNUCKLES[1, 1] + _PHALANGES[1].sum() * self.finger_lengths[2])


@dataclass(frozen=True, eq=False)
class HandGeometry:
    """The hand's surface as N round cones in the hand frame, and its landmarks."""

    start: Array
    """Centre of each cone's first sphere, cm, shape ``(N, 3)``."""
    end: Array
    """Centre of each cone's last sphere, cm, shape ``(N, 3)``."""
    radius: Array
    """Radii of the two spheres, cm, shape ``(N, 2)``."""
    part: npt.NDArray[np.int64]
    """0 palm and arm, 1 to 4 index to little finger, 5 thumb; sorted, shape ``(N,)``."""
    segment: npt.NDArray[np.int64]
    """-1 arm, 0 palm, 1, 2, 3 proximal, middle, distal phalanx, shape ``(N,)``."""
    palmar: Array
    """Unit vector out of each cone's palm side, at a right angle to its axis, ``(N, 3)``."""
    bend: Array
    """Flexion at the start and at the end of each cone, radians, shape ``(N, 2)``."""
    roots: Array
    """Where each part grows out of the palm, cm, shape ``(6, 3)``; row 0 is unused."""
    landmarks: Array
    """The 21 landmarks in MediaPipe's order, cm, shape ``(21, 3)``."""


_KNUCKLES: Final = np.array(
    [[2.55, 8.75, 0.0], [0.45, 9.0, -0.15], [-1.55, 8.5, -0.10], [-3.30, 7.55, 0.20]]
)
"""Centres of the heads of the finger metacarpals, cm."""
_CARPUS: Final = np.array(
    [[1.15, 1.6, -0.05], [0.40, 1.4, -0.15], [-0.40, 1.4, -0.15], [-1.20, 1.6, 0.0]]
)
"""Their bases, cm."""
_PHALANGES: Final = np.array(
    [[3.98, 2.24, 1.96], [4.46, 2.63, 2.13], [4.14, 2.57, 2.12], [3.27, 1.81, 1.97]]
)
"""Lengths of proximal, middle and distal phalanx (this one with the soft tip), cm."""
_THICKNESS: Final = np.array(
    [
        [1.10, 0.96, 0.85, 0.69],
        [1.10, 0.97, 0.87, 0.71],
        [1.05, 0.92, 0.82, 0.66],
        [0.93, 0.80, 0.72, 0.59],
    ]
)
"""Radii at the knuckle, the two joints and the tip, cm."""
_THUMB_BASE: Final = np.array([1.75, 2.0, 0.75])
_THUMB_BONES: Final = np.array([4.62, 3.16, 2.74])
_THUMB_THICKNESS: Final = (1.35, 1.18, 1.06, 0.80)
_SEEN_WRIST: Final = np.array([-0.2, 0.75, 0.25])
_SEEN_KNUCKLES: Final = np.array([[0, 0, 0.3], [0, -0.3, 0.3], [0, -0.4, 0.25], [0, -0.1, 0.1]])
_SEEN_JOINTS: Final = ((-0.42, -0.25), (-0.50, 0.0), (0.08, 0.0))
"""Where MediaPipe's landmarks lie, which follow what annotators saw, not the centres of joints:
the wrist in the hand frame, knuckles from their centres, finger joints and tips along and out of
the palm side of the bone before them, cm. Fitted on 319 rendered views (mean error 0.111 to 0.088
palm widths)."""
_CONVERGENCE: Final = np.radians([-4.0, -1.0, 2.5, 5.0])
"""Curled fingers point at the scaphoid: each turns inward by this much at a right angle."""
_ARM_CM: Final = 34.0


def build_hand(pose: HandPose, body: HandBody) -> HandGeometry:
    """Return the cones and landmarks of a right hand in the hand frame.

    Args:
        pose: Joint angles; used as they are, limits are the caller's business.
        body: Proportions; ``body.scale`` scales everything.
    """
    cones = _Cones()
    width = np.array([body.palm_width, 1.0, 1.0])
    landmarks = np.zeros((21, 3))
    roots = np.zeros((6, 3))
    frames = _place_palm(cones, pose, width)
    _place_thumb(cones, pose, body, width, roots, landmarks)
    _place_arm(cones, pose)
    for i, finger in enumerate(FINGERS):
        _place_finger(cones, pose, body, i, finger, frames[i], roots, landmarks)
    return cones.finish(body, roots * body.scale, landmarks * body.scale)


class _Cones:
    """Collects cones before they become arrays."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, Array, Array, float, float, Array, float, float]] = []

    def add(
        self,
        start: Array,
        end: Array,
        radii: tuple[float, float],
        *,
        part: int = 0,
        segment: int = 0,
        palmar: Array | None = None,
        bend: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        axis = end - start
        up = np.array([0.0, 0.0, 1.0]) if palmar is None else palmar
        up = up - axis * (up @ axis) / (axis @ axis)
        up = up / np.linalg.norm(up)
        self.rows.append((part, segment, start, end, *radii, up, *bend))

    def finish(self, body: HandBody, roots: Array, landmarks: Array) -> HandGeometry:
        rows = sorted(self.rows, key=lambda row: row[0])
        return HandGeometry(
            start=np.array([row[2] for row in rows]) * body.scale,
            end=np.array([row[3] for row in rows]) * body.scale,
            radius=np.array([row[4:6] for row in rows]) * body.scale * body.girth,
            part=np.array([row[0] for row in rows]),
            segment=np.array([row[1] for row in rows]),
            palmar=np.array([row[6] for row in rows]),
            bend=np.array([row[7:9] for row in rows]),
            roots=roots,
            landmarks=landmarks,
        )


def _place_palm(cones: _Cones, pose: HandPose, width: Array) -> list[tuple[Array, Array]]:
    """Add the metacarpals and the heel of the hand; return each finger's root and rotation."""
    frames = []
    for i in range(4):
        base, head = _CARPUS[i] * width, _KNUCKLES[i] * width
        cup = pose["ring_cup"] if i == 2 else pose["little_cup"] if i == 3 else 0.0
        turn = rotation_z(-0.35 * cup) @ rotation_x(cup)
        head = base + turn @ (head - base)
        cones.add(base, head, (1.45, _THICKNESS[i, 0] * 0.94))
        frames.append((head, turn))
    little = frames[3][0]
    heel = np.array([-1.6, 2.0, 0.75]) * width
    cones.add(heel, 0.42 * heel + 0.58 * little + np.array([0.1, 0.0, 0.35]), (1.3, 1.05))
    return frames


def _place_finger(
    cones: _Cones,
    pose: HandPose,
    body: HandBody,
    i: int,
    finger: str,
    frame: tuple[Array, Array],
    roots: Array,
    landmarks: Array,
) -> None:
    point, turn = frame
    flexions = [pose[f"{finger}_{joint}"] for joint in ("mcp", "pip", "dip")]
    sideways = pose[f"{finger}_side"] * max(0.15, math.cos(flexions[0]))
    inward = _CONVERGENCE[i] * math.sin(max(0.0, min(flexions[0], math.pi / 2)))
    turn = turn @ rotation_z(-sideways) @ rotation_y(inward)
    roots[i + 1] = point
    landmarks[5 + 4 * i] = point + _SEEN_KNUCKLES[i]
    radii = _THICKNESS[i]
    total = 0.0
    for j in range(3):
        total += flexions[j]
        bone = turn @ rotation_x(total)
        length = _PHALANGES[i, j] * body.finger_lengths[i + 1]
        if j == 2:
            length -= radii[3] * body.girth
        end = point + bone[:, 1] * length
        after = flexions[j + 1] if j < 2 else 0.0
        cones.add(
            point,
            end,
            (float(radii[j]), float(radii[j + 1])),
            part=i + 1,
            segment=j + 1,
            palmar=bone[:, 2],
            bend=(flexions[j], after),
        )
        point = end
        seen = _SEEN_JOINTS[j]
        landmarks[6 + 4 * i + j] = point + bone[:, 1] * seen[0] + bone[:, 2] * seen[1]


def _place_thumb(
    cones: _Cones, pose: HandPose, body: HandBody, width: Array, roots: Array, landmarks: Array
) -> None:
    base = _THUMB_BASE * width
    lengths = _THUMB_BONES * body.finger_lengths[0]
    thick = _THUMB_THICKNESS
    radial, palmar, twist = pose["thumb_radial"], pose["thumb_palmar"], pose["thumb_twist"]
    sin_r, cos_r, sin_p, cos_p = (
        math.sin(radial),
        math.cos(radial),
        math.sin(palmar),
        math.cos(palmar),
    )
    along = np.array([sin_r * cos_p, cos_r * cos_p, sin_p])
    outward = np.array([cos_r, -sin_r, 0.0])
    upward = np.array([-sin_r * sin_p, -cos_r * sin_p, cos_p])
    pad = -math.cos(twist) * outward + math.sin(twist) * upward
    knuckle = base + along * lengths[0]
    # The muscles of the ball of the thumb, and the web that joins it to the index.
    front = np.array([0.0, 0.0, 0.6]) + 0.6 * pad
    cones.add(base, knuckle, (1.55, thick[1] * 1.05), palmar=front)
    belly = 0.45 * base + 0.55 * knuckle
    cones.add(np.array([0.8, 2.3, 0.85]) * width, belly - 0.5 * outward, (1.35, 1.25))
    web = 0.5 * knuckle + 0.5 * np.array([2.0, 6.4, -0.1]) * width
    cones.add(np.array([1.6, 4.2, 0.1]) * width, web, (1.0, 0.62))
    roots[5] = knuckle
    landmarks[0] = _SEEN_WRIST
    landmarks[1] = base + 0.28 * (knuckle - base)
    landmarks[2] = knuckle + 0.1 * along
    side = np.cross(along, pad)
    lean = pose["thumb_side"]
    along = along * math.cos(lean) + side * math.sin(lean)
    point = knuckle
    mcp, ip = pose["thumb_mcp"], pose["thumb_ip"]
    for j, (flexion, after) in enumerate(((mcp, ip), (ip, 0.0))):
        along, pad = (
            along * math.cos(flexion) + pad * math.sin(flexion),
            pad * math.cos(flexion) - along * math.sin(flexion),
        )
        length = lengths[j + 1] - (thick[3] * body.girth if j == 1 else 0.0)
        end = point + along * length
        cones.add(
            point,
            end,
            (thick[j + 1], thick[j + 2]),
            part=5,
            segment=1 if j == 0 else 3,
            palmar=pad,
            bend=(flexion, after),
        )
        point = end
        landmarks[3 + j] = point + along * (-0.35 if j == 0 else 0.1)


def _place_arm(cones: _Cones, pose: HandPose) -> None:
    turn = rotation_z(-pose["wrist_deviation"]) @ rotation_x(-pose["wrist_flexion"])
    for side in (-1.0, 1.0):
        # One cone from carpus to elbow: joints in between would swell where cones melt together.
        carpus = np.array([side * 1.15, 0.9, -0.05])
        elbow = turn @ np.array([side * 1.60, -_ARM_CM, -0.3])
        cones.add(carpus, elbow, (1.70, 3.0), segment=-1, palmar=turn[:, 2])
