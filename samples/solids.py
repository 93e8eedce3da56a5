"""The solids that a person is made of: head, hair, neck, torso and upper arms, coarse on purpose.

Lengths are centimetres, in the body frame or in the head frame (``samples.signer``). Solids of one
material melt together in the order in which they are added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from samples.face import CLOTH, HAIR, SKIN
from samples.figure import CONE, ELLIPSOID, RING, SOLID_COLUMNS
from samples.person import HairStyle, Signer, Vector

__all__ = ["HAIR_SURFACE", "SHOULDER", "Builder", "Elbows", "build_solids"]

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

HAIR_SURFACE: Final[dict[HairStyle, Vector]] = {
    "short": (0.3, 1.6, 0.9),
    "bun": (0.3, 1.4, 0.5),
    "long": (0.5, 1.1, 0.25),
    "curly": (1.7, 1.1, 1.1),
    "bald": (0.0, 1.0, 1.0),
    "cropped": (0.15, 2.2, 1.6),
    "bob": (0.45, 1.3, 0.3),
    "ponytail": (0.25, 1.5, 0.5),
    "fringe": (0.45, 1.2, 0.3),
    "scarf": (0.0, 1.0, 1.0),
}
"""Roughness (cm) and lumps across and along the strands (1/cm)."""
SHOULDER: Final[Vector] = (15.6, -6.6, -3.6)
"""The signer's left shoulder joint, body frame; the right one is its mirror image."""

_LIFT: Final[dict[HairStyle, float]] = {
    "short": 0.45, "bun": 0.35, "long": 0.7, "curly": 2.3,
    "cropped": 0.12, "bob": 0.8, "ponytail": 0.3, "fringe": 0.7,
}  # fmt: skip
"""How far hair stands off the skull, cm; styles that are not here have none."""
_HAIRLINE: Final[dict[HairStyle, float]] = {"bun": 0.4, "long": 0.3, "curly": 0.2, "fringe": -1.6}
"""How much higher than that of short hair it begins above the face, cm."""
_CLEAR_EARS: Final[tuple[HairStyle, ...]] = ("short", "bun", "cropped", "ponytail")

Elbows = tuple[Vector | None, Vector | None]


def build_solids(signer: Signer, elbows: Elbows, origin: Array, turn: Array) -> Floats:
    """Return the figure's solids, float32 (N, SOLID_COLUMNS), sorted by material.

    Args:
        signer: Looks.
        elbows: Of the right and the left arm, body frame; None lets that arm hang.
        origin: Of the head frame in the body frame, (3,).
        turn: From the head frame to the body frame, its scale included, (3, 3).
    """
    build = Builder()
    _head(build, signer)
    _trunk(build, signer, elbows)
    if signer.hair_style == "scarf":
        _scarf(build)
    elif signer.hair_style != "bald":
        _hair(build, signer)
    return build.finish(origin, turn)


def _head(build: Builder, signer: Signer) -> None:
    j, n = signer.jaw, signer.nose
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
    tip = 8.3 + 1.25 * n
    add.cone((0, 1.4, 7.75), (0, -3.0, tip), 0.72, 0.95 * n, 1.4)
    add.cone((0, -3.3, tip - 0.05), (0, -3.55, tip + 0.05), 1.02 * n, 0.98 * n, 0.8)
    for s in (-1, 1):
        add.cone((s * 1.2 * n, -3.8, 8.5), (s * 1.3 * n, -3.9, 8.2), 0.72, 0.66, 0.7)
        add.cone((s * 0.6, -6.75, 7.95), (s * 2.1, -7.0, 7.0), 0.48, 0.25, 0.6)
    add.cone((-1.1, -7.85, 7.65), (1.1, -7.85, 7.65), 0.6, 0.6, 0.6)
    neck = build.on_body(SKIN)
    neck.cone((0, -3.0, -3.4), (0, 9.0, -2.4), 5.3, 4.9, 2.4)


