"""Handshapes of the Irish Sign Language one-handed alphabet, and the ways between them.

23 letters are held still; J, X and Z are drawn in the air with the handshapes of I, a hooked index
and a pointing index. Shapes follow the frames of the ISL-HS data set (Oliveira et al., "A dataset
for Irish Sign Language recognition", IMVIP 2017) and the chart of the Irish Deaf Society.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from samples.anatomy import FINGERS, HandPose

View = tuple[float, float, float]
_Finger = tuple[float, float, float, float]
_Thumb = tuple[float, float, float, float, float, float]

_UP: Final = (2.0, 0.0, 6.0, 4.0)
_FIST: Final = (86.0, 0.0, 106.0, 62.0)


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
        (52, 0, 104, 60),
        (52, 0, 106, 60),
        (54, 0, 106, 60),
        (56, 0, 104, 58),
        (27, 51, -10, 65, -1, 71),
    ),
    "F": _shape(
        (62, 4, 51, 20), (2, 2, 6, 4), (2, -6, 6, 4), (2, -14, 6, 4), (24, 41, 2, 16, -1, -5)
    ),
    "G": _shape(
        (54, 5, 48, 23), (12, 3, 10, 4), (8, -5, 6, 4), (3, -14, 6, 4), (30, 42, -9, 22, 1, 14)
    ),
    "H": _shape((2, 2, 6, 4), _FIST, _FIST, (2, -8, 6, 4), (10, 66, -43, 49, 1, 51)),
    "I": _shape(_FIST, _FIST, _FIST, (2, -10, 6, 4), (10, 65, -45, 46, 1, 49)),
    "K": _shape(
        (2, 6, 6, 4), (80, 0, 80, 40), (2, -4, 6, 4), (2, -18, 6, 4), (11, 62, -44, 31, 0, 37)
    ),
    "L": _shape((2, -1, 6, 4), _UP, (2, 1, 6, 4), (2, 2, 6, 4), (58, 8, 8, 0, 0, -8)),
    "M": _shape(
        (2, -1, 6, 4),
        _UP,
        (2, 1, 6, 4),
        (80, 0, 80, 40),
        (-8, 62, -23, 41, 1, 40),
        cup=14,
        wrist=(70, 0),
    ),
    "N": _shape(
        (2, -1, 6, 4),
        (2, 1, 6, 4),
        (85, 0, 100, 52),
        _FIST,
        (3, 61, -34, 41, 1, 43),
        cup=8,
        wrist=(70, 0),
    ),
    "O": _shape(
        (49, 0, 49, 34), (44, 0, 60, 36), (49, 0, 53, 36), (50, 0, 56, 34), (5, 48, -61, 17, 4, 16)
    ),
    "P": _shape(
        (2, -1, 6, 4), _UP, (2, 1, 6, 4), (80, 0, 80, 40), (-8, 62, -23, 41, 1, 40), cup=14
    ),
    "Q": _shape(
        (2, 3, 6, 4), (2, 4, 6, 4), (80, 0, 80, 40), (2, -16, 6, 4), (1, 58, -33, 35, 0, 38)
    ),
    "R": _shape(
        (20, -10, 6, 4), (-6, 11, 8, 4), (85, 0, 100, 52), _FIST, (3, 61, -34, 41, 1, 43), cup=8
    ),
    "S": _shape(_FIST, _FIST, _FIST, _FIST, (10, 60, -47, 38, 1, 41), cup=8),
    "T": _shape((29, 4, 72, 40), _FIST, _FIST, _FIST, (26, 17, -5, 23, -1, 3), cup=8),
    "U": _shape(
        (2, -1, 6, 4), (2, 1, 6, 4), (85, 0, 100, 52), _FIST, (3, 61, -34, 41, 1, 43), cup=8
    ),
    "V": _shape(
        (2, 11, 6, 4), (2, -8, 6, 4), (85, 0, 100, 52), _FIST, (3, 61, -34, 41, 1, 43), cup=8
    ),
    "W": _shape(
        (2, 13, 6, 4), _UP, (2, -13, 6, 4), (80, 0, 80, 40), (-8, 62, -23, 41, 1, 40), cup=14
    ),
    "Y": _shape(_FIST, _FIST, _FIST, (2, -20, 6, 4), (56, 4, 5, 0, 0, -12), cup=5),
}
LETTERS: Final = tuple(_POSES)
"""The 23 letters that are held still."""

_VIEWS: Final[dict[str, View]] = {
    "C": (55.0, 0.0, 0.0),
    "M": (0.0, 143.0, 0.0),
    "N": (0.0, 143.0, 0.0),
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
    """Return the pose at ``t`` in 0..1 on a smooth way from ``a`` to ``b``."""
    share = t * t * t * (10.0 - 15.0 * t + 6.0 * t * t)
    return a.mixed(b, share)


@dataclass(frozen=True)
class Motion:
    """A letter that is drawn in the air with one handshape."""

    pose: HandPose
    """How the hand is held while it draws."""
    path_cm: tuple[tuple[float, float], ...]
    """Corners of the drawn line in the signer's picture, x right and y up for a right hand."""
    turn: tuple[tuple[float, float, float], ...]
    """Yaw, pitch and roll at each corner, degrees, added to the view."""


