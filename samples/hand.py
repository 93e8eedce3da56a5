"""A rendered hand with its truth: picture, mask, landmarks.

``render_hand`` makes one small picture for a test; ``render_layer`` makes a transparent layer that
a scene can put anywhere.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from samples.anatomy import HandBody, HandGeometry, HandPose, build_hand
from samples.distance import CONE_COLUMNS
from samples.handshapes import pose_of, view_of
from samples.raymarch import SETTINGS, TILE_PX, trace_tiles
from samples.shading import (
    AMBIENT,
    BACK,
    BLOOD,
    BUMP,
    CREASE,
    GLOSS,
    KEY,
    LIGHT,
    LOOK_SIZE,
    NAIL,
    PALM,
    SEED,
    SLEEVE,
    SLEEVE_ON,
    SLEEVE_Y,
    SOFTNESS,
    UNIT,
)
from samples.skin import Colour, Skin
from samples.staging import Handedness, Light, Placement, Sleeve, place_in_camera
from samples.tone import to_display, to_linear

Floats = npt.NDArray[np.float32]

__all__ = [
    "HAND_PARTS",
    "HandLayer",
    "HandPicture",
    "Handedness",
    "Light",
    "Placement",
    "Sleeve",
    "landmarks_of",
    "place_in_camera",
    "render_hand",
    "render_layer",
]

HAND_PARTS: Final = ("thumb", "index", "middle", "ring", "little", "palm")
"""What of a hand has a mask of its own: fingers from the knuckle on, and the rest to the wrist."""
_GEOMETRY_PARTS: Final = (5, 1, 2, 3, 4, 0)
"""Their numbers in ``HandGeometry.part``."""
_PAD_SWELL: Final = np.array([0.0, 0.14, 0.10, 0.06])
"""How far the pads of the three phalanges stand out on the palm side, cm; 0 for the palm."""
_THREADS: Final = min(2, os.cpu_count() or 1)


@dataclass(frozen=True, eq=False)
class HandLayer:
    """A hand over nothing, to be laid over a picture: ``rgb + (1 - alpha) * picture``."""

    rgb: Floats
    """Linear light, premultiplied with ``alpha``, float32, shape ``(H, W, 3)``."""
    alpha: Floats
    """Share of each pixel that hand, arm and sleeve cover, float32, shape ``(H, W)``."""
    depth: Floats
    """Distance from the camera plane, cm, float32, shape ``(H, W)``; inf outside."""
    skin: Floats
    """Share of each pixel that is bare skin (hand and arm without sleeve), shape ``(H, W)``."""
    part_masks: npt.NDArray[np.bool_]
    """Pixels whose middle shows each of ``HAND_PARTS``, shape ``(6, H, W)``."""
    landmarks: Floats
    """MediaPipe's 21 landmarks, px, float32, shape ``(21, 2)``."""
    landmark_depth: Floats
    """Their distance from the camera plane, cm, float32, shape ``(21,)``."""
    handedness: Handedness

    @property
    def skin_mask(self) -> npt.NDArray[np.bool_]:
        """Pixels that are mostly bare skin, shape ``(H, W)``."""
        return self.skin >= 0.5


@dataclass(frozen=True, eq=False)
class HandPicture:
    """A small picture of one hand with everything that is true about it."""

    image: npt.NDArray[np.uint8]
    """RGB, shape ``(S, S, 3)``."""
    mask: npt.NDArray[np.bool_]
    """Hand and bare forearm, shape ``(S, S)``."""
    part_masks: npt.NDArray[np.bool_]
    """Where each of ``HAND_PARTS`` is seen, shape ``(6, S, S)``."""
    landmarks: Floats
    """MediaPipe's 21 landmarks, px, shape ``(21, 2)``."""
    handedness: Handedness
    letter: str
    pose: HandPose = field(repr=False)


