"""What a point of the hand looks like: its place on a cone, creases, nails, skin and light.

Compiled with numba and called once per ray by ``samples.raymarch``. Lengths are divided by the
size of the hand (``look[UNIT]``) before anything is drawn on it, so that a small hand carries the
same creases as a big one.
"""
# mypy: disallow-untyped-decorators=False, disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from samples.distance import FLOAT, JIT, Floats

LIGHT, SOFTNESS, KEY, AMBIENT, BACK, PALM, NAIL, SEED = 0, 3, 4, 7, 10, 13, 16, 19
BUMP, CREASE, GLOSS, BLOOD, SLEEVE_ON, SLEEVE, SLEEVE_Y, UNIT, HAIR = (
    20,
    21,
    22,
    23,
    24,
    25,
    28,
    29,
    30,
)
LOOK_SIZE: Final = 31
"""Columns of ``look``: direction to the key light, its softness, light and skin colours, ..."""


def _curve(*points: tuple[float, float]) -> list[list[float]]:
    """Return a quadratic Bezier curve as five straight pieces."""
    (ax, ay), (bx, by), (cx, cy) = points
    t = np.linspace(0.0, 1.0, 6)
    x = (1 - t) ** 2 * ax + 2 * t * (1 - t) * bx + t**2 * cx
    y = (1 - t) ** 2 * ay + 2 * t * (1 - t) * by + t**2 * cy
    return [[x[i], y[i], x[i + 1], y[i + 1]] for i in range(5)]


_LINES: Final = np.array(
    _curve((-3.9, 6.3), (-0.6, 6.0), (1.5, 8.0))  # heart
    + _curve((3.2, 6.1), (0.6, 5.9), (-2.5, 3.9))  # head
    + _curve((3.2, 6.2), (0.6, 5.2), (0.55, 1.3))  # life
    + _curve((-1.9, 0.25), (0.0, 0.05), (1.9, 0.2))  # wrist
    + _curve((-1.9, -0.45), (0.0, -0.55), (1.9, -0.4)),
    dtype=np.float32,
)
"""Creases of palm and wrist in the hand frame, cm: x0, y0, x1, y1."""
_LINE_DEPTH: Final = np.repeat(np.array([1.2, 0.95, 1.3, 0.6, 0.35], np.float32), 5)
_TENDONS: Final = np.array(
    [[0.5, 1.5, 2.4, 8.2], [0.2, 1.5, 0.4, 8.4], [-0.2, 1.5, -1.5, 8.0], [-0.5, 1.5, -3.0, 7.0]],
    np.float32,
)


@njit(inline="always", **JIT)
def _hash(x: int, y: int, z: int) -> float:
    n = (x * 73856093) ^ (y * 19349663) ^ (z * 83492791)
    n = (n ^ (n >> 13)) * 1274126177
    n = n ^ (n >> 16)
    return FLOAT(n & 0xFFFF) / FLOAT(65535)


@njit(**JIT)
def noise(x: float, y: float, z: float) -> float:
    """Smooth value noise in 0..1, one cell per unit."""
    ix, iy, iz = math.floor(x), math.floor(y), math.floor(z)
    fx, fy, fz = FLOAT(x - ix), FLOAT(y - iy), FLOAT(z - iz)
    i, j, k = int(ix), int(iy), int(iz)
    three, two = FLOAT(3), FLOAT(2)
    fx, fy, fz = (
        fx * fx * (three - two * fx),
        fy * fy * (three - two * fy),
        fz * fz * (three - two * fz),
    )
    low = FLOAT(0)
    high = FLOAT(0)
    for a in range(2):
        wx = fx if a else FLOAT(1) - fx
        for b in range(2):
            w = wx * (fy if b else FLOAT(1) - fy)
            low += w * _hash(i + a, j + b, k)
            high += w * _hash(i + a, j + b, k + 1)
    return low + (high - low) * fz


@njit(inline="always", **JIT)
def _bell(x: float, width: float) -> float:
    x = x / width
    return math.exp(-x * x)


@njit(inline="always", **JIT)
def _step(x: float, low: float, high: float) -> float:
    t = min(max((x - low) / (high - low), FLOAT(0)), FLOAT(1))
    return t * t * (FLOAT(3) - FLOAT(2) * t)


@njit(inline="always", **JIT)
def _segment_distance(x: float, y: float, s: Floats) -> float:
    vx, vy = s[2] - s[0], s[3] - s[1]
    t = ((x - s[0]) * vx + (y - s[1]) * vy) / (vx * vx + vy * vy)
    t = min(max(t, FLOAT(0)), FLOAT(1))
    dx, dy = x - s[0] - vx * t, y - s[1] - vy * t
    return math.sqrt(dx * dx + dy * dy)