MOTIONS: Final[dict[str, Motion]] = {
    "J": Motion(_POSES["I"], ((0, 0), (0, -4), (-2, -6), (-4, -4)), ((0, 0, 0),) * 4),
    "X": Motion(_POSES["D"], ((0, 0), (2, -1), (0, 0)), ((0, 0, 0),) * 3),
    "Z": Motion(_POSES["D"], ((-4, 4), (4, 4), (-4, -4), (4, -4)), ((0, 0, 0),) * 4),
}
"""The three letters that are motions."""


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


class Spelling:
    """A word spelled letter by letter; made by ``spell``."""

    def __init__(self, word: str, letter_s: float, change_s: float) -> None:
        self.word = word
        self.letter_s = letter_s
        self.change_s = change_s

    @property
    def duration_s(self) -> float:
        """Length of the whole word, seconds."""
        return len(self.word) * (self.letter_s + self.change_s) - self.change_s

    def at(self, time_s: float) -> Moment:
        """Return what the hand does at a time; before and after the word it holds still."""
        place = min(max(time_s, 0.0), self.duration_s) / (self.letter_s + self.change_s)
        i = min(int(place), len(self.word) - 1)
        within = (place - i) * (self.letter_s + self.change_s)
        letter = self.word[i]
        here = MOTIONS[letter].pose if letter in MOTIONS else pose_of(letter)
        view = view_of(letter) if letter not in MOTIONS else (0.0, 0.0, 0.0)
        if within <= self.letter_s or i + 1 == len(self.word):
            return Moment(here, letter, view, (0.0, 0.0))
        after = self.word[i + 1]
        there = MOTIONS[after].pose if after in MOTIONS else pose_of(after)
        t = (within - self.letter_s) / self.change_s
        return Moment(transition(here, there, t), after, view, (0.0, 0.0))

    def pose_at(self, time_s: float) -> tuple[HandPose, str]:
        """Return the pose at a time and the letter it shows or approaches."""
        moment = self.at(time_s)
        return moment.pose, moment.letter


def spell(word: str, *, letter_s: float = 0.5, change_s: float = 0.35) -> Spelling:
    """Return a word as a timeline of poses.

    Raises:
        ValueError: The word is empty or has a character that is no letter A to Z.
    """
    word = word.upper()
    unknown = [letter for letter in word if letter not in _POSES and letter not in MOTIONS]
    if not word or unknown:
        raise ValueError(f"a word of letters A to Z is needed, got {word!r}")
    return Spelling(word, letter_s, change_s)