def render_layer(
    size_wh: tuple[int, int],
    pose: HandPose,
    body: HandBody,
    skin: Skin,
    light: Light,
    placement: Placement,
    sleeve: Sleeve | None = None,
    supersample: int = 2,
) -> HandLayer:
    """Return one hand as a transparent layer; only the tiles it touches are computed.

    Args:
        size_wh: Width and height of the picture, px.
        pose: Joint angles.
        body: Proportions.
        skin: Colours.
        light: Key light and ambient light.
        placement: Where and how the hand is held.
        sleeve: Sleeve on the forearm, or None for a bare arm.
        supersample: Rays per side in a pixel on an outline; 1 gives hard edges.

    Raises:
        ValueError: The picture is empty or ``supersample`` is not in 1..8.
    """
    width, height = size_wh
    if width < 1 or height < 1:
        raise ValueError(f"size_wh must be at least (1, 1), got {size_wh}")
    if not 1 <= supersample <= 8:
        raise ValueError(f"supersample must be in 1..8, got {supersample}")
    geometry = build_hand(pose, body)
    focal = placement.focal_px(body)
    centre = (width / 2.0, height / 2.0)
    turn, wrist = place_in_camera(placement, body, size_wh)
    cones = _pack(geometry, turn, wrist, body)
    roots = np.ascontiguousarray(geometry.roots @ turn.T + wrist, dtype=np.float32)
    landmarks, landmark_depth = _project(geometry, placement, body, size_wh)
    rgb = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    bare = np.zeros((height, width), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    label = np.zeros((height, width), np.int32)
    parts = np.zeros((height, width), np.int32)
    settings = np.zeros(SETTINGS, np.float32)
    unit = body.scale
    settings[:] = (
        focal, *centre, 1.1 * unit, 0.8 * unit, 0.05 * unit, 14.0 * unit, supersample, unit,
        placement.distance_cm / focal,
    )  # fmt: skip
    to_hand = np.ascontiguousarray(np.concatenate([turn.T, wrist[None]]), dtype=np.float32)
    window = _window(cones, focal, centre, width, height)
    arguments = (
        window, cones, geometry.part.astype(np.int32), geometry.segment.astype(np.int32), roots,
        to_hand, _look(skin, light, sleeve, body), settings, rgb, alpha, bare, depth, label, parts,
    )  # fmt: skip
    if window[2] > window[0] and window[3] > window[1]:
        _run(arguments, refine=False)
        if supersample > 1:
            _run(arguments, refine=True)
    return HandLayer(
        rgb=rgb,
        alpha=alpha,
        depth=depth,
        skin=bare,
        part_masks=np.stack([parts == 1 + part for part in _GEOMETRY_PARTS]),
        landmarks=landmarks,
        landmark_depth=landmark_depth,
        handedness=placement.handedness,
    )


def landmarks_of(
    size_wh: tuple[int, int], pose: HandPose, body: HandBody, placement: Placement
) -> Floats:
    """Return where a hand's 21 landmarks are in the picture, px, float32, shape ``(21, 2)``."""
    return _project(build_hand(pose, body), placement, body, size_wh)[0]


def render_hand(
    letter: str,
    *,
    size_px: int = 128,
    seed: int = 0,
    handedness: Handedness | None = None,
    background: npt.NDArray[np.uint8] | Colour | None = None,
    supersample: int = 2,
) -> HandPicture:
    """Return a random picture of one handshape with its truth; the same seed, the same bytes.

    Args:
        letter: One of ``samples.handshapes.LETTERS``.
        size_px: Side of the picture.
        seed: Chooses person, skin, light, view and, where left out, hand and background.
        handedness: Which hand, or None for either.
        background: RGB picture, uint8 ``(S, S, 3)``, a colour in 0..1 (linear light), or None
            for a random soft gradient.
        supersample: Rays per side in a pixel on an outline.

    Raises:
        ValueError: Unknown letter, ``size_px`` < 1 or a background of another shape.
    """
    pose = pose_of(letter)
    if size_px < 1:
        raise ValueError(f"size_px must be >= 1, got {size_px}")
    rng = np.random.default_rng([seed, ord(letter[0])])
    pose = pose.varied(rng)
    body, skin, light = HandBody.random(rng), Skin.random(rng), Light.random(rng)
    hand: Handedness = "left" if rng.uniform() < 0.5 else "right"
    yaw, pitch, roll = view_of(letter)
    placement = Placement(
        centre_px=(size_px * rng.uniform(0.46, 0.54), size_px * rng.uniform(0.50, 0.58)),
        hand_length_px=size_px * rng.uniform(0.62, 0.74),
        yaw=yaw + rng.uniform(-15.0, 15.0),
        pitch=pitch + rng.uniform(-10.0, 10.0),
        roll=roll + rng.uniform(-15.0, 15.0),
        distance_cm=rng.uniform(45.0, 90.0),
        handedness=handedness or hand,
    )
    sleeve = None
    if rng.uniform() < 0.4:
        sleeve = Sleeve(_colour(rng.uniform(0.02, 0.5, 3)), float(rng.uniform(3.0, 9.0)))
    behind = _background(background, size_px, rng)
    layer = render_layer(
        (size_px, size_px), pose, body, skin, light, placement, sleeve, supersample
    )
    image = to_display(layer.rgb + (1.0 - layer.alpha[..., None]) * behind)
    return HandPicture(
        image=image,
        mask=layer.skin_mask,
        part_masks=layer.part_masks,
        landmarks=layer.landmarks,
        handedness=placement.handedness,
        letter=letter,
        pose=pose,
    )


def _project(
    geometry: HandGeometry, placement: Placement, body: HandBody, size_wh: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Return the landmarks in the picture, px, and their distance from the camera plane, cm."""
    turn, wrist = place_in_camera(placement, body, size_wh)
    focal = placement.focal_px(body)
    joints = geometry.landmarks @ turn.T + wrist
    depth = -joints[:, 2]
    landmarks = np.stack(
        [
            joints[:, 0] / depth * focal + size_wh[0] / 2.0,
            size_wh[1] / 2.0 - joints[:, 1] / depth * focal,
        ],
        axis=1,
    )
    return landmarks.astype(np.float32), depth.astype(np.float32)


def _background(
    background: npt.NDArray[np.uint8] | Colour | None, size_px: int, rng: np.random.Generator
) -> Floats:
    if isinstance(background, np.ndarray):
        if background.shape != (size_px, size_px, 3):
            raise ValueError(
                f"background must be ({size_px}, {size_px}, 3), got {background.shape}"
            )
        return to_linear(background)
    if background is not None:
        return np.broadcast_to(np.array(background, np.float32), (size_px, size_px, 3))
    first, second = rng.uniform(0.03, 0.7, (2, 1, 1, 3)).astype(np.float32)
    turn = rng.uniform(0.0, 2.0 * math.pi)
    rows, columns = np.mgrid[0:size_px, 0:size_px].astype(np.float32) / np.float32(size_px) - 0.5
    share = (0.5 + 0.6 * (rows * math.sin(turn) + columns * math.cos(turn))).clip(0.0, 1.0)
    mixed: Floats = first + (second - first) * share[..., None].astype(np.float32)
    return mixed


def _colour(values: npt.NDArray[np.float64]) -> Colour:
    red, green, blue = values.tolist()
    return red, green, blue


def _pack(
    geometry: HandGeometry,
    turn: npt.NDArray[np.float64],
    wrist: npt.NDArray[np.float64],
    body: HandBody,
) -> Floats:
    """Return the cones in the camera frame with what the distance formula needs ready."""
    start = geometry.start @ turn.T + wrist
    axis = (geometry.end - geometry.start) @ turn.T
    difference = geometry.radius[:, 0] - geometry.radius[:, 1]
    # A cone whose one end swallows the other would have no side; stretch it just enough.
    squared = np.maximum((axis**2).sum(1), 1.02 * difference**2 + 1e-4)
    cones = np.zeros((len(start), CONE_COLUMNS), np.float32)
    cones[:, 0:3], cones[:, 3:6], cones[:, 6:8] = start, axis, geometry.radius
    cones[:, 8], cones[:, 9], cones[:, 10] = squared, 1.0 / squared, difference
    cones[:, 11] = squared - difference**2
    cones[:, 12:15] = geometry.palmar @ turn.T
    cones[:, 15] = _PAD_SWELL[np.maximum(geometry.segment, 0)] * body.scale
    cones[:, 16:18], cones[:, 18] = geometry.bend, np.sqrt(squared)
    return cones


def _window(
    cones: Floats, focal: float, centre: tuple[float, float], width: int, height: int
) -> npt.NDArray[np.int32]:
    """Return x0, y0, x1, y1 of the pixels that the cones' end spheres and what is between cover."""
    ends = np.concatenate([cones[:, :3], cones[:, :3] + cones[:, 3:6]])
    reach = np.concatenate([cones[:, 6], cones[:, 7]]) + 0.6
    depth = np.maximum(-ends[:, 2] - reach, 4.0)
    # A sphere off the axis looks stretched; a tenth more covers that up to 45 degrees.
    spread = 1.1 * reach * focal / depth
    x = ends[:, 0] * focal / np.maximum(-ends[:, 2], 4.0) + centre[0]
    y = centre[1] - ends[:, 1] * focal / np.maximum(-ends[:, 2], 4.0)
    x0, y0 = math.floor((x - spread).min()), math.floor((y - spread).min())
    x1, y1 = math.ceil((x + spread).max()), math.ceil((y + spread).max())
    return np.array(
        [max(x0, 0), max(y0, 0), min(max(x1, 0), width), min(max(y1, 0), height)], np.int32
    )


def _look(skin: Skin, light: Light, sleeve: Sleeve | None, body: HandBody) -> Floats:
    """Return light and colours as the flat row that the kernels read."""
    look = np.zeros(LOOK_SIZE, np.float32)
    direction = np.array(light.direction)
    look[LIGHT : LIGHT + 3] = direction / np.linalg.norm(direction)
    look[SOFTNESS] = light.softness
    look[KEY : KEY + 3], look[AMBIENT : AMBIENT + 3] = light.key, light.ambient
    look[BACK : BACK + 3], look[PALM : PALM + 3] = skin.back, skin.palm
    look[NAIL : NAIL + 3], look[SEED] = skin.nail, skin.seed
    look[BUMP], look[CREASE] = skin.roughness, skin.crease
    look[GLOSS], look[BLOOD], look[UNIT] = skin.gloss, skin.blood, body.scale
    if sleeve is not None:
        look[SLEEVE_ON] = 1.0
        look[SLEEVE : SLEEVE + 3] = sleeve.colour
        look[SLEEVE_Y] = -sleeve.begins_cm / body.scale
    return look


def _run(arguments: tuple[npt.NDArray[np.generic], ...], *, refine: bool) -> None:
    """Share the window's tiles among threads; a window of a few tiles is not worth sharing."""
    x0, y0, x1, y1 = arguments[0].tolist()
    tiles = -(-(x1 - x0) // TILE_PX) * -(-(y1 - y0) // TILE_PX)
    threads = _THREADS if tiles >= 12 else 1
    if threads == 1:
        trace_tiles(0, 1, *arguments, refine)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="signlight-render") as pool:
        jobs = [
            pool.submit(partial(trace_tiles, first, threads, *arguments, refine))
            for first in range(threads)
        ]
        for job in jobs:
            job.result()