@njit(inline="always", **JIT)
def _to_hand(x: float, y: float, z: float, m: Floats, unit: float) -> tuple[float, float, float]:
    x, y, z = (x - m[3, 0]) / unit, (y - m[3, 1]) / unit, (z - m[3, 2]) / unit
    return (
        m[0, 0] * x + m[0, 1] * y + m[0, 2] * z,
        m[1, 0] * x + m[1, 1] * y + m[1, 2] * z,
        m[2, 0] * x + m[2, 1] * y + m[2, 2] * z,
    )


@njit(**JIT)
def slow_noise(x: float, y: float, z: float, to_hand: Floats, look: Floats) -> tuple[float, float]:
    """Noise in -0.5..0.5 with cells of 0.4 cm and of 1.2 cm on the hand."""
    hx, hy, hz = _to_hand(x, y, z, to_hand, look[UNIT])
    seed = look[SEED]
    return (
        noise(hx * FLOAT(2.4) + seed, hy * FLOAT(2.4), hz * FLOAT(2.4)) - FLOAT(0.5),
        noise(hx * FLOAT(0.8) - seed, hy * FLOAT(0.8), hz * FLOAT(0.8)) - FLOAT(0.5),
    )


@njit(**JIT)
def surface_detail(
    x: float,
    y: float,
    z: float,
    c: Floats,
    part: int,
    segment: int,
    to_hand: Floats,
    look: Floats,
    footprint: float,
    wobble: float,
    drift: float,
) -> tuple[float, float, float, float]:
    """Relief and paint of the skin at a point of cone ``c``.

    ``wobble`` and ``drift`` are slow noise in -0.5..0.5 that keeps creases from being straight.

    Returns:
        Height above the smooth surface in cm, darkness of creases 0..1, redness 0..1 and share of
        nail 0..1.
    """
    unit = look[UNIT]
    hx, hy, hz = _to_hand(x, y, z, to_hand, unit)
    seed = look[SEED]
    fine = footprint / unit
    lx, ly, lz = x - c[0], y - c[1], z - c[2]
    tx, ty, tz = c[3] / c[18], c[4] / c[18], c[5] / c[18]
    along = lx * tx + ly * ty + lz * tz
    ax, ay, az = lx - along * tx, ly - along * ty, lz - along * tz
    out = math.sqrt(ax * ax + ay * ay + az * az) + FLOAT(1e-6)
    side = (ax * c[12] + ay * c[13] + az * c[14]) / out
    length = c[18] / unit
    along = along / unit
    palm = _step(side, FLOAT(-0.15), FLOAT(0.45))
    back = _step(-side, FLOAT(0.0), FLOAT(0.6))
    width = max(FLOAT(0.065), FLOAT(0.55) * fine)
    depth = FLOAT(0.065) / width
    crease, wrinkle, red, nail = FLOAT(0), FLOAT(0), FLOAT(0), FLOAT(0)
    height = FLOAT(0)
    place = along + wobble * FLOAT(0.14)
    if part > 0:
        if segment == 1:
            if part < 5:
                crease = _bell(place - FLOAT(0.47) * length, width) * FLOAT(0.8)
            crease += _bell(place - length + FLOAT(0.10), width)
        elif segment == 2:
            crease = _bell(place - FLOAT(0.16), width) * FLOAT(0.7)
            crease += _bell(place - length + FLOAT(0.02), width) * FLOAT(0.9)
        elif part == 5:
            crease = _bell(place - FLOAT(0.14), width) * FLOAT(0.6)
        crease *= palm * depth
        # Wrinkles on the back of a joint smooth out as it bends.
        gap = along - length
        spread = FLOAT(0.42)
        slack = max(FLOAT(0.15), FLOAT(1) - c[17])
        if segment == 2:
            near_start = along < FLOAT(0.5) * length
            gap = along if near_start else gap
            slack = max(FLOAT(0.15), FLOAT(1) - (c[16] if near_start else c[17]))
            spread = FLOAT(0.42) if near_start else FLOAT(0.26)
        elif segment == 3:
            gap = along
            slack = max(FLOAT(0.15), FLOAT(1) - c[16])
            spread = FLOAT(0.42) if part == 5 else FLOAT(0.26)
        folds = FLOAT(0.5) + FLOAT(0.5) * math.cos(gap * FLOAT(27) + wobble * FLOAT(5))
        fade = max(FLOAT(0), FLOAT(1) - fine * FLOAT(5))
        knuckle = _bell(gap, spread) * back
        wrinkle = knuckle * slack * folds * fade
        red = FLOAT(0.6) * knuckle
        if segment == 3:
            red = max(red, FLOAT(0.8) * _step(along, FLOAT(0.1) * length, FLOAT(1.2) * length))
            tip = c[7] / unit
            if side < FLOAT(0.1):
                # Signed distance across the nail, along the cross product of axis and palm side.
                sx = ty * c[14] - tz * c[13]
                sy = tz * c[12] - tx * c[14]
                sz = tx * c[13] - ty * c[12]
                lateral = abs(ax * sx + ay * sy + az * sz) / unit / (tip * FLOAT(0.80))
                reach = (along - length - FLOAT(0.10) * tip) / (tip * FLOAT(0.98))
                shape = lateral * lateral * lateral + abs(reach * reach * reach)
                soft = max(FLOAT(0.12), fine * FLOAT(1.5))
                nail = FLOAT(1) - _step(shape, FLOAT(0.9) - soft, FLOAT(0.9) + soft)
                rim = _bell(shape - FLOAT(1.0), FLOAT(0.22)) * _step(-side, FLOAT(0.0), FLOAT(0.3))
                crease += FLOAT(0.55) * rim
                height += FLOAT(0.02) * nail * (FLOAT(1) - _step(reach, FLOAT(0.4), FLOAT(0.9)))
    else:
        if palm > FLOAT(0.02) and hz > FLOAT(-0.4) and hy > FLOAT(-1.2):
            wx = hx + drift * FLOAT(0.35)
            wy = hy + drift * FLOAT(0.35) + wobble * FLOAT(0.06)
            for k in range(_LINES.shape[0]):
                d = _segment_distance(wx, wy, _LINES[k])
                crease = max(crease, _LINE_DEPTH[k] * _bell(d, width * FLOAT(1.15)))
            crease *= palm * depth * (FLOAT(0.55) + drift + FLOAT(0.5) * wobble)
            red = FLOAT(0.35) * palm
        elif back > 0 and segment == 0:
            for k in range(4):
                d = _segment_distance(hx, hy, _TENDONS[k])
                height += FLOAT(0.045) * _bell(d, FLOAT(0.20)) * back
        if segment == 0 and along > FLOAT(0.6) * length:
            red = max(red, FLOAT(0.5) * back * _step(along, FLOAT(0.75) * length, length))
    crease = min(crease, FLOAT(1.2))
    height -= look[CREASE] * (FLOAT(0.050) * crease + FLOAT(0.030) * wrinkle)
    grain = max(FLOAT(0), FLOAT(1) - fine * FLOAT(9))
    if grain > 0:
        pores = noise(hx * FLOAT(9) + seed, hy * FLOAT(9), hz * FLOAT(9))
        height += look[BUMP] * grain * (FLOAT(1) - nail) * FLOAT(0.016) * pores
    dark = min(FLOAT(1), crease + FLOAT(0.55) * wrinkle)
    return height * unit, dark, red, nail


