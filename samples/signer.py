"""The person behind the hands: head, hair, neck, torso and upper arms, coarse on purpose.

Lengths are centimetres. The body frame has its origin at the pit of the neck, x to the picture's
right when the signer faces the camera, y up, z toward the camera. The head frame sits between the
ears with the same axes.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from samples.figure import TILE_PX, trace_figure
from samples.hand import Light
from samples.person import Signer, Vector
from samples.rotations import rotation_x, rotation_y, rotation_z
from samples.solids import HAIR_SURFACE, Elbows, build_solids

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
HEAD_PIVOT: Vector = (0.0, 8.0, -2.5)
"""Where the head turns on the neck, body frame."""
HEAD_ORIGIN: Vector = (0.0, 17.2, 0.4)
"""Centre of the head frame at rest, body frame."""

_FOLD_CM: Final = 1.1
_TRACED_SIGMA_PX: Final = 0.9
"""Blur that a traced picture must still get, px, so that its unsmoothed outlines do not show."""
_THREADS: Final = min(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """What the person does at one moment. Angles are degrees."""

    yaw: float = 0.0
    """Turn of the trunk, positive toward the picture's right."""
    lean: float = 0.0
    """Roll of the trunk, positive toward the picture's right."""
    head_yaw: float = 0.0
    """Turn of the head against the trunk."""
    head_pitch: float = 0.0
    """Nod, positive looks down."""
    head_roll: float = 0.0
    """Tilt, positive toward the picture's right."""
    blink: float = 0.0
    """0 open, 1 closed."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Shift of the irises, cm, x to the picture's right and y up."""
    smile: float = 0.25
    """Upturn of the mouth, -0.3 to 0.6."""
    mouth: float = 0.0
    """Opening of the lips, cm, 0 to 0.8."""
    elbows: Elbows = (None, None)
    """Elbows of the right and the left arm, body frame; None lets that arm hang.

    Forearms belong to the hands' layers."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FigureLayer:
    """The signer without hands, ready to be laid over a background."""

    rgb: Floats
    """Linear RGB times alpha, float32 (H, W, 3)."""
    alpha: Floats
    """Cover, float32 (H, W), 0 to 1."""
    depth: Floats
    """Distance along the view axis, cm, float32 (H, W); inf outside."""


def render_signer(
    size_wh: tuple[int, int],
    signer: Signer,
    posture: Posture,
    *,
    neck_cm: Vector,
    focal_px: float,
    light: Light,
    rim: float = 0.5,
    softness_px: float = 1.0,
) -> FigureLayer:
    """Return the signer seen by a pinhole camera at the origin that looks along -z.

    A figure out of focus is traced small and enlarged: its blur would hide the difference.

    Args:
        size_wh: Width and height of the picture, px.
        signer: Looks.
        posture: Pose.
        neck_cm: Pit of the neck in the camera frame: x right, y up, z negative before the camera.
        focal_px: Focal length; the principal point is the picture's centre.
        light: Key light and ambient light.
        rim: Strength of the light from behind that parts the hair from the wall.
        softness_px: Standard deviation of the defocus blur, px.

    Raises:
        ValueError: The picture is empty or the neck is not in front of the camera.
    """
    width, height = size_wh
    if width < 1 or height < 1:
        raise ValueError(f"size_wh must be at least (1, 1), got {size_wh}")
    if neck_cm[2] > -30.0:
        raise ValueError(f"neck_cm must be 30 cm or more before the camera, got {neck_cm}")
    reduction = min(max(softness_px / _TRACED_SIGMA_PX, 1.0), 4.0)
    small_w, small_h = max(1, round(width / reduction)), max(1, round(height / reduction))
    head_turn = rotation(posture.head_yaw, posture.head_pitch, posture.head_roll)
    pivot = np.array(HEAD_PIVOT)
    origin = pivot + head_turn @ (np.array(HEAD_ORIGIN) - pivot)
    size = np.array(signer.head_whd)
    solids = build_solids(signer, posture.elbows, origin, head_turn * size)
    head = _f32((*origin, *(head_turn / size).ravel()))
    turn = rotation(posture.yaw, 0.0, posture.lean).T
    to_light = turn @ np.array(light.direction) / np.linalg.norm(light.direction)
    side = 1.0 if to_light[0] >= 0 else -1.0
    behind = np.array([-0.75 * side, 0.45, -0.5])
    behind = behind / np.linalg.norm(behind)
    look = _look(signer, light, to_light, behind, rim)
    face = _face(signer, posture, side)
    frame = signer.glasses.frame if signer.glasses else signer.hair
    colours = _f32(
        (
            signer.skin,
            signer.lip,
            signer.cloth,
            signer.hair,
            signer.iris,
            frame,
            signer.clothes.print,
        )
    )
    reach = float(np.linalg.norm(neck_cm))
    scale = small_w / width
    lens = _f32((focal_px * scale, small_w / 2, small_h / 2, max(reach - 45, 5), reach + 60))
    layer = np.zeros((small_h, small_w, 4), np.float32)
    depth = np.full((small_h, small_w), np.inf, np.float32)
    seen = np.full((small_h, small_w), -1, np.int32)
    eye = _f32(turn @ -np.array(neck_cm))
    threads = _THREADS if small_w * small_h > 40 * TILE_PX**2 else 1
    with ThreadPoolExecutor(threads, thread_name_prefix="signlight-render") as pool:
        for refine in (False, True):
            jobs = [
                pool.submit(
                    trace_figure, i, threads, lens, eye, _f32(turn), solids, head, look, colours,
                    face, layer, depth, seen, refine,
                )
                for i in range(threads)
            ]  # fmt: skip
            for job in jobs:
                job.result()
    sigma = softness_px * scale
    if sigma > 0.1:
        layer = cv2.GaussianBlur(layer, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    if (small_w, small_h) != (width, height):
        layer = cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR)
        depth = cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST)
    return FigureLayer(rgb=layer[..., :3], alpha=layer[..., 3], depth=depth)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """Return the rotation (3, 3) of a turn about y, a nod about x, a tilt about z, degrees."""
    y, p, r = np.radians((yaw, pitch, -roll))
    return rotation_z(r) @ rotation_x(p) @ rotation_y(y)


def _look(signer: Signer, light: Light, to_light: Array, behind: Array, rim: float) -> Floats:
    """Return light and surface as ``samples.figure`` reads them."""
    clothes = signer.clothes
    return _f32((
        *light.key, *light.ambient, *to_light, *behind, rim,
        *HAIR_SURFACE[signer.hair_style], _FOLD_CM, signer.streaks,
        clothes.neckline_cm, clothes.pointed, clothes.sleeve_cm, clothes.stripe_cm,
    ))  # fmt: skip


def _face(signer: Signer, posture: Posture, light_side: float) -> Floats:
    """Return expression, complexion and glasses as ``samples.face`` reads them."""
    skin, glasses = signer.complexion, signer.glasses
    worn = (0.0,) * 5
    if glasses is not None:
        worn = (
            glasses.thickness, glasses.width, glasses.height, glasses.squareness, glasses.tint
        )  # fmt: skip
    return _f32((
        1.0 - posture.blink, *posture.gaze, posture.smile,
        signer.brow, signer.beard, posture.mouth, light_side,
        skin.pores, skin.redness, skin.freckles, skin.age, skin.oil, *worn,
    ))  # fmt: skip


def _f32(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(values, np.float32)
