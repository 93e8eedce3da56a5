"""Handshapes of the Irish Sign Language one-handed alphabet, and the ways between them.

23 letters are held still; J, X and Z are drawn in the air with the little finger, a hooked index
and a straight index. Shapes follow the frames of the ISL-HS data set (Oliveira et al., "A dataset
for Irish Sign Language recognition", IMVIP 2017). M, N and the path of X, which were not at hand
there, follow the French alphabet from which the Irish one descends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, product
from typing import Final

import numpy as np

from samples.anatomy import FINGERS, JOINTS, HandPose
from samples.contact import deepest_overlap_cm

View = tuple[float, float, float]
_Finger = tuple[float, float, float, float]
_Thumb = tuple[float, float, float, float, float, float]

_UP: Final = (2.0, 0.0, 6.0, 4.0)
_FIST: Final = (86.0, 0.0, 106.0, 62.0)
_BENT: Final = (85.0, 0.0, 100.0, 52.0)
_FOLDED: Final = (80.0, 0.0, 80.0, 40.0)
_ON_MIDDLE: Final = (10.0, 60.0, -47.0, 38.0, 1.0, 41.0)
_ON_BENT: Final = (10.0, 60.0, -45.0, 40.0, 1.0, 44.0)
_ON_RING: Final = (3.0, 61.0, -34.0, 41.0, 1.0, 43.0)
_ON_LITTLE: Final = (-8.0, 62.0, -23.0, 41.0, 1.0, 40.0)


def _shape(
    index: _Finger,
    middle: _Finger,
    ring: _Finger,
    little: _Finger,
    thumb: _Thumb,
    *,
    cup: float = 0.0,
    wrist: tuple[float, float] = (0.0, 0.0),
) -> HandPose:
    """Build a pose from degrees: fingers as mcp, side, pip, dip; thumb in the order of JOINTS."""
    degrees = {"wrist_flexion": wrist[0], "wrist_deviation": wrist[1]}
    names = ("radial", "palmar", "twist", "mcp", "side", "ip")
    degrees |= {f"thumb_{name}": angle for name, angle in zip(names, thumb, strict=True)}
    for finger, angles in zip(FINGERS, (index, middle, ring, little), strict=True):
        for joint, angle in zip(("mcp", "side", "pip", "dip"), angles, strict=True):
            degrees[f"{finger}_{joint}"] = angle
    degrees |= {"ring_cup": 0.5 * cup, "little_cup": cup}
    return HandPose.from_degrees(degrees)


_POSES: Final[dict[str, HandPose]] = {
    "A": _shape(_FIST, _FIST, _FIST, _FIST, (38, 32, -13, 36, -1, 6), cup=8),
    "B": _shape((2, -2, 6, 4), _UP, (2, 1, 6, 4), (2, 3, 6, 4), (16, 32, -34, 64, 1, 60)),
    "C": _shape(
        (34, 0, 46, 28), (34, 0, 48, 30), (34, 0, 48, 30), (34, 0, 46, 28), (34, 58, -55, 0, 0, 12)
    ),
    "D": _shape(_UP, _FIST, _FIST, _FIST, (12, 66, -47, 45, 1, 48), cup=8),
    "E": _shape(
        (46, 0, 98, 56),
        (46, 0, 100, 56),
        (48, 0, 100, 56),
        (50, 0, 98, 54),
        (27, 51, -10, 62, -1, 64),
    ),
    "F": _shape(
        (62, 4, 51, 20), (2, 2, 6, 4), (2, -6, 6, 4), (2, -14, 6, 4), (24, 41, 2, 16, -1, -5)
    ),
    "G": _shape(
        (54, 5, 48, 23), (12, 3, 10, 4), (8, -5, 6, 4), (3, -14, 6, 4), (30, 42, -9, 22, 1, 14)
    ),
    "H": _shape((2, 4, 6, 4), _BENT, _BENT, (2, -14, 6, 4), _ON_BENT),
    "I": _shape(_FIST, _BENT, _BENT, (2, -14, 6, 4), _ON_BENT),
    "K": _shape((2, 6, 6, 4), _FOLDED, (2, -4, 6, 4), (2, -18, 6, 4), (11, 62, -44, 31, 0, 37)),
    "L": _shape((2, -1, 6, 4), _UP, (2, 1, 6, 4), (2, 2, 6, 4), (58, 8, 8, 0, 0, -8)),
    "M": _shape((2, 4, 6, 4), _UP, (2, -4, 6, 4), _FOLDED, _ON_LITTLE, cup=14, wrist=(50, 0)),
    "N": _shape((2, -1, 6, 4), (2, 1, 6, 4), _BENT, _FIST, _ON_RING, cup=8, wrist=(50, 0)),
    "O": _shape(
        (49, 0, 49, 34), (44, 0, 60, 36), (49, 0, 53, 36), (50, 0, 56, 34), (5, 48, -61, 17, 4, 16)
    ),
    "P": _shape((2, -1, 6, 4), _UP, (2, 1, 6, 4), _FOLDED, _ON_LITTLE, cup=14),
    "Q": _shape((2, 3, 6, 4), (2, 4, 6, 4), _FOLDED, (2, -16, 6, 4), (1, 58, -33, 35, 0, 38)),
    "R": _shape((21, -14, 10, 4), (-6, 14, 14, 8), _BENT, _FIST, _ON_RING, cup=8),
    "S": _shape(_FIST, _FIST, _FIST, _FIST, _ON_MIDDLE, cup=8),
    "T": _shape((29, 4, 72, 40), _FIST, _FIST, _FIST, (26, 17, -5, 23, -1, 3), cup=8),
    "U": _shape((2, -1, 6, 4), (2, 1, 6, 4), _BENT, _FIST, _ON_RING, cup=8),
    "V": _shape((2, 11, 6, 4), (2, -8, 6, 4), _BENT, _FIST, _ON_RING, cup=8),
    "W": _shape((2, 13, 6, 4), _UP, (2, -13, 6, 4), _FOLDED, _ON_LITTLE, cup=14),
    "Y": _shape(_FIST, _FIST, _FIST, (2, -20, 6, 4), (56, 4, 5, 0, 0, -12), cup=5),
}
LETTERS: Final = tuple(_POSES)
"""The 23 letters that are held still."""

_VIEWS: Final[dict[str, View]] = {
    "C": (55.0, 0.0, 0.0),
    "G": (28.0, 0.0, 0.0),
    "M": (0.0, 168.0, 0.0),
    "N": (0.0, 168.0, 0.0),
    "O": (55.0, 0.0, 0.0),
}


def pose_of(letter: str) -> HandPose:
    """Return the pose of a letter that is held still.

    Raises:
        ValueError: ``letter`` is not one of ``LETTERS``.
    """
    if letter not in _POSES:
        raise ValueError(f"no handshape for {letter!r}; letters are {' '.join(LETTERS)}")
    return _POSES[letter]


def view_of(letter: str) -> View:
    """Return how a signer turns the hand for a letter: yaw, pitch, roll of a right hand, degrees.

    Raises:
        ValueError: ``letter`` is not one of ``LETTERS``.
    """
    pose_of(letter)
    return _VIEWS.get(letter, (0.0, 0.0, 0.0))


def transition(a: HandPose, b: HandPose, t: float) -> HandPose:
    """Return the pose at ``t`` on a smooth way from ``a`` to ``b`` on which fingers pass.

    Where the straight way would lead a finger or the thumb through another, the hand makes a small
    detour: it lifts the thumb, opens the fingers, or moves one of them first. The detour is the
    smallest of a fixed set that keeps everything apart, found once per pair of poses.

    Args:
        a: Pose at ``t`` = 0.
        b: Pose at ``t`` = 1.
        t: Progress; clipped to 0..1. Speed is 0 at both ends.
    """
    return _on_way(a, b, min(max(t, 0.0), 1.0), _detour(a.angles.tobytes(), b.angles.tobytes()))


_THUMB_LIFTS: Final[tuple[dict[str, float], ...]] = (
    {},
    {"thumb_radial": 16.0, "thumb_mcp": -12.0, "thumb_ip": -12.0},
    {"thumb_palmar": 16.0, "thumb_mcp": -18.0, "thumb_ip": -18.0},
    {"thumb_radial": 32.0, "thumb_mcp": -25.0, "thumb_ip": -25.0},
    {"thumb_radial": 24.0, "thumb_palmar": 24.0, "thumb_mcp": -30.0, "thumb_ip": -30.0},
    {"thumb_radial": 48.0, "thumb_palmar": 10.0, "thumb_mcp": -40.0, "thumb_ip": -40.0},
)
"""Ways for the thumb to get clear in mid-course, degrees added at the height of the detour."""
_OPENINGS: Final = (0.0, 0.25, 0.5)
"""Share of their bend that the fingers give up in mid-course."""
_PASSES: Final[tuple[dict[str, float], ...]] = (
    {},
    {"index_mcp": 24.0, "middle_mcp": -8.0, "middle_pip": 6.0},
    {"index_mcp": 36.0, "index_side": 8.0, "middle_mcp": -30.0, "middle_pip": -40.0},
)
"""How index and middle finger pass each other on the way to and from crossing."""
_LEADS: Final = (0.0, 0.3, -0.3)
"""By how much of the way the fingers are ahead of the thumb."""
_TRIAL_TIMES: Final = tuple(sorted((k / 20.0 for k in range(1, 20)), key=lambda t: abs(t - 0.5)))
"""When a way is tried: from its middle outwards, for most fail there."""
_CLEAR_CM: Final = 0.08
"""Overlap beyond that of both ends which flesh hides."""

_Detour = tuple[float, int, float, int]
_THUMB: Final = np.array([name.startswith("thumb") for name in JOINTS])
_BENDS: Final = np.array(
    [name.endswith(("_mcp", "_pip", "_dip")) and not name.startswith("thumb") for name in JOINTS]
)


def _on_way(a: HandPose, b: HandPose, t: float, detour: _Detour) -> HandPose:
    lead, lift, opening, passing = detour
    height = math.sin(math.pi * t) ** 2
    fingers, thumb = _eased(t, -lead), _eased(t, lead)
    angles = a.angles + (b.angles - a.angles) * np.where(_THUMB, thumb, fingers)
    angles = np.where(_BENDS, angles * (1.0 - opening * height), angles)
    extra = HandPose.from_degrees(_THUMB_LIFTS[lift] | _PASSES[passing])
    pose = HandPose(angles + height * extra.angles)
    # The ends may lie a little outside the limits; the detour may not.
    return pose if detour == (0.0, 0, 0.0, 0) else _within(pose, a, b)


def _within(pose: HandPose, a: HandPose, b: HandPose) -> HandPose:
    clipped = pose.clipped().angles
    low, high = np.minimum(a.angles, b.angles), np.maximum(a.angles, b.angles)
    return HandPose(np.clip(pose.angles, np.minimum(clipped, low), np.maximum(clipped, high)))


def _eased(t: float, delay: float) -> float:
    """Return progress of a part that starts late (``delay`` > 0) or arrives early (< 0)."""
    length = 1.0 - abs(delay)
    t = min(max((t - max(delay, 0.0)) / length, 0.0), 1.0)
    return t * t * t * (10.0 - 15.0 * t + 6.0 * t * t)


@lru_cache(maxsize=2048)
def _detour(a_bytes: bytes, b_bytes: bytes) -> _Detour:
    a, b = HandPose(np.frombuffer(a_bytes)), HandPose(np.frombuffer(b_bytes))
    allowed = max(deepest_overlap_cm(a), deepest_overlap_cm(b)) + _CLEAR_CM
    ways = sorted(
        product(_LEADS, range(len(_THUMB_LIFTS)), _OPENINGS, range(len(_PASSES))),
        key=lambda way: abs(way[0]) + 0.3 * way[1] + 2.0 * way[2] + 0.8 * way[3],
    )
    best, least = ways[0], math.inf
    for way in ways:
        deepest = 0.0
        for t in _TRIAL_TIMES:
            deepest = max(deepest, deepest_overlap_cm(_on_way(a, b, t, way)))
            if deepest >= least:
                break
        else:
            best, least = way, deepest
        if least <= allowed:
            break
    return best


@dataclass(frozen=True)
class Motion:
    """A letter that is drawn in the air with one handshape."""

    pose: HandPose
    """How the hand is held while it draws."""
    strokes_cm: tuple[tuple[tuple[float, float], ...], ...]
    """Lines drawn one after the other, each a row of points in the viewer's picture, x right and
    y up for a right hand, from the hand's resting place."""
    turn: View
    """Yaw, pitch and roll that the hand gains while it draws, degrees."""
    duration_s: float

    def at(self, t: float) -> tuple[tuple[float, float], View]:
        """Return where the hand is beside its resting place (cm) and its turn at ``t`` in 0..1.

        Each stroke starts and ends at rest, so corners are corners and curves are curves.
        """
        t = min(max(t, 0.0), 1.0)
        place = t * len(self.strokes_cm)
        k = min(int(place), len(self.strokes_cm) - 1)
        stroke = np.array(self.strokes_cm[k])
        lengths = np.linalg.norm(np.diff(stroke, axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(lengths)])
        at = _eased(place - k, 0.0) * along[-1]
        x, y = (float(np.interp(at, along, stroke[:, axis])) for axis in (0, 1))
        yaw, pitch, roll = (angle * _eased(t, 0.0) for angle in self.turn)
        return (x, y), (yaw, pitch, roll)


