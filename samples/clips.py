"""The two clips that come with Signlight, drawn frame by frame, and the sound under them.

Everything is a function of the frame's number: any frame can be drawn alone, at any size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from samples.anatomy import HandBody, HandPose
from samples.backgrounds import defocus
from samples.camera import Camera
from samples.hand import Handedness, Light, Placement, Sleeve
from samples.handshapes import Spelling, pose_of, spell, transition
from samples.noise import Image
from samples.person import Signer, Vector, lip_colour
from samples.rooms import Canvas, hang_picture, hang_window, put_lamp, put_plant, put_shelf
from samples.scene import SceneHand, ScenePicture, compose, elbow_of
from samples.signer import FigureLayer, Posture, render_signer, rotation
from samples.skin import Colour, Skin

Size = tuple[int, int]
SIZE_WH: Final[Size] = (1280, 720)
FRAME_RATE: Final = 30
LENS: Final = Camera(field_of_view_deg=32.0, grain=0.003, vignette=0.22)
_SOFTNESS: Final = 0.0028
"""Defocus of the signer behind the hands, as a fraction of the picture's height."""


class Clip(Protocol):
    """A clip that can be drawn frame by frame."""

    @property
    def num_frames(self) -> int:
        """Number of frames."""

    def frame(self, index: int, size_wh: Size = SIZE_WH) -> ScenePicture:
        """Return one frame with its truth."""

    def hands_at(self, time_s: float, size_wh: Size = SIZE_WH) -> tuple[SceneHand, ...]:
        """Return how the hands are held at a time, the right one first."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A signer whose face, hands and clothes belong together."""

    tone: float
    """Skin from 0, the lightest, to 1, the darkest."""
    looks: Signer
    body: HandBody
    cuff_cm: float = 5.5
    """Bare skin between wrist and sleeve."""

    @property
    def skin(self) -> Skin:
        """Skin of the hands."""
        return Skin.of_tone(self.tone)

    def hand(self, pose: HandPose, placement: Placement, letter: str) -> SceneHand:
        """Return one of this person's hands."""
        return SceneHand(
            pose=pose,
            placement=placement,
            body=self.body,
            skin=self.skin,
            sleeve=Sleeve(self.looks.cloth, self.cuff_cm),
            letter=letter,
        )


def wander(time_s: float, seed: int, reach: float) -> float:
    """Return a smooth, never quite repeating motion within about ``-reach`` to ``reach``."""
    phases = np.random.default_rng(seed).uniform(0.0, 2.0 * math.pi, 3)
    speeds = (0.9, 1.7, 2.9)
    waves = (math.sin(s * time_s + p) for s, p in zip(speeds, phases, strict=True))
    return reach * sum(w * share for w, share in zip(waves, (0.55, 0.3, 0.15), strict=True))


def blink(time_s: float, moments_s: tuple[float, ...]) -> float:
    """Return how far the lids are closed, 0 to 1: down within 70 ms, up within 130 ms."""
    closed = 0.0
    for moment in moments_s:
        late = time_s - moment
        closed = max(closed, 1.0 + late / 0.07 if late < 0 else 1.0 - late / 0.13)
    return min(max(closed, 0.0), 1.0)