def _trunk(build: Builder, signer: Signer, elbows: Elbows) -> None:
    w = signer.shoulders
    add = build.on_body(CLOTH)
    add.ellipsoid((0, -20.0, -2.8), (15.0 * w, 19.0, 9.6), 0.1)
    for s in (-1, 1):
        add.cone((s * 4.0, 0.4, -4.4), (s * 14.0 * w, -5.4, -3.8), 3.9, 4.4, 4.5)
        add.cone((s * 7.0 * w, -16.0, -2.4), (s * 5.6 * w, -60.0, -2.4), 8.6, 9.0, 6.0)
    for index, s in enumerate((-1, 1)):
        shoulder = (s * SHOULDER[0] * w, SHOULDER[1], SHOULDER[2])
        elbow = elbows[index] or (
            s * (SHOULDER[0] * w + 3.2),
            SHOULDER[1] - 28.5,
            SHOULDER[2] - 2.0,
        )
        add.cone(shoulder, elbow, 5.2, 4.3, 2.2)
    add.cone((0, -6.5, -2.6), (0, -4.5, -3.0), 6.2, 5.6, 3.0)
    if signer.clothes.neckline_cm == 0:
        add.ring((0, 0.7, -3.2), 5.6, 0.9, -0.35, 0.6)


def _hair(build: Builder, signer: Signer) -> None:
    style = signer.hair_style
    add = build.on_head(HAIR)
    lift = _LIFT[style]
    add.ellipsoid((0, 3.6, -1.4), (7.3 + lift, 8.7 + lift, 9.7 + lift), 0.1)
    if style == "short":
        add.ellipsoid((0.5, 7.6, 2.6), (6.0, 4.6, 6.6), 2.0)
    elif style == "bun":
        add.cone((0, 12.0, -7.0), (0, 13.5, -7.8), 4.0, 3.6, 1.2)
    elif style == "ponytail":
        add.cone((0, 6.0, -10.0), (5.0, -4.0, -11.0), 2.4, 2.8, 1.0)
        add.cone((5.0, -4.0, -11.0), (8.0, -17.0, -3.0), 2.8, 1.2, 1.5)
    elif style in ("long", "fringe", "bob"):
        end = -8.5 if style == "bob" else -16.5
        for s in (-1, 1):
            add.cone((s * 6.4, 4.0, -1.6), (s * 8.2, -7.0, -1.8), 2.4, 2.6, 2.5)
            add.cone((s * 8.2, -7.0, -1.8), (s * 7.2, end, 0.4), 2.6, 1.4, 1.5)
        add.cone((0, 2.0, -6.5), (0, end + 1.5, -6.0), 6.8, 6.2, 3.0)
    # The hairline is what a round mask in front of the face leaves.
    low = _HAIRLINE.get(style, 0.0) + signer.hairline_cm
    add.carve_ellipsoid((0, -3.4 + low, 9.0), (6.9, 9.6, 9.3), 1.0)
    if style in _CLEAR_EARS:
        add.carve_ellipsoid((0, -10.5, 0.0), (9.5, 8.6, 12.0), 1.2)
        for s in (-1, 1):
            add.carve((s * 8.0, -1.2, -0.6), 2.8, 0.8)


def _scarf(build: Builder) -> None:
    add = build.on_head(CLOTH)
    add.ellipsoid((0, 3.2, -1.4), (8.4, 9.8, 10.6), 0.1)
    add.cone((0, -4.0, -2.0), (0, -15.0, -1.0), 7.6, 9.0, 3.0)
    add.carve_ellipsoid((0, -3.2, 9.0), (6.3, 8.6, 9.3), 1.0)


class Builder:
    """Collects solids; the order within a material is the order in which they melt together."""

    def __init__(self) -> None:
        self._rows: list[Array] = []

    def on_head(self, material: int) -> Pen:
        """Return what adds solids of a material in the head frame."""
        return Pen(self._rows, material, in_head=True)

    def on_body(self, material: int) -> Pen:
        """Return what adds solids of a material in the body frame."""
        return Pen(self._rows, material, in_head=False)

    def finish(self, origin: Array, turn: Array) -> Floats:
        """Return float32 (N, SOLID_COLUMNS), sorted by material, bounds in the body frame."""
        solids = np.stack(self._rows)
        moved = solids[:, 2] > 0
        solids[moved, 16:19] = solids[moved, 16:19] @ turn.T + origin
        solids[moved, 19] *= max(1.0, float(np.linalg.norm(turn, axis=0).max()))
        return _f32(solids[np.argsort(solids[:, 1], kind="stable")])


@dataclass(frozen=True, slots=True)
class Pen:
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


def _f32(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(values, np.float32)
