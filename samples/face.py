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
from samples.shading import noise

__all__ = [
    "CLOTH",
    "FACE_SIZE",
    "FRAME",
    "HAIR",
    "IRIS",
    "LIP",
    "OIL",
    "PRINT",
    "SKIN",
    "paint_face",
]

LID, GAZE_X, GAZE_Y, SMILE, BROW, BEARD, MOUTH, LIGHT_SIDE = range(8)
PORES, REDNESS, FRECKLES, AGE, OIL = range(8, 13)
RIM, LENS_WIDTH, LENS_HEIGHT, LENS_SQUARE, LENS_TINT = range(13, 18)
FACE_SIZE: Final = 18
"""Columns of ``face``: opening of the lids 0..1, gaze cm, upturn of the mouth, thickness of the
brows, beard 0..1, opening of the mouth cm, side of the key light -1 or 1; the complexion; the
glasses (``samples.person``), a rim of 0 for none."""
SKIN, LIP, CLOTH, HAIR, IRIS, FRAME, PRINT = range(7)
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
    if face[PORES] > 0 or face[REDNESS] > 0:
        r, g, b = _live(x, y, z, r, g, b, face)
    if z < -4 or y > 8 or y < -12:
        return r, g, b, FLOAT(0)
    if z < 0:
        return (*_put_glasses(x, y, z, r, g, b, colours, face), FLOAT(0))
    out = abs(x)
    cheek = FLOAT(0.07) * _bell(math.hypot(out - FLOAT(4.4), y + FLOAT(3.0)), FLOAT(1.9))
    blush = cheek + FLOAT(0.07) * _bell(math.hypot(x, y + FLOAT(3.6)), FLOAT(1.3))
    socket = FLOAT(0.16) * _bell(
        math.hypot((out - FLOAT(3.0)) * FLOAT(0.6), y - FLOAT(0.5)), FLOAT(1.1)
    )
    r *= 1 - FLOAT(0.3) * blush - socket
    g *= 1 - 2 * blush - socket * FLOAT(1.2)
    b *= 1 - 2 * blush - socket * FLOAT(1.15)
    if face[AGE] > 0:
        keep = 1 - face[AGE] * _lines(x, y)
        r, g, b = r * (FLOAT(0.4) + FLOAT(0.6) * keep), g * keep, b * keep
    if face[BEARD] > 0:
        edge = FLOAT(-4.6) - FLOAT(0.35) * (out - 2) + FLOAT(1.1) * max(out - FLOAT(4.6), FLOAT(0))
        cover = _ramp((edge - y) * FLOAT(0.9)) * _ramp((z - FLOAT(0.2)) * FLOAT(0.8))
        # Clear around the lips and under the nose.
        cover *= 1 - _bell(math.hypot(x * FLOAT(0.42), y + FLOAT(7.5)), FLOAT(0.8))
        cover *= 1 - _bell(math.hypot(x * FLOAT(0.5), y + FLOAT(3.9)), FLOAT(0.9))
        cover *= face[BEARD] * (FLOAT(0.75) + FLOAT(0.5) * (tone - FLOAT(0.9)))
        if face[PORES] > 0:
            cover *= FLOAT(0.45) + FLOAT(1.1) * noise(x * 7, y * 3, z * 7)
            cover = _ramp(cover)
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
    glint = FLOAT(0)
    if abs(out - _EYE_X) < FLOAT(1.9) and abs(y) < FLOAT(1.6):
        r, g, b, glint = _paint_eye(x, y, r, g, b, colours, face)
    return (*_put_glasses(x, y, z, r, g, b, colours, face), glint)


