"""The painted part of the signer's face: eyes, brows, lips, blush and beard, compiled with numba.

A face behind a hand is out of focus, so its features are paint on a modelled head, not geometry.
Lengths are centimetres in the head frame: origin between the ears, x right, y up, z forward.
"""
# mypy: disallow-untyped-decorators=False, warn-return-any=False

from __future__ import annotations

import math
from typing import Final

from numba import njit

from samples.distance import FLOAT, Floats

__all__ = ["CLOTH", "FACE_SIZE", "HAIR", "IRIS", "LIP", "SKIN", "paint_face"]

LID, GAZE_X, GAZE_Y, SMILE, BROW, BEARD, MOUTH, LIGHT_SIDE = range(8)
FACE_SIZE: Final = 8
"""Columns of ``face``: opening of the lids 0..1, gaze cm, upturn of the mouth, thickness of the
brows, beard 0..1, opening of the mouth cm, side of the key light -1 or 1."""
SKIN, LIP, CLOTH, HAIR, IRIS = range(5)
"""Rows of ``colours``, linear RGB."""

_JIT: Final = {"fastmath": True, "cache": True, "error_model": "numpy", "nogil": True}
_EYE_X: Final = FLOAT(3.15)


@njit(inline="always", **_JIT)
def _bell(x: float, width: float) -> float:
    x = x / width
    return math.exp(-x * x)


@njit(inline="always", **_JIT)
def _ramp(x: float) -> float:
    return min(max(x, FLOAT(0)), FLOAT(1))


@njit(inline="always", **_JIT)
def _mix(a: float, b: float, share: float) -> float:
    return a + (b - a) * share


@njit(**_JIT)
def paint_face(
    x: float, y: float, z: float, tone: float, colours: Floats, face: Floats
) -> tuple[float, float, float, float]:
    """Albedo of the skin at a point of the head, linear RGB, and the glint on an eye, 0..1."""
    skin, lip, hair = colours[SKIN], colours[LIP], colours[HAIR]
    r, g, b = skin[0] * tone, skin[1] * tone, skin[2] * tone
    if z < 0 or y > 8 or y < -12:
        return r, g, b, FLOAT(0)
    out = abs(x)
    cheek = FLOAT(0.07) * _bell(math.hypot(out - FLOAT(4.4), y + FLOAT(3.0)), FLOAT(1.9))
    blush = cheek + FLOAT(0.07) * _bell(math.hypot(x, y + FLOAT(3.6)), FLOAT(1.3))
    socket = FLOAT(0.16) * _bell(
        math.hypot((out - FLOAT(3.0)) * FLOAT(0.6), y - FLOAT(0.5)), FLOAT(1.1)
    )
    r *= 1 - FLOAT(0.3) * blush - socket
    g *= 1 - 2 * blush - socket * FLOAT(1.2)
    b *= 1 - 2 * blush - socket * FLOAT(1.15)
    if face[BEARD] > 0:
        edge = FLOAT(-4.6) - FLOAT(0.35) * (out - 2) + FLOAT(1.1) * max(out - FLOAT(4.6), FLOAT(0))
        cover = _ramp((edge - y) * FLOAT(0.9)) * _ramp((z - FLOAT(0.2)) * FLOAT(0.8))
        # Clear around the lips and under the nose.
        cover *= 1 - _bell(math.hypot(x * FLOAT(0.42), y + FLOAT(7.5)), FLOAT(0.8))
        cover *= 1 - _bell(math.hypot(x * FLOAT(0.5), y + FLOAT(3.9)), FLOAT(0.9))
        cover *= face[BEARD] * (FLOAT(0.75) + FLOAT(0.5) * (tone - FLOAT(0.9)))
        r, g, b = _mix(r, hair[0], cover), _mix(g, hair[1], cover), _mix(b, hair[2], cover)
    arch = FLOAT(2.15) + FLOAT(0.35) * (1 - ((out - FLOAT(3.3)) / 2) ** 2)
    thick = (FLOAT(0.36) - FLOAT(0.05) * (out - FLOAT(1.4))) * face[BROW]
    ink = _ramp((thick - abs(y - arch)) * 4) * _ramp((out - FLOAT(1.25)) * 2)
    ink *= _ramp((FLOAT(5.2) - out) * FLOAT(1.5)) * FLOAT(0.85)
    dark = FLOAT(0.7)
    r, g, b = (
        _mix(r, hair[0] * dark, ink),
        _mix(g, hair[1] * dark, ink),
        _mix(b, hair[2] * dark, ink),
    )
    # Lips: two lobes that meet in a line which the smile bends.
    line = FLOAT(-7.15) + face[SMILE] * FLOAT(0.17) * x * x
    wide = _ramp((FLOAT(2.75) + face[SMILE] * FLOAT(0.8) - out) * 2)
    bow = FLOAT(0.80) * (1 - (out / FLOAT(2.85)) ** 2) - FLOAT(0.16) * _bell(x, FLOAT(0.45))
    low = line - (1 + face[MOUTH]) * (1 - (out / FLOAT(2.75)) ** 2)
    lips = wide * _ramp((line + bow - y) * 4 + FLOAT(0.5)) * _ramp((y - low) * 4 + FLOAT(0.5))
    lips *= FLOAT(0.8)
    r, g, b = _mix(r, lip[0], lips), _mix(g, lip[1], lips), _mix(b, lip[2], lips)
    open_by = face[MOUTH] * FLOAT(0.5)
    gap = wide * _bell(y - line + open_by, FLOAT(0.10) + open_by) * FLOAT(0.7)
    nostril = FLOAT(0.55) * _bell(
        math.hypot((out - FLOAT(0.75)) * FLOAT(0.8), (y + FLOAT(4.55)) * FLOAT(1.8)), FLOAT(0.4)
    )
    keep = (1 - gap) * (1 - nostril)
    r, g, b = r * (keep + FLOAT(0.15) * gap), g * keep, b * keep
    if abs(out - _EYE_X) < FLOAT(1.9) and abs(y) < FLOAT(1.6):
        return _paint_eye(x, y, r, g, b, colours, face)
    return r, g, b, FLOAT(0)