def _hook() -> tuple[tuple[float, float], ...]:
    """The line of a J as its viewer sees it: down, and round towards the signer's other side."""
    stem = [(0.0, 3.0 - 0.5 * k) for k in range(11)]
    bend = [
        (2.5 - 2.5 * math.cos(angle), -2.0 - 2.5 * math.sin(angle))
        for angle in np.linspace(0.0, math.radians(200.0), 16)[1:].tolist()
    ]
    return tuple(stem + bend)


_HOOKED: Final = _shape((14, 0, 82, 48), _FIST, _FIST, _FIST, _ON_MIDDLE, cup=8)
MOTIONS: Final[dict[str, Motion]] = {
    "J": Motion(_POSES["I"], (_hook(),), (30.0, 0.0, -22.0), 1.0),
    "X": Motion(
        _HOOKED,
        (((2.5, 2.5), (-2.5, -2.5)), ((-2.5, -2.5), (-2.5, 2.5)), ((-2.5, 2.5), (2.5, -2.5))),
        (0.0, 0.0, 0.0),
        1.2,
    ),
    "Z": Motion(
        _POSES["D"],
        (((4.0, 3.5), (-4.0, 3.5)), ((-4.0, 3.5), (4.0, -3.5)), ((4.0, -3.5), (-4.0, -3.5))),
        (0.0, 0.0, 0.0),
        1.2,
    ),
}
"""The three letters that are motions, drawn so that the signer reads them."""