@njit(**_JIT)
def _live(
    x: float, y: float, z: float, r: float, g: float, b: float, face: Floats
) -> tuple[float, float, float]:
    """Skin with pores, blotches and freckles."""
    pore = noise(x * FLOAT(4.3), y * FLOAT(4.3), z * FLOAT(4.3)) - FLOAT(0.5)
    pore += FLOAT(0.8) * (noise(x * 11, y * 11, z * 11) - FLOAT(0.5))
    keep = 1 + FLOAT(0.22) * face[PORES] * pore
    blotch = noise(x * FLOAT(0.9) + 11, y * FLOAT(0.9), z * FLOAT(0.9))
    blotch = FLOAT(0.5) * blotch + FLOAT(0.5) * noise(x * FLOAT(2.1), y * FLOAT(2.1) + 5, z * 2)
    out = abs(x)
    ruddy = _bell(math.hypot(out - FLOAT(4.2), y + FLOAT(3.0)), FLOAT(2.6))
    ruddy += _bell(math.hypot(x, y + FLOAT(3.4)), FLOAT(1.5)) + FLOAT(0.5) * _bell(y + 10, 2)
    red = face[REDNESS] * (FLOAT(0.12) * (blotch - FLOAT(0.3)) + FLOAT(0.2) * ruddy * blotch)
    red = max(red, FLOAT(0))
    r, g, b = r * keep * (1 - FLOAT(0.25) * red), g * keep * (1 - red), b * keep * (1 - red)
    if face[FRECKLES] > 0:
        spot = _ramp((noise(x * FLOAT(3.4) + 31, y * FLOAT(3.4), z * FLOAT(3.4)) - FLOAT(0.6)) * 6)
        spot *= face[FRECKLES] * _bell(math.hypot(x * FLOAT(0.55), y + FLOAT(1.8)), FLOAT(3.6))
        r, g, b = r * (1 - FLOAT(0.3) * spot), g * (1 - FLOAT(0.5) * spot), b * (1 - spot / 2)
    return r, g, b


@njit(**_JIT)
def _lines(x: float, y: float) -> float:
    """Depth of the lines that years draw, 0..1: beside nose and mouth, brow, under the eyes."""
    out = abs(x)
    along = (FLOAT(-4.3) - y) / FLOAT(3.6)
    smile = _bell(out - FLOAT(2.0) - FLOAT(1.4) * along, FLOAT(0.22))
    depth = FLOAT(0.3) * smile * _ramp(along * 4 + FLOAT(0.4)) * _ramp((1 - along) * 3)
    wave = y + FLOAT(0.25) * math.cos(x * FLOAT(0.9))
    brow = _bell(wave - FLOAT(4.2), FLOAT(0.16)) + _bell(wave - FLOAT(5.3), FLOAT(0.16))
    depth += FLOAT(0.16) * brow * _ramp((FLOAT(4.6) - out) * FLOAT(0.8))
    depth += (
        FLOAT(0.14)
        * _bell(x, FLOAT(0.7))
        * _bell(out - FLOAT(0.5), FLOAT(0.16))
        * _bell(y - FLOAT(2.0), FLOAT(0.9))
    )
    bag = y + FLOAT(1.25) - FLOAT(0.08) * (out - FLOAT(3.1)) ** 2
    return depth + FLOAT(0.24) * _bell(bag, FLOAT(0.35)) * _bell(out - FLOAT(3.1), FLOAT(1.2))


@njit(**_JIT)
def _put_glasses(
    x: float, y: float, z: float, r: float, g: float, b: float, colours: Floats, face: Floats
) -> tuple[float, float, float]:
    """The colour under a pair of glasses: rims, bridge, temples, tinted lenses."""
    thick = face[RIM]
    if thick <= 0:
        return r, g, b
    out, wide, high = abs(x), face[LENS_WIDTH], face[LENS_HEIGHT]
    middle = wide + FLOAT(0.75)
    frame = FLOAT(0)
    if z > 2:
        u, v = abs(out - middle) / wide, abs(y + FLOAT(0.15)) / high
        power = face[LENS_SQUARE]
        past = (u**power + v**power) ** (1 / power) - 1
        if past < 0:
            keep = 1 - face[LENS_TINT]
            r, g, b = r * keep, g * keep, b * keep
        frame = _ramp((thick - abs(past) * min(wide, high)) * 8 + FLOAT(0.5))
        bridge = _ramp((thick - abs(y - high * FLOAT(0.3))) * 8 + FLOAT(0.5))
        frame = max(frame, bridge * _ramp((FLOAT(0.9) - out) * 8))
    temple = _ramp((max(thick, FLOAT(0.15)) - abs(y - high * FLOAT(0.3))) * 8 + FLOAT(0.5))
    frame = max(frame, temple * _ramp((out - middle - wide * FLOAT(0.9)) * 4))
    tone = FLOAT(0.7) + FLOAT(0.6) * noise(x * 2, y * 2, z * 2)
    return (
        _mix(r, colours[FRAME, 0] * tone, frame),
        _mix(g, colours[FRAME, 1] * tone, frame),
        _mix(b, colours[FRAME, 2] * tone, frame),
    )


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
