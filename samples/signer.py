"""The person behind the hands: head, hair, neck, torso and upper arms, coarse on purpose.

Lengths are centimetres. The body frame has its origin at the pit of the neck, x to the picture's
right when the signer faces the camera, y up, z toward the camera. The head frame sits between the
ears with the same axes.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from samples.face import CLOTH, HAIR, SKIN
from samples.figure import CONE, ELLIPSOID, RING, SOLID_COLUMNS, TILE_PX, trace_figure
from samples.hand import Light
from samples.rotations import rotation_x, rotation_y, rotation_z

HairStyle = Literal["short", "bun", "long", "curly"]
HAIR_STYLES: tuple[HairStyle, ...] = get_args(HairStyle)
Vector = tuple[float, float, float]
Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
HEAD_PIVOT: Vector = (0.0, 8.0, -2.5)
"""Where the head turns on the neck, body frame."""
HEAD_ORIGIN: Vector = (0.0, 17.2, 0.4)
"""Centre of the head frame at rest, body frame."""
SHOULDER: Vector = (15.6, -6.6, -3.6)
"""The signer's left shoulder joint, body frame; the right one is its mirror image."""

_HAIR_SURFACE: Final[dict[HairStyle, Vector]] = {
    "short": (0.3, 1.6, 0.9),
    "bun": (0.3, 1.4, 0.5),
    "long": (0.5, 1.1, 0.25),
    "curly": (1.7, 1.1, 1.1),
}
"""Roughness (cm) and lumps across and along the strands (1/cm)."""
_FOLD_CM: Final = 1.1
_TRACED_SIGMA_PX: Final = 0.9
"""Blur that a traced picture must still get, px, so that its unsmoothed outlines do not show."""
_THREADS: Final = min(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """How one person looks. Colours are linear RGB, 0 to 1."""

    skin: Vector
    """Albedo of the face."""
    lip: Vector
    """Albedo of the lips."""
    cloth: Vector
    """Albedo of the sweater."""
    hair: Vector
    """Albedo of hair, brows and beard."""
    iris: Vector = (0.10, 0.055, 0.025)
    """Albedo of the iris."""
    hair_style: HairStyle = "short"
    """Cut of the hair."""
    beard: float = 0.0
    """0 shaved, 1 full."""
    brow: float = 1.0
    """Thickness of the brows, 0.6 to 1.4."""
    jaw: float = 1.0
    """Width of the jaw, 0.85 to 1.15."""
    shoulders: float = 1.0
    """Width of the shoulders, 0.88 to 1.12."""

    @classmethod
    def random(cls, rng: np.random.Generator, skin: Vector) -> Signer:
        """Draw a person whose face has the albedo ``skin`` (so that it matches the hands)."""
        style = HAIR_STYLES[int(rng.integers(len(HAIR_STYLES)))]
        dark = float(np.mean(skin)) < 0.25
        shade = rng.uniform(0.3, 1.0) if dark else rng.uniform(0.3, 1.0) + 9.0 * rng.random() ** 4
        hair = np.array([0.030, 0.020, 0.014]) * shade
        masculine = style == "short" and rng.random() < 0.7
        cloth = rng.uniform(0.02, 0.5) * np.clip(1 + rng.uniform(-0.6, 0.6, 3), 0.1, 1.6)
        eyes = ((0.09, 0.045, 0.02), (0.10, 0.06, 0.03), (0.08, 0.12, 0.16), (0.10, 0.12, 0.06))
        return cls(
            skin=skin,
            lip=lip_colour(skin),
            cloth=_vector(cloth),
            hair=_vector(hair),
            iris=eyes[int(rng.integers(1 if dark else len(eyes)))],
            hair_style=style,
            beard=float(rng.uniform(0.3, 0.85)) if masculine and rng.random() < 0.5 else 0.0,
            brow=float(rng.uniform(0.95, 1.35) if masculine else rng.uniform(0.7, 1.0)),
            jaw=float(rng.uniform(0.98, 1.1) if masculine else rng.uniform(0.88, 1.0)),
            shoulders=float(rng.uniform(0.98, 1.1) if masculine else rng.uniform(0.88, 1.0)),
        )


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
    elbows: tuple[Vector | None, Vector | None] = (None, None)
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


def lip_colour(skin: Vector) -> Vector:
    """Return a lip albedo that belongs to a skin albedo."""
    r, g, b = skin
    return (0.92 * r, 0.58 * g, 0.62 * b)


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
    solids, head = _solids(signer, posture)
    turn = rotation(posture.yaw, 0.0, posture.lean).T
    to_light = turn @ np.array(light.direction) / np.linalg.norm(light.direction)
    side = 1.0 if to_light[0] >= 0 else -1.0
    behind = np.array([-0.75 * side, 0.45, -0.5])
    behind = behind / np.linalg.norm(behind)
    surface = _HAIR_SURFACE[signer.hair_style]
    look = _f32((*light.key, *light.ambient, *to_light, *behind, rim, *surface, _FOLD_CM))
    expression = (1.0 - posture.blink, *posture.gaze, posture.smile)
    face = _f32((*expression, signer.brow, signer.beard, posture.mouth, side))
    colours = _f32((signer.skin, signer.lip, signer.cloth, signer.hair, signer.iris))
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


def _solids(signer: Signer, posture: Posture) -> tuple[Floats, Floats]:
    """Return the figure's solids (N, SOLID_COLUMNS) and the head frame (12,)."""
    build = _Builder()
    _head(build, signer)
    _trunk(build, signer, posture)
    _hair(build, signer)
    turn = rotation(posture.head_yaw, posture.head_pitch, posture.head_roll)
    pivot = np.array(HEAD_PIVOT)
    origin = pivot + turn @ (np.array(HEAD_ORIGIN) - pivot)
    return build.finish(origin, turn), _f32((*origin, *turn.ravel()))


def _head(build: _Builder, signer: Signer) -> None:
    j = signer.jaw
    add = build.on_head(SKIN)
    add.ellipsoid((0, 3.2, -1.0), (7.2, 8.5, 9.4), 0.1)
    add.ellipsoid((0, -2.0, 1.4), (6.3 * (0.5 + 0.5 * j), 8.4, 7.2), 3.0)
    for s in (-1, 1):
        add.cone((s * 5.0 * j, -4.9, 0.6), (s * 1.5 * j, -9.7, 5.3), 1.9, 1.5, 2.6)
        add.ellipsoid((s * 4.2, -2.4, 4.7), (2.3, 2.2, 2.5), 2.2)
        add.cone((s * 1.2, 1.9, 7.75), (s * 4.6, 1.75, 6.1), 0.85, 0.75, 1.6)
        add.ellipsoid((s * 7.15, -1.0, -1.0), (0.85, 2.9, 1.7), 0.7)
    add.cone((0, -9.7, 5.9), (0, -9.8, 5.8), 1.7 * (0.6 + 0.4 * j), 1.6, 1.6)
    add.ellipsoid((0, -6.9, 5.7), (3.2, 3.0, 2.3), 1.8)
    for s in (-1, 1):
        add.carve((s * 3.25, 0.15, 9.4), 1.75, 1.5)
    for s in (-1, 1):
        add.ellipsoid((s * 3.15, 0.0, 6.35), (1.55, 1.3, 1.3), 0.5)
    add.cone((0, 1.4, 7.75), (0, -3.0, 9.55), 0.72, 0.95, 1.4)
    add.cone((0, -3.3, 9.5), (0, -3.55, 9.6), 1.02, 0.98, 0.8)
    for s in (-1, 1):
        add.cone((s * 1.2, -3.8, 8.5), (s * 1.3, -3.9, 8.2), 0.72, 0.66, 0.7)
        add.cone((s * 0.6, -6.75, 7.95), (s * 2.1, -7.0, 7.0), 0.48, 0.25, 0.6)
    add.cone((-1.1, -7.85, 7.65), (1.1, -7.85, 7.65), 0.6, 0.6, 0.6)
    neck = build.on_body(SKIN)
    neck.cone((0, -3.0, -3.4), (0, 9.0, -2.4), 5.3, 4.9, 2.4)


def _trunk(build: _Builder, signer: Signer, posture: Posture) -> None:
    w = signer.shoulders
    add = build.on_body(CLOTH)
    add.ellipsoid((0, -20.0, -2.8), (15.0 * w, 19.0, 9.6), 0.1)
    for s in (-1, 1):
        add.cone((s * 4.0, 0.4, -4.4), (s * 14.0 * w, -5.4, -3.8), 3.9, 4.4, 4.5)
        add.cone((s * 7.0 * w, -16.0, -2.4), (s * 5.6 * w, -60.0, -2.4), 8.6, 9.0, 6.0)
    for index, s in enumerate((-1, 1)):
        shoulder = (s * SHOULDER[0] * w, SHOULDER[1], SHOULDER[2])
        elbow = posture.elbows[index] or (
            s * (SHOULDER[0] * w + 3.2),
            SHOULDER[1] - 28.5,
            SHOULDER[2] - 2.0,
        )
        add.cone(shoulder, elbow, 5.2, 4.3, 2.2)
    add.cone((0, -6.5, -2.6), (0, -4.5, -3.0), 6.2, 5.6, 3.0)
    add.ring((0, 0.7, -3.2), 5.6, 0.9, -0.35, 0.6)


def _hair(build: _Builder, signer: Signer) -> None:
    add = build.on_head(HAIR)
    lift = {"short": 0.45, "bun": 0.35, "long": 0.7, "curly": 2.3}[signer.hair_style]
    add.ellipsoid((0, 3.6, -1.4), (7.3 + lift, 8.7 + lift, 9.7 + lift), 0.1)
    if signer.hair_style == "short":
        add.ellipsoid((0.5, 7.6, 2.6), (6.0, 4.6, 6.6), 2.0)
    elif signer.hair_style == "bun":
        add.cone((0, 12.0, -7.0), (0, 13.5, -7.8), 4.0, 3.6, 1.2)
    elif signer.hair_style == "long":
        for s in (-1, 1):
            add.cone((s * 6.4, 4.0, -1.6), (s * 8.2, -7.0, -1.8), 2.4, 2.6, 2.5)
            add.cone((s * 8.2, -7.0, -1.8), (s * 7.2, -16.5, 0.4), 2.6, 1.4, 1.5)
        add.cone((0, 2.0, -6.5), (0, -15.0, -6.0), 6.8, 6.2, 3.0)
    # The hairline is what a round mask in front of the face leaves.
    low = {"short": 0.0, "bun": 0.4, "long": 0.3, "curly": 0.2}[signer.hair_style]
    add.carve_ellipsoid((0, -3.4 + low, 9.0), (6.9, 9.6, 9.3), 1.0)
    if signer.hair_style in ("short", "bun"):
        add.carve_ellipsoid((0, -10.5, 0.0), (9.5, 8.6, 12.0), 1.2)
        for s in (-1, 1):
            add.carve((s * 8.0, -1.2, -0.6), 2.8, 0.8)


class _Builder:
    """Collects solids; the order within a material is the order in which they melt together."""

    def __init__(self) -> None:
        self._rows: list[Array] = []

    def on_head(self, material: int) -> _Pen:
        return _Pen(self._rows, material, in_head=True)

    def on_body(self, material: int) -> _Pen:
        return _Pen(self._rows, material, in_head=False)

    def finish(self, origin: Array, turn: Array) -> Floats:
        """Return float32 (N, SOLID_COLUMNS), sorted by material, bounds in the body frame."""
        solids = np.stack(self._rows)
        moved = solids[:, 2] > 0
        solids[moved, 16:19] = solids[moved, 16:19] @ turn.T + origin
        return _f32(solids[np.argsort(solids[:, 1], kind="stable")])


@dataclass(frozen=True, slots=True)
class _Pen:
    rows: list[Array]
    material: int
    in_head: bool

    def cone(self, a: Vector, b: Vector, ra: float, rb: float, melt: float) -> None:
        start, axis = np.array(a), np.subtract(b, a)
        slope = ra - rb
        # The cone needs its ends farther apart than its radii differ.
        l2 = max(float(axis @ axis), slope * slope * 1.02 + 1e-4)
        shape = (*start, *axis, ra, rb, l2, 1 / l2, slope, l2 - slope * slope)
        bound = math.sqrt(l2) / 2 + max(ra, rb)
        self._add(CONE, melt, shape, start + axis / 2, bound)

    def ellipsoid(self, centre: Vector, radii: Vector, melt: float) -> None:
        self._add(ELLIPSOID, melt, (*centre, *radii), np.array(centre), max(radii))

    def ring(
        self, centre: Vector, radius: float, thickness: float, tilt: float, melt: float
    ) -> None:
        self._add(
            RING,
            melt,
            (*centre, radius, thickness, tilt),
            np.array(centre),
            radius * 1.2 + thickness,
        )

    def carve(self, centre: Vector, radius: float, melt: float) -> None:
        self._add(ELLIPSOID, -melt, (*centre, radius, radius, radius), np.array(centre), radius)

    def carve_ellipsoid(self, centre: Vector, radii: Vector, melt: float) -> None:
        self._add(ELLIPSOID, -melt, (*centre, *radii), np.array(centre), max(radii))

    def _add(
        self, kind: int, melt: float, shape: tuple[float, ...], centre: Array, bound: float
    ) -> None:
        row = np.zeros(SOLID_COLUMNS)
        row[:4] = kind, self.material, self.in_head, melt
        row[4 : 4 + len(shape)] = shape
        # Hair and cloth are displaced by noise, so their bound is a little generous.
        row[16:20] = *centre, bound + abs(melt) * 0.5 + (1.0 if self.material == HAIR else 0.6)
        self.rows.append(row)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """Return the rotation (3, 3) of a turn about y, a nod about x, a tilt about z, degrees."""
    y, p, r = np.radians((yaw, pitch, -roll))
    return rotation_z(r) @ rotation_x(p) @ rotation_y(y)


def _vector(values: Array) -> Vector:
    r, g, b = (float(v) for v in values)
    return (r, g, b)


def _f32(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(values, np.float32)
