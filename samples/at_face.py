"""Clips of signs where signing happens: at chin, mouth, cheeks, forehead and chest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from samples.anatomy import HandBody
from samples.backgrounds import draw_background
from samples.clips import (
    FRAME_RATE,
    LENS,
    SIZE_WH,
    Key,
    Person,
    Size,
    blink,
    figure_behind,
    keyed_hand,
    wander,
)
from samples.hand import Light
from samples.handshapes import LETTERS
from samples.noise import Image
from samples.person import Signer
from samples.scene import SceneHand, ScenePicture, compose
from samples.signer import Posture
from samples.skin import Skin

__all__ = ["SignsAtFace"]

_PLACES: Final = {
    "chin": (-1.0, -2.5),
    "mouth": (-2.0, 2.0),
    "right cheek": (-6.0, 4.0),
    "left cheek": (4.5, 4.0),
    "forehead": (-3.0, 10.0),
    "eyes": (0.0, 7.0),
    "neck": (-2.0, -7.0),
    "chest": (2.0, -12.0),
}
"""Palms at each place: cm to the right of and above the picture's middle."""
_HOLD_S: Final = 0.45
_TRAVEL_S: Final = 0.35


@dataclass(frozen=True)
class SignsAtFace:
    """Somebody's right hand moves from place to place before their face and chest.

    Person, room, light, order of places and handshapes come from the seed alone.
    """

    seed: int = 0

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return round(len(_PLACES) * (_HOLD_S + _TRAVEL_S) * FRAME_RATE)

    def frame(self, index: int, size_wh: Size = SIZE_WH) -> ScenePicture:
        """Return one frame with its truth."""
        time_s = index / FRAME_RATE
        person, _, light = _cast(self.seed)
        (hand,) = self.hands_at(time_s, size_wh)
        posture = Posture(
            yaw=wander(time_s, 61, 4.0),
            lean=wander(time_s, 62, 1.0),
            head_yaw=wander(time_s, 63 + self.seed, 14.0),
            head_pitch=2.0 + wander(time_s, 64, 5.0),
            head_roll=wander(time_s, 65, 5.0),
            blink=blink(time_s, (0.8, 2.9, 5.1)),
            smile=0.2 + wander(time_s, 66, 0.3),
            mouth=max(0.0, wander(time_s * 2.0, 67, 0.6)),
        )
        neck = (0.5 * wander(time_s, 68, 1.0), -4.2, -98.0)
        figure = figure_behind(person, posture, neck, (hand, None), light, size_wh)
        noise = np.random.default_rng([3, self.seed, index])
        return compose(_room(self.seed, size_wh), [hand], light, LENS, noise, figure=figure)

    def hands_at(self, time_s: float, size_wh: Size = SIZE_WH) -> tuple[SceneHand, ...]:
        """Return how the hand is held at a time."""
        person, keys, _ = _cast(self.seed)
        return (keyed_hand(person, keys, "right", time_s, size_wh),)


@lru_cache(maxsize=8)
def _cast(seed: int) -> tuple[Person, tuple[Key, ...], Light]:
    """Return who signs, the hand's way, and the light."""
    rng = np.random.default_rng([71, seed])
    tone = float(rng.uniform())
    person = Person(
        tone=tone,
        looks=Signer.random(rng, Skin.of_tone(tone).back),
        body=HandBody(),
        cuff_cm=float(rng.uniform(3.0, 20.0)),
    )
    names = list(_PLACES)
    letter, keys = "B", []
    for stop, chosen in enumerate(rng.permutation(len(names))):
        x, y = _PLACES[names[int(chosen)]]
        letter = LETTERS[int(rng.integers(len(LETTERS)))]
        lean, yaw = float(rng.uniform(-35.0, 35.0)), float(rng.uniform(-25.0, 25.0))
        begins_s = stop * (_HOLD_S + _TRAVEL_S)
        keys += [
            Key(
                time_s=time_s, x_cm=x, y_cm=y, distance_cm=78.0, letter=letter, lean=lean,
                yaw=yaw + 180.0 * (seed % 2),
            )
            for time_s in (begins_s, begins_s + _HOLD_S)
        ]  # fmt: skip
    return person, tuple(keys), Light.random(rng)


@lru_cache(maxsize=8)
def _room(seed: int, size_wh: Size) -> Image:
    return draw_background(size_wh, np.random.default_rng([72, seed]), "room")