@njit(**JIT)
def shade(
    x: float,
    y: float,
    z: float,
    dx: float,
    dy: float,
    dz: float,
    nx: float,
    ny: float,
    nz: float,
    open_sky: float,
    lit: float,
    front: tuple[float, float, float],
    c: Floats,
    part: int,
    segment: int,
    to_hand: Floats,
    look: Floats,
    footprint: float,
    wobble: float,
    drift: float,
) -> tuple[float, float, float, int]:
    """Linear light that leaves a point towards the camera, and what it is: 1 hand, 2 arm, 3 sleeve.

    Light bleeds through skin, red furthest: each colour is wrapped around the terminator by its
    own amount, the cheap form of Jimenez et al., "Screen-space perceptual rendering of human
    skin", ACM TAP 6, 2009.
    """
    one = FLOAT(1)
    unit = look[UNIT]
    hx, hy, hz = _to_hand(x, y, z, to_hand, unit)
    seed = look[SEED]
    _, dark, red, nail = surface_detail(
        x, y, z, c, part, segment, to_hand, look, footprint, wobble, drift
    )
    broad = drift + FLOAT(0.5)
    blotch = wobble + FLOAT(0.5)
    facing = nx * front[0] + ny * front[1] + nz * front[2]
    palm = _step(facing, FLOAT(-0.5), FLOAT(0.55))
    if part == 0:
        # The pale skin of the palm ends in the wrist, without a border.
        palm *= FLOAT(0.15) + FLOAT(0.85) * _step(hy, FLOAT(-2.5), FLOAT(1.8))
    r = look[BACK] + (look[PALM] - look[BACK]) * palm
    g = look[BACK + 1] + (look[PALM + 1] - look[BACK + 1]) * palm
    b = look[BACK + 2] + (look[PALM + 2] - look[BACK + 2]) * palm
    tone = FLOAT(0.90) + FLOAT(0.12) * broad + FLOAT(0.08) * blotch
    red = look[BLOOD] * (
        red + FLOAT(0.5) * (broad - FLOAT(0.5)) + FLOAT(0.35) * palm * (blotch - FLOAT(0.5))
    )
    crease = one - look[CREASE] * FLOAT(0.30) * dark
    r *= tone * crease * (one + FLOAT(0.04) * red)
    g *= tone * crease * math.sqrt(crease) * (one - FLOAT(0.20) * red)
    b *= tone * crease * math.sqrt(crease) * (one - FLOAT(0.18) * red)
    label = 2 if segment == -1 else 1
    gloss = look[GLOSS]
    if segment <= 0 and palm < FLOAT(0.5):
        # Veins under the thin skin of the back of hand and forearm.
        flow = noise(hx * FLOAT(0.55) + seed, hy * FLOAT(0.24), hz * FLOAT(0.4) - seed)
        vein = _bell(flow - FLOAT(0.5), FLOAT(0.035)) * (one - FLOAT(2) * palm)
        r *= one - FLOAT(0.09) * vein
        g *= one - FLOAT(0.02) * vein
    if nail > 0:
        r += (look[NAIL] - r) * nail
        g += (look[NAIL + 1] - g) * nail
        b += (look[NAIL + 2] - b) * nail
        gloss *= one + FLOAT(3.0) * nail
    if segment == -1 and look[SLEEVE_ON] > 0 and hy < look[SLEEVE_Y]:
        weave = FLOAT(0.88) + FLOAT(0.24) * noise(hx * FLOAT(0.7) + seed, hy * FLOAT(0.4), hz)
        hem = one - FLOAT(0.35) * _bell(hy - look[SLEEVE_Y] + FLOAT(0.9), FLOAT(0.10))
        r, g, b = (
            look[SLEEVE] * weave * hem,
            look[SLEEVE + 1] * weave * hem,
            look[SLEEVE + 2] * weave * hem,
        )
        gloss = FLOAT(0)
        label = 3
    facing_light = nx * look[0] + ny * look[1] + nz * look[2]
    bleed = FLOAT(0.28) if label < 3 else FLOAT(0.05)
    dr = max((facing_light + bleed) / (one + bleed), FLOAT(0))
    bleed *= FLOAT(0.45)
    dg = max((facing_light + bleed) / (one + bleed), FLOAT(0))
    bleed *= FLOAT(0.7)
    db = max((facing_light + bleed) / (one + bleed), FLOAT(0))
    warm = lit + (one - lit) * FLOAT(0.09) if label < 3 else lit
    sky = FLOAT(0.74) + FLOAT(0.26) * ny
    # Light that skin sends to skin comes back red, so deep places stay warm.
    open_red = math.sqrt(open_sky) * FLOAT(0.55) + FLOAT(0.45) * open_sky
    hrx, hry, hrz = look[0] - dx, look[1] - dy, look[2] - dz
    half = one / math.sqrt(hrx * hrx + hry * hry + hrz * hrz)
    shine = max((nx * hrx + ny * hry + nz * hrz) * half, FLOAT(0))
    shine2 = shine * shine
    shine4 = shine2 * shine2
    shine16 = shine4 * shine4 * shine4 * shine4
    shine = FLOAT(0.55) * shine16 + FLOAT(0.45) * shine16 * shine16 * shine16 * shine16
    shine *= gloss * lit * max(facing_light, FLOAT(0))
    away = one + nx * dx + ny * dy + nz * dz
    rim = away * away
    rim = rim * rim * gloss * FLOAT(0.5) * open_sky
    k, a = KEY, AMBIENT
    return (
        r * (look[k] * dr * warm + look[a] * sky * open_red) + shine * look[k] + rim * look[a],
        g * (look[k + 1] * dg * lit + look[a + 1] * sky * open_sky)
        + shine * look[k + 1]
        + rim * look[a + 1],
        b * (look[k + 2] * db * lit + look[a + 2] * sky * open_sky)
        + shine * look[k + 2]
        + rim * look[a + 2],
        label,
    )