@dataclass(frozen=True)
class Fingerspelling:
    """A right hand spells a word letter by letter beside the signer's face."""

    word: str = "DAYLIGHT"
    letter_s: float = 0.70
    change_s: float = 0.46
    rest_s: float = 0.5
    """Stillness before and after the word, seconds."""

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return round((self._spelling().duration_s + 2 * self.rest_s) * FRAME_RATE)

    def frame(self, index: int, size_wh: Size = SIZE_WH) -> ScenePicture:
        """Return one frame with its truth."""
        time_s = index / FRAME_RATE
        (hand,) = self.hands_at(time_s, size_wh)
        lean = wander(time_s, 12, 1.0)
        posture = Posture(
            yaw=-7.0 + wander(time_s, 11, 2.0),
            lean=0.6 * lean,
            head_yaw=-1.0 + wander(time_s, 13, 3.0),
            head_pitch=1.5 + wander(time_s, 14, 1.5),
            head_roll=-3.0 + wander(time_s, 15, 2.0),
            blink=blink(time_s, (1.35, 4.2, 4.55, 7.6)),
            gaze=(wander(time_s, 16, 0.06), 0.0),
            smile=0.42 + wander(time_s, 17, 0.12),
            mouth=max(0.0, wander(time_s * 2.5, 19, 0.3)),
        )
        neck = (10.3 + 0.4 * lean, -5.3 + wander(time_s, 18, 0.15), -101.0)
        figure = figure_behind(_SPELLER, posture, neck, (hand, None), _DAYLIGHT, size_wh)
        room = _study(size_wh)
        noise = np.random.default_rng([1, index])
        return compose(room, [hand], _DAYLIGHT, LENS, noise, figure=figure)

    def hands_at(self, time_s: float, size_wh: Size = SIZE_WH) -> tuple[SceneHand, ...]:
        """Return how the one hand is held at a time."""
        return (_moving(self._hand, time_s, size_wh),)

    @property
    def changes_s(self) -> list[tuple[float, float]]:
        """From when to when the hand goes from one letter to the next, seconds."""
        starts = [start + self.rest_s for start in self._spelling().change_starts_s]
        return [(start, start + self.change_s) for start in starts]

    def _spelling(self) -> Spelling:
        return spell(self.word, letter_s=self.letter_s, change_s=self.change_s)

    def _hand(self, time_s: float, size_wh: Size) -> SceneHand:
        moment = self._spelling().at(time_s - self.rest_s)
        height = size_wh[1]
        distance_cm = 80.0 + wander(time_s, 1, 1.2)
        per_cm = LENS.focal_px(height) / distance_cm
        x = -15.3 + moment.offset_cm[0] + wander(time_s, 2, 0.8)
        y = -1.6 + moment.offset_cm[1] + wander(time_s, 3, 0.7)
        yaw, pitch, roll = moment.view
        placement = Placement(
            centre_px=(size_wh[0] / 2 + x * per_cm, height / 2 - y * per_cm),
            hand_length_px=_SPELLER.body.hand_length_cm * per_cm,
            yaw=yaw + 8.0 + wander(time_s, 4, 5.0),
            pitch=pitch - 3.0 + wander(time_s, 5, 4.0),
            roll=roll + 7.0 + wander(time_s, 6, 3.0),
            distance_cm=distance_cm,
        )
        return _SPELLER.hand(moment.pose, placement, moment.letter)


