"""One picture of a signer with everything that is true about its hands.

A scene is a stack of layers under one light: background, signer, hands. Hands are sorted pixel by
pixel by their distance from the camera, so that crossing hands hide each other where they should.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from samples.anatomy import HandBody, HandPose, build_hand
from samples.camera import Camera, smear
from samples.hand import (
    Handedness,
    HandLayer,
    Light,
    Placement,
    Sleeve,
    place_in_camera,
    render_layer,
)
from samples.signer import FigureLayer
from samples.skin import Skin

Floats = npt.NDArray[np.float32]

_FOREARM_CM: Final = 26.0
"""Wrist to elbow of a hand of scale 1."""
_SHADOW_GAP_CM: Final = 14.0
"""How far behind the hands the signer's chest is taken to be where it receives their shadow."""
_VISIBLE: Final = 0.5
"""A pixel belongs to a mask if more than this share of it is the hand's bare skin."""


@dataclass(frozen=True, kw_only=True)
class SceneHand:
    """A hand as it is put into a scene."""

    pose: HandPose
    placement: Placement
    body: HandBody
    skin: Skin
    sleeve: Sleeve | None = None
    letter: str = ""
    """The handshape it shows, or "" while it shows none."""
    way_px: tuple[float, float] = (0.0, 0.0)
    """Its way from one frame to the next, px; smears it while the shutter is open."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HandTruth:
    """What is true about one hand of a picture."""

    mask: npt.NDArray[np.bool_]
    """Pixels that show this hand's bare skin (hand and forearm), shape ``(H, W)``."""
    landmarks: Floats
    """MediaPipe's 21 landmarks, px, float32, shape ``(21, 2)``; may lie outside the picture."""
    handedness: Handedness
    """The person's own left or right, in a picture that is not mirrored."""
    letter: str
    """Handshape, or "" where it is between two or none."""
    pose: HandPose
    """Joint angles."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ScenePicture:
    """A picture and its truth."""

    image: npt.NDArray[np.uint8]
    """RGB, shape ``(H, W, 3)``."""
    hands: tuple[HandTruth, ...]
    """The hands in the order they were given."""


def compose(
    background: Floats,
    hands: Sequence[SceneHand],
    light: Light,
    camera: Camera,
    rng: np.random.Generator,
    *,
    figure: FigureLayer | None = None,
    supersample: int = 2,
) -> ScenePicture:
    """Return the picture of hands before a signer (or none) before a background.

    Args:
        background: Linear RGB, float32 ``(H, W, 3)``; not modified.
        hands: Any number of hands.
        light: The light of all layers.
        camera: Shutter, exposure and sensor.
        rng: Source of the sensor noise.
        figure: The signer without hands, of the background's size.
        supersample: Rays per side in a pixel on a hand's outline.

    Raises:
        ValueError: ``figure`` has another size than ``background``.
    """
    height, width = background.shape[:2]
    picture = background
    layers = [
        render_layer(
            (width, height), hand.pose, hand.body, hand.skin, light, hand.placement, hand.sleeve,
            supersample,
        )
        for hand in hands
    ]  # fmt: skip
    if figure is not None:
        if figure.alpha.shape != (height, width):
            raise ValueError(
                f"figure must be ({height}, {width}) like the background, got {figure.alpha.shape}"
            )
        lit = figure.rgb
        for hand, layer in zip(hands, layers, strict=True):
            lit = lit * _cast_shadow(layer, hand.placement, hand.body, light)[..., None]
        picture = lit + (1.0 - figure.alpha[..., None]) * picture
    shares = _visible_shares(layers)
    # Shares add up to the cover of all hands together, so their order no longer matters.
    total = np.zeros((height, width, 4), np.float32)
    for hand, layer, share in zip(hands, layers, shares, strict=True):
        way = (hand.way_px[0] * camera.shutter, hand.way_px[1] * camera.shutter)
        area = _touched(layer.alpha, margin_px=math.ceil(max(map(abs, way))) + 2)
        seen = np.dstack([layer.rgb[area], layer.alpha[area]]) * share[area][..., None]
        total[area] += smear(seen, way)
    picture = picture * np.maximum(1.0 - total[..., 3:], 0.0) + total[..., :3]
    return ScenePicture(
        image=camera.develop(np.asarray(picture, np.float32), rng),
        hands=tuple(
            HandTruth(
                mask=layer.skin * share > _VISIBLE,
                landmarks=layer.landmarks,
                handedness=layer.handedness,
                letter=hand.letter,
                pose=hand.pose,
            )
            for hand, layer, share in zip(hands, layers, shares, strict=True)
        ),
    )


def elbow_of(hand: SceneHand, size_wh: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return where a hand's elbow is in the camera frame (x right, y up, z back), cm, ``(3,)``."""
    turn, wrist = place_in_camera(hand.placement, hand.body, size_wh)
    arm = build_hand(hand.pose, hand.body)
    end = turn @ arm.end[arm.segment == -1][-1]
    return np.asarray(wrist + end / np.linalg.norm(end) * _FOREARM_CM * hand.body.scale)


def _visible_shares(layers: Sequence[HandLayer]) -> list[Floats]:
    """Return for each layer how much of it shows past the layers nearer to the camera, (H, W)."""
    if len(layers) == 1:
        return [np.ones_like(layers[0].alpha)]
    shares = []
    for i, layer in enumerate(layers):
        share = np.ones_like(layer.alpha)
        for j, other in enumerate(layers):
            if i != j:
                nearer = other.depth < layer.depth
                share = np.where(nearer, share * (1.0 - other.alpha), share)
        shares.append(share)
    return shares


def _touched(alpha: Floats, margin_px: int) -> tuple[slice, slice]:
    """Return the rows and columns that a layer touches, with a margin."""
    spans = []
    for axis in (1, 0):
        used = np.flatnonzero(alpha.any(axis))
        first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
        spans.append(slice(max(first - margin_px, 0), last + margin_px))
    return spans[0], spans[1]


def _cast_shadow(layer: HandLayer, placement: Placement, body: HandBody, light: Light) -> Floats:
    """Return how much key light a hand leaves for the signer behind it, (H, W), 0.6 to 1."""
    per_cm = placement.focal_px(body) / placement.distance_cm
    x, y, z = light.direction
    shift = _SHADOW_GAP_CM * per_cm / max(z, 0.2 * math.hypot(x, y), 1e-3)
    move = np.array([[1, 0, -x * shift], [0, 1, y * shift]], np.float32)
    height, width = layer.alpha.shape
    # The shadow is soft, so a small picture of it is enough.
    small = max(1, round(per_cm / 2))
    size = (max(1, width // small), max(1, height // small))
    move[:, 2] /= small
    cover = cv2.resize(layer.alpha, size, interpolation=cv2.INTER_AREA)
    cover = cv2.warpAffine(cover, move, size)
    cover = cv2.GaussianBlur(cover, (0, 0), max(0.3, 2.2 * per_cm / small))
    shadow: Floats = 1.0 - 0.4 * cv2.resize(cover, (width, height), interpolation=cv2.INTER_LINEAR)
    return shadow
