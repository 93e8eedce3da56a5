"""What competes with a hand for attention where signing happens: faces, hands, arms, wood, windows.

Each picture is what a webcam would see behind a hand that fills two thirds of it, and has no hand
of its own in front.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from samples.anatomy import HandBody
from samples.backgrounds import BackgroundKind, defocus, draw_background
from samples.camera import Camera, compress
from samples.dataset import random_hand
from samples.hand import Light, Sleeve, render_layer
from samples.noise import Image
from samples.person import Signer
from samples.signer import Posture, render_signer
from samples.skin import Colour, Skin
from samples.surfaces import draw_surface

RivalKind = Literal["face", "hand", "arm", "surface", "window"]
RIVAL_KINDS: tuple[RivalKind, ...] = get_args(RivalKind)

_HAND: Final = 2 / 3
"""Side of the hand's box over the picture's: crops have a border of a quarter on each side."""
_HEAD_CM: Final = 23.0
"""Chin to crown of a standard head."""
_HEAD_UP_CM: Final = 17.0
"""Its middle above the pit of the neck."""


def draw_rival(
    kind: RivalKind, size_px: int, rng: np.random.Generator, *, skin: Colour | None = None
) -> npt.NDArray[np.uint8]:
    """Return a square picture of something that is easily taken for a hand, uint8 RGB (S, S, 3).

    Args:
        kind: ``face``: a head, half to twice as high as the hand; ``hand``: another hand; ``arm``:
            bare forearms; ``surface``: wood and other things of skin's colour; ``window``: a bright
            window, half of the time with somebody dark before it.
        size_px: Side, px, >= 1.
        rng: Source of every choice.
        skin: Albedo of face, hand or arm, as where they are the hand's own; None draws one.
    """
    return _take_picture(_PAINTERS[kind](size_px, rng, skin), rng)


def _face(size_px: int, rng: np.random.Generator, skin: Colour | None) -> Image:
    kind: BackgroundKind | None = "room" if rng.random() < 0.4 else None
    behind = draw_background((size_px, size_px), rng, kind)
    return _with_person(behind, rng, skin, _random_light(rng), rim=float(rng.uniform(0.0, 0.8)))


def _hand(size_px: int, rng: np.random.Generator, skin: Colour | None) -> Image:
    picture = draw_background((size_px, size_px), rng)
    light = _random_light(rng)
    own = _skin_of(rng, skin)
    if rng.random() < 0.4:
        picture = _with_person(picture, rng, own.back, light, rim=0.3)
    return _with_hand(picture, rng, own, light, away=rng.uniform(0.0, 0.55))


def _arm(size_px: int, rng: np.random.Generator, skin: Colour | None) -> Image:
    picture = draw_background((size_px, size_px), rng)
    light, own = _random_light(rng), _skin_of(rng, skin)
    for _ in range(int(rng.integers(1, 3))):
        picture = _with_hand(picture, rng, own, light, away=rng.uniform(0.85, 1.15), inward=True)
    return picture


def _surface(size_px: int, rng: np.random.Generator, skin: Colour | None) -> Image:
    picture = draw_surface((size_px, size_px), rng, skin)
    sigma = size_px * 0.02 * rng.random() ** 2
    return defocus(picture, sigma) if sigma > 0.3 else picture


def _window(size_px: int, rng: np.random.Generator, skin: Colour | None) -> Image:
    kind: BackgroundKind = "room" if rng.random() < 0.6 else "gradient"
    picture = draw_background((size_px, size_px), rng, kind)
    picture = np.asarray(picture * (rng.uniform(0.45, 1.3) / picture.mean()), np.float32)
    if rng.random() < 0.5:
        return picture
    bright = Light.random(rng)
    dark = replace(
        bright, key=_times(bright.key, rng.uniform(0.02, 0.2)),
        ambient=_times(bright.ambient, rng.uniform(0.15, 0.6)),
    )  # fmt: skip
    return _with_person(picture, rng, skin, dark, rim=float(rng.uniform(0.6, 2.0)))


def _with_person(
    picture: Image, rng: np.random.Generator, skin: Colour | None, light: Light, *, rim: float
) -> Image:
    """Return the picture with somebody in it whose head is near its middle."""
    size_px = picture.shape[0]
    head_px = _HAND * size_px * math.exp(rng.uniform(math.log(0.5), math.log(2.0)))
    depth_cm = rng.uniform(45.0, 140.0)
    x, y = rng.uniform(-0.35, 0.35, 2) * size_px / head_px * _HEAD_CM
    figure = render_signer(
        (size_px, size_px),
        Signer.random(rng, _skin_of(rng, skin).back),
        Posture(
            yaw=rng.uniform(-20.0, 20.0),
            lean=rng.uniform(-6.0, 6.0),
            head_yaw=rng.uniform(-45.0, 45.0),
            head_pitch=rng.uniform(-18.0, 22.0),
            head_roll=rng.uniform(-22.0, 22.0),
            blink=float(rng.random() < 0.12),
            gaze=(rng.uniform(-0.3, 0.3), rng.uniform(-0.15, 0.1)),
            smile=rng.uniform(-0.3, 0.6),
            mouth=max(0.0, rng.uniform(-0.5, 0.8)),
        ),
        neck_cm=(float(x), float(y) - _HEAD_UP_CM, -depth_cm),
        focal_px=depth_cm * head_px / _HEAD_CM,
        light=light,
        rim=rim,
        softness_px=size_px * (0.003 + 0.02 * float(rng.random()) ** 3),
    )
    return np.asarray(figure.rgb + (1.0 - figure.alpha[..., None]) * picture, np.float32)


def _with_hand(
    picture: Image, rng: np.random.Generator, skin: Skin, light: Light, *, away: float,
    inward: bool = False,
) -> Image:  # fmt: skip
    """Return the picture with a hand whose palm is ``away`` sides from the middle.

    Args:
        picture: What is behind it.
        rng: Source of every choice.
        skin: The hand's.
        light: The light on it.
        away: Distance of the palm from the picture's middle, sides.
        inward: Whether its forearm points across the middle.
    """
    size_px = picture.shape[0]
    sleeve = None
    if not inward and rng.random() < 0.5:
        sleeve = Sleeve(_times((1.0, 1.0, 1.0), rng.uniform(0.02, 0.5)), rng.uniform(2.0, 9.0))
    hand = random_hand(rng, size_px, skin, HandBody.random(rng), sleeve)
    turn = rng.uniform(0.0, 2 * math.pi)
    roll = hand.placement.roll
    if inward:  # a hand with a roll of 0 points up, its forearm down
        roll = math.degrees(turn) - 90.0 + rng.uniform(-15.0, 15.0)
    placement = replace(
        hand.placement,
        centre_px=(
            size_px * (0.5 + away * math.cos(turn)), size_px * (0.5 - away * math.sin(turn))
        ),
        hand_length_px=size_px * (rng.uniform(0.8, 1.5) if inward else rng.uniform(0.4, 0.95)),
        roll=roll,
    )  # fmt: skip
    layer = render_layer(
        (size_px, size_px), hand.pose, hand.body, skin, light, placement, sleeve, 2
    )
    return np.asarray(layer.rgb + (1.0 - layer.alpha[..., None]) * picture, np.float32)


def _skin_of(rng: np.random.Generator, back: Colour | None) -> Skin:
    """Return a random skin, brought near a colour where one is given."""
    skin = Skin.random(rng)
    if back is None:
        return skin
    near = np.clip(np.array(back) * rng.uniform(0.85, 1.15), 0.01, 1.0)
    gain = near / np.array(skin.back)
    palm, nail = (np.clip(np.array(c) * gain, 0.01, 1.0) for c in (skin.palm, skin.nail))
    return replace(skin, back=_colour(near), palm=_colour(palm), nail=_colour(nail))


def _random_light(rng: np.random.Generator) -> Light:
    """Return the light of a room, a screen's or a lamp's from one side, or a flat bright one."""
    light = Light.random(rng)
    chance = rng.random()
    if chance < 0.25:  # one lamp or window, and little else
        hue = rng.uniform((0.8, 0.85, 0.7), (1.25, 1.05, 1.35))
        return replace(
            light, key=_colour(np.array(light.key) * hue * 1.3), ambient=_times(light.ambient, 0.35)
        )
    if chance < 0.5:  # a screen, or a cloudy day: hardly a shadow
        return replace(light, key=_times(light.key, 0.35), ambient=_times(light.ambient, 1.7))
    return light


def _take_picture(light: Image, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return what a webcam makes of linear light: noise, blur, sharpening, compression."""
    taken = Camera.random(rng).develop(light, rng)
    return compress(taken, int(rng.integers(30, 96))) if rng.random() < 0.8 else taken


def _times(colour: Colour, factor: float) -> Colour:
    return _colour(np.array(colour) * factor)


def _colour(values: npt.NDArray[np.float64]) -> Colour:
    red, green, blue = np.maximum(values, 0.005).tolist()
    return red, green, blue


_PAINTERS: dict[RivalKind, Callable[[int, np.random.Generator, Colour | None], Image]] = {
    "face": _face,
    "hand": _hand,
    "arm": _arm,
    "surface": _surface,
    "window": _window,
}
