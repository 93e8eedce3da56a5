"""The distance from a point to a hand made of round cones, compiled with numba.

A hand is the smooth union of round cones (Quilez, "Distance functions" and "Smooth minimum",
iquilezles.org).
"""
# mypy: disallow-untyped-decorators=False, disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
FLOAT: Final[Any] = np.float32
"""Kernels compute in single precision; a bare literal would widen them."""

CONE_COLUMNS: Final = 19
"""start 0-2, axis 3-5, radii 6-7, |axis|^2 8, its inverse 9, r0 - r1 10, |axis|^2 - (r0 - r1)^2 11,
palm side 12-14, swell of the pad 15, bend at start and end 16-17, |axis| 18."""

JIT: Final[dict[str, Any]] = {
    "fastmath": True,
    "cache": True,
    "error_model": "numpy",
    "nogil": True,
}
"""How all kernels are compiled; without the interpreter's lock, so that threads share tiles."""
FAR: Final = FLOAT(1e3)
"""Farther than any hand, cm."""


@njit(inline="always", **JIT)
def cone_distance(px: float, py: float, pz: float, c: Floats) -> float:
    """Signed distance to a round cone, swollen on its palm side (Quilez, "Round cone")."""
    x, y, z = px - c[0], py - c[1], pz - c[2]
    along = x * c[3] + y * c[4] + z * c[5]
    beyond = along - c[8]
    ux, uy, uz = x * c[8] - c[3] * along, y * c[8] - c[4] * along, z * c[8] - c[5] * along
    across = ux * ux + uy * uy + uz * uz
    k = c[10] * abs(c[10]) * across
    y2 = along * along * c[8]
    z2 = beyond * beyond * c[8]
    if (z2 if beyond > 0 else -z2) * c[11] > k:
        d = math.sqrt(across + z2) * c[9] - c[7]
    elif (y2 if along > 0 else -y2) * c[11] < k:
        d = math.sqrt(across + y2) * c[9] - c[6]
    else:
        d = (math.sqrt(across * c[11] * c[9]) + along * c[10]) * c[9] - c[6]
    if c[15] > 0 and d < FLOAT(0.6):
        t = along * c[9]
        if t > 0 and t < FLOAT(1.2):
            side = (ux * c[12] + uy * c[13] + uz * c[14]) / math.sqrt(across + FLOAT(1e-6))
            t = min(t, FLOAT(1))
            # Pads swell on the palm side; the back is a little waisted between its joints.
            side *= FLOAT(1) if side > 0 else FLOAT(0.15)
            d -= c[15] * FLOAT(4) * t * (FLOAT(1) - t) * side
    return d


@njit(inline="always", **JIT)
def _blend(a: float, b: float, k: float) -> float:
    """Smooth minimum, polynomial of second order."""
    h = max(k - abs(a - b), FLOAT(0)) / k
    return min(a, b) - h * h * k * FLOAT(0.25)


@njit(**JIT)
def hand_distance(
    x: float,
    y: float,
    z: float,
    cones: Floats,
    part: Ints,
    roots: Floats,
    chosen: Ints,
    count: int,
    s: Floats,
) -> float:
    """Distance from a point to the skin, cm, negative inside.

    The palm's cones melt into one body. A finger melts into it near its root only, so that webs
    are round there while a fingertip that rests on the palm leaves a crisp line.
    """
    body = FAR
    finger = FAR
    palm = FAR
    current = 0
    for k in range(count):
        i = chosen[k]
        d = cone_distance(x, y, z, cones[i])
        if part[i] == 0:
            palm = _blend(palm, d, s[3])
            continue
        if part[i] != current:
            body = palm if current == 0 else _join(x, y, z, body, finger, roots[current], s)
            current = part[i]
            finger = d
        else:
            finger = _blend(finger, d, FLOAT(0.14) * s[8])
    if current == 0:
        return palm
    return _join(x, y, z, body, finger, roots[current], s)


@njit(inline="always", **JIT)
def _join(
    x: float, y: float, z: float, body: float, finger: float, root: Floats, s: Floats
) -> float:
    dx, dy, dz = x - root[0], y - root[1], z - root[2]
    near = FLOAT(1) / (FLOAT(1) + (dx * dx + dy * dy + dz * dz) * FLOAT(0.35) / (s[8] * s[8]))
    return _blend(body, finger, s[5] + s[4] * near * near)