@njit(**_JIT)
def _paint_eye(
    x: float, y: float, r: float, g: float, b: float, colours: Floats, face: Floats
) -> tuple[float, float, float, float]:
    """An almond between two lids: white, iris, pupil, lashes; the rest keeps ``r, g, b``."""
    side = FLOAT(1) if x > 0 else FLOAT(-1)
    iris = colours[IRIS]
    u = (abs(x) - _EYE_X) / FLOAT(1.5)
    bow = max(1 - u * u, FLOAT(0))
    lid = face[LID]
    upper = FLOAT(-0.12) + lid * FLOAT(0.74) * math.sqrt(bow) * (1 - FLOAT(0.12) * u)
    under = FLOAT(-0.12) - FLOAT(0.42) * bow * (FLOAT(0.4) + FLOAT(0.6) * lid)
    inside = _ramp((upper - y) * 7) * _ramp((y - under) * 7) * _ramp((1 - abs(u)) * 12)
    glint = FLOAT(0)
    if inside > 0:
        dx, dy = x - side * _EYE_X - face[GAZE_X], y - FLOAT(0.06) - face[GAZE_Y]
        away = math.hypot(dx, dy)
        white = FLOAT(0.20) + FLOAT(0.35) * colours[SKIN, 0]
        shade = FLOAT(0.55) + FLOAT(0.45) * _ramp((upper - y) * FLOAT(1.6))
        in_iris = _ramp((FLOAT(0.80) - away) * 9)
        ring = FLOAT(0.25) + FLOAT(0.50) * _bell(away - FLOAT(0.46), FLOAT(0.16))
        light = shade * (1 - _ramp((FLOAT(0.42) - away) * 9) * in_iris)
        r = _mix(r, _mix(white, iris[0] * ring, in_iris) * light, inside)
        g = _mix(g, _mix(white * FLOAT(0.95), iris[1] * ring, in_iris) * light, inside)
        b = _mix(b, _mix(white * FLOAT(0.92), iris[2] * ring, in_iris) * light, inside)
        glint = inside * _bell(
            math.hypot(dx - FLOAT(0.22) * face[LIGHT_SIDE], dy - FLOAT(0.25)), FLOAT(0.13)
        )
    edge = _ramp((FLOAT(1.12) - abs(u)) * 5)
    lash = FLOAT(0.95) * _bell(y - upper, FLOAT(0.15)) + FLOAT(0.25) * _bell(y - under, FLOAT(0.08))
    fold = edge * FLOAT(0.28) * _bell(y - upper - FLOAT(0.42), FLOAT(0.14))
    keep = (1 - min(edge * lash, FLOAT(0.95))) * (1 - fold)
    return r * keep, g * keep, b * keep, glint