@dataclass(frozen=True)
class Moment:
    """What the signing hand does at one time."""

    pose: HandPose
    letter: str
    """The letter being shown or approached."""
    view: View
    """Yaw, pitch, roll to add to a placement, degrees, for a right hand."""
    offset_cm: tuple[float, float]
    """Where the hand is beside its resting place: x right, y up for a right hand."""


@dataclass(frozen=True)
class Spelling:
    """A word spelled letter by letter; made by ``spell``. Doubled letters slide to the side."""

    word: str
    """Capitals A to Z."""
    letter_s: float
    """How long a letter is held; J, X and Z take as long as their motion."""
    change_s: float
    """How long the hand takes from one letter to the next."""

    @property
    def duration_s(self) -> float:
        """Length of the whole word, seconds."""
        return sum(map(self._held_s, self.word)) + self.change_s * (len(self.word) - 1)

    @property
    def change_starts_s(self) -> list[float]:
        """When the hand leaves each letter but the last, seconds."""
        ends = accumulate(self._held_s(letter) for letter in self.word[:-1])
        return [end + i * self.change_s for i, end in enumerate(ends)]

    def at(self, time_s: float) -> Moment:
        """Return what the hand does at a time; before and after the word it holds still."""
        left = max(time_s, 0.0)
        for i, letter in enumerate(self.word):
            held = self._held_s(letter)
            if left < held or i + 1 == len(self.word):
                return self._moment(i, left / held)
            left -= held
            if left < self.change_s:
                return self._between(i, left / self.change_s)
            left -= self.change_s
        raise AssertionError("a word has letters")

    def pose_at(self, time_s: float) -> tuple[HandPose, str]:
        """Return the pose at a time and the letter it shows or approaches."""
        moment = self.at(time_s)
        return moment.pose, moment.letter

    def _held_s(self, letter: str) -> float:
        return MOTIONS[letter].duration_s if letter in MOTIONS else self.letter_s

    def _moment(self, i: int, t: float) -> Moment:
        letter = self.word[i]
        run = i - len(self.word[:i].rstrip(letter))
        slide = _DOUBLE_CM * run
        if letter in MOTIONS:
            motion = MOTIONS[letter]
            (x, y), view = motion.at(t)
            return Moment(motion.pose, letter, view, (x + slide, y))
        return Moment(_POSES[letter], letter, view_of(letter), (slide, 0.0))

    def _between(self, i: int, t: float) -> Moment:
        here, there = self._moment(i, 1.0), self._moment(i + 1, 0.0)
        share = _eased(t, 0.0)
        yaw, pitch, roll = (a + (b - a) * share for a, b in zip(here.view, there.view, strict=True))
        x, y = (a + (b - a) * share for a, b in zip(here.offset_cm, there.offset_cm, strict=True))
        if here.letter == there.letter:
            y += 0.6 * math.sin(math.pi * share)
        pose = transition(here.pose, there.pose, t)
        return Moment(pose, there.letter, (yaw, pitch, roll), (x, y))


_DOUBLE_CM: Final = -2.5
"""How far a doubled letter slides, away from the body's middle for a right hand."""


def spell(word: str, *, letter_s: float = 0.5, change_s: float = 0.35) -> Spelling:
    """Return a word as a timeline of poses.

    Args:
        word: Letters A to Z, small or capital.
        letter_s: How long a letter is held, seconds.
        change_s: How long the change from one letter to the next takes, seconds.

    Raises:
        ValueError: The word is empty or has a character that is no letter A to Z, or a time is
            not positive.
    """
    word = word.upper()
    if not word or any(letter not in _POSES and letter not in MOTIONS for letter in word):
        raise ValueError(f"a word of the letters A to Z is needed, got {word!r}")
    if letter_s <= 0.0 or change_s <= 0.0:
        raise ValueError(f"times must be > 0 s, got {letter_s = } and {change_s = }")
    return Spelling(word, letter_s, change_s)