def draw_sign(letter: str, side_px: int = 480) -> npt.NDArray[np.uint8]:
    """Return the speller with one letter, face and hand in a square, uint8 RGB.

    Raises:
        ValueError: ``letter`` is none of the alphabet.
    """
    size_wh = (round(side_px * 16 / 9), side_px)
    clip = Fingerspelling(letter)
    left = round(0.22 * side_px)  # the hand is left of the face, and both of the picture's middle
    return clip.frame(clip.num_frames // 2, size_wh).image[:, left : left + side_px]


@dataclass(frozen=True, kw_only=True)
class Key:
    """Where a hand is at one moment of a choreography."""

    time_s: float
    x_cm: float
    """Right of the picture's centre, at the hand's distance."""
    y_cm: float
    """Above the picture's centre."""
    distance_cm: float
    letter: str
    yaw: float = 0.0
    pitch: float = 0.0
    lean: float = 0.0
    """Tilt of the fingers toward the picture's right, degrees."""


_RIGHT_KEYS: Final = (
    Key(time_s=0.0, x_cm=-17.0, y_cm=-6.0, distance_cm=80, letter="L", lean=-10),
    Key(time_s=1.1, x_cm=-16.0, y_cm=-4.0, distance_cm=78, letter="L", lean=-6, yaw=6),
    Key(time_s=2.5, x_cm=9.0, y_cm=-8.5, distance_cm=71, letter="B", lean=36, yaw=14),
    Key(time_s=3.2, x_cm=9.5, y_cm=-8.0, distance_cm=71, letter="B", lean=37, yaw=14),
    Key(time_s=4.4, x_cm=-15.0, y_cm=-4.5, distance_cm=78, letter="V", lean=-6),
    Key(time_s=5.4, x_cm=-16.0, y_cm=-3.5, distance_cm=78, letter="V", lean=-8, yaw=8),
    Key(time_s=6.6, x_cm=-13.5, y_cm=-5.5, distance_cm=77, letter="Y", lean=0, yaw=-6),
    Key(time_s=7.6, x_cm=-15.5, y_cm=-4.5, distance_cm=79, letter="Y", lean=-6),
    Key(time_s=8.8, x_cm=-15.0, y_cm=-5.0, distance_cm=79, letter="L", lean=-8),
)
_LEFT_KEYS: Final = (
    Key(time_s=0.0, x_cm=17.0, y_cm=-6.5, distance_cm=84, letter="L", lean=10),
    Key(time_s=1.1, x_cm=16.0, y_cm=-4.5, distance_cm=84, letter="L", lean=7, yaw=6),
    Key(time_s=2.5, x_cm=-9.0, y_cm=-7.5, distance_cm=88, letter="B", lean=-36, yaw=14),
    Key(time_s=3.2, x_cm=-9.5, y_cm=-8.0, distance_cm=88, letter="B", lean=-37, yaw=14),
    Key(time_s=4.4, x_cm=16.0, y_cm=-5.0, distance_cm=84, letter="U", lean=8),
    Key(time_s=5.0, x_cm=18.0, y_cm=-7.0, distance_cm=84, letter="U", lean=12),
    Key(time_s=5.8, x_cm=26.0, y_cm=-48.0, distance_cm=84, letter="B", lean=30),
    Key(time_s=6.4, x_cm=26.0, y_cm=-48.0, distance_cm=84, letter="B", lean=30),
    Key(time_s=7.4, x_cm=16.5, y_cm=-6.0, distance_cm=84, letter="L", lean=10),
    Key(time_s=8.8, x_cm=15.5, y_cm=-5.0, distance_cm=84, letter="L", lean=8),
)


@dataclass(frozen=True)
class TwoHands:
    """Both hands move, cross before the chest, and the left one leaves the picture and returns."""

    duration_s: float = 8.8

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return round(self.duration_s * FRAME_RATE)

    def hands_at(self, time_s: float, size_wh: Size = SIZE_WH) -> tuple[SceneHand, ...]:
        """Return how both hands are held at a time, the right one first."""
        return (
            keyed_hand(_GESTURER, _RIGHT_KEYS, "right", time_s, size_wh),
            keyed_hand(_GESTURER, _LEFT_KEYS, "left", time_s, size_wh),
        )

    def frame(self, index: int, size_wh: Size = SIZE_WH) -> ScenePicture:
        """Return one frame with its truth, the right hand first."""
        time_s = index / FRAME_RATE
        right, left = self.hands_at(time_s, size_wh)
        posture = Posture(
            yaw=wander(time_s, 31, 3.0),
            lean=wander(time_s, 32, 1.0),
            head_yaw=wander(time_s, 33, 5.0),
            head_pitch=2.0 + wander(time_s, 34, 2.5),
            head_roll=wander(time_s, 35, 3.0),
            blink=blink(time_s, (0.9, 3.6, 6.2)),
            smile=0.5 + wander(time_s, 38, 0.1),
            mouth=max(0.0, wander(time_s * 2.0, 36, 0.35)),
        )
        neck = (0.4 * wander(time_s, 37, 1.0), -4.2, -104.0)
        figure = figure_behind(_GESTURER, posture, neck, (right, left), _LAMPLIGHT, size_wh)
        noise = np.random.default_rng([2, index])
        return compose(_parlour(size_wh), [right, left], _LAMPLIGHT, LENS, noise, figure=figure)


def keyed_hand(
    person: Person, keys: Sequence[Key], handedness: Handedness, time_s: float, size_wh: Size
) -> SceneHand:
    """Return a hand of a choreography at one time, with its way since the frame before."""
    return _moving(lambda t, size: _keyed(person, keys, handedness, t, size), time_s, size_wh)


def figure_behind(
    person: Person,
    posture: Posture,
    neck_cm: Vector,
    hands: tuple[SceneHand | None, SceneHand | None],
    light: Light,
    size_wh: Size,
) -> FigureLayer:
    """Return the signer whose upper arms reach for the elbows of the given right and left hand."""
    turn = rotation(posture.yaw, 0.0, posture.lean).T
    elbows: list[Vector | None] = []
    for hand in hands:
        if hand is None:
            elbows.append(None)
            continue
        x, y, z = (turn @ (elbow_of(hand, size_wh) - np.array(neck_cm))).tolist()
        elbows.append((x, y, z))
    return render_signer(
        size_wh,
        person.looks,
        replace(posture, elbows=(elbows[0], elbows[1])),
        neck_cm=neck_cm,
        focal_px=LENS.focal_px(size_wh[1]),
        light=light,
        rim=0.9,
        softness_px=_SOFTNESS * size_wh[1],
    )


def _person(tone: float, cloth: Colour, hair: Colour, **looks: object) -> Person:
    back = Skin.of_tone(tone).back
    return Person(
        tone=tone,
        body=HandBody(),
        looks=Signer(skin=back, lip=lip_colour(back), cloth=cloth, hair=hair, **looks),  # type: ignore[arg-type]
    )


_SPELLER: Final = _person(
    0.40, (0.40, 0.34, 0.25), (0.020, 0.012, 0.008), hair_style="curly", jaw=0.95, shoulders=0.95
)
_GESTURER: Final = _person(
    0.78,
    (0.035, 0.10, 0.12),
    (0.010, 0.008, 0.006),
    hair_style="bun",
    jaw=0.92,
    shoulders=0.94,
    brow=0.9,
)
_DAYLIGHT: Final = Light(
    direction=(-0.66, 0.42, 0.62), key=(1.32, 1.17, 1.00), ambient=(0.17, 0.205, 0.25), softness=0.3
)
"""A big window to the left and the blue of the sky in the shadows."""
_LAMPLIGHT: Final = Light(
    direction=(0.45, 0.45, 0.77), key=(1.05, 0.90, 0.72), ambient=(0.27, 0.28, 0.31), softness=0.25
)


@lru_cache(maxsize=4)
def _study(size_wh: Size) -> Image:
    """The wall behind the speller: a window left, plain wall behind the hand, a shelf right."""
    rng = np.random.default_rng(5)
    room = Canvas.of_wall(size_wh, rng, (0.105, 0.165, 0.165), light_x=0.35)
    hang_window(room, rng, -0.32, 1.1)
    put_shelf(room, rng, 1.32, 1.05)
    put_plant(room, rng, 1.2, 1.2)
    put_lamp(room, rng, 1.62, 1.1)
    return defocus(room.picture, 0.016 * size_wh[1])


@lru_cache(maxsize=4)
def _parlour(size_wh: Size) -> Image:
    rng = np.random.default_rng(8)
    room = Canvas.of_wall(size_wh, rng, (0.36, 0.27, 0.19), light_x=1.3)
    hang_picture(room, rng, 0.12, 1.3)
    put_plant(room, rng, 0.2, 1.3)
    put_lamp(room, rng, 1.55, 1.2)
    return defocus(room.picture, 0.014 * size_wh[1])


def _keyed(
    person: Person, keys: Sequence[Key], handedness: Handedness, time_s: float, size_wh: Size
) -> SceneHand:
    times = [key.time_s for key in keys]
    values = np.array(
        [(k.x_cm, k.y_cm, k.distance_cm, k.yaw, k.pitch, k.lean) for k in keys], np.float64
    )
    x, y, distance_cm, yaw, pitch, lean = _glide(np.array(times), values, time_s)
    i = int(np.clip(np.searchsorted(times, time_s, side="right") - 1, 0, len(keys) - 2))
    share = (time_s - times[i]) / (times[i + 1] - times[i])
    # A hand takes its next shape while it travels, not while it rests.
    share = min(max((share - 0.15) / 0.6, 0.0), 1.0)
    pose = transition(pose_of(keys[i].letter), pose_of(keys[i + 1].letter), share)
    seed = 40 if handedness == "right" else 50
    per_cm = LENS.focal_px(size_wh[1]) / distance_cm
    placement = Placement(
        centre_px=(
            size_wh[0] / 2 + (x + wander(time_s, seed, 0.6)) * per_cm,
            size_wh[1] / 2 - (y + wander(time_s, seed + 1, 0.6)) * per_cm,
        ),
        hand_length_px=person.body.hand_length_cm * per_cm,
        yaw=yaw + wander(time_s, seed + 2, 4.0),
        pitch=pitch + wander(time_s, seed + 3, 4.0),
        roll=-lean if handedness == "right" else lean,
        distance_cm=distance_cm,
        handedness=handedness,
    )
    return person.hand(
        pose, placement, keys[i].letter if keys[i].letter == keys[i + 1].letter else ""
    )


def _glide(
    times: npt.NDArray[np.float64], values: npt.NDArray[np.float64], time_s: float
) -> npt.NDArray[np.float64]:
    """Return values at a time on a smooth way through keys (cubic Hermite, Catmull-Rom slopes).

    Args:
        times: Seconds, rising, shape ``(K,)``.
        values: Shape ``(K, D)``.
        time_s: Clipped to the first and last key.
    """
    time_s = min(max(time_s, float(times[0])), float(times[-1]))
    i = int(np.clip(np.searchsorted(times, time_s, side="right") - 1, 0, len(times) - 2))
    slopes = np.gradient(values, times, axis=0)
    slopes[[0, -1]] = 0.0
    # No overshoot where a value turns round or rests (Fritsch and Carlson, 1980, simplified).
    steps = np.diff(values, axis=0)
    slopes[1:-1][steps[1:] * steps[:-1] <= 0.0] = 0.0
    span = times[i + 1] - times[i]
    t = (time_s - times[i]) / span
    return np.asarray(
        values[i] * (1 + 2 * t) * (1 - t) ** 2
        + values[i + 1] * t * t * (3 - 2 * t)
        + span * t * (1 - t) * (slopes[i] * (1 - t) - slopes[i + 1] * t)
    )


def _moving(hand_at: Callable[[float, Size], SceneHand], time_s: float, size_wh: Size) -> SceneHand:
    """Return the hand at a time with its way since the frame before, for motion blur."""
    before = hand_at(time_s - 1 / FRAME_RATE, size_wh).placement.centre_px
    hand = hand_at(time_s, size_wh)
    now = hand.placement.centre_px
    return replace(hand, way_px=(now[0] - before[0], now[1] - before[1]))
