"""Sphere tracing of a hand made of round cones, compiled with numba.

Rays are marched through the distance field of the hand (Hart, "Sphere tracing", The Visual Computer
12, 1996). Each tile of the picture keeps only the cones that its rays can meet. Every pixel is
computed on its own, so the result does not depend on how tiles are shared among threads.
"""
# mypy: disallow-untyped-decorators=False, disable-error-code="no-any-return"

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from samples.distance import FAR, FLOAT, JIT, Floats, Ints, cone_distance, hand_distance
from samples.shading import shade, slow_noise, surface_detail

__all__ = ["SETTINGS", "TILE_PX", "trace_tiles"]

TILE_PX: Final = 8
"""Side of a tile; smaller tiles cull better and cost more culling."""
SETTINGS: Final = 10
"""focal px, centre x, centre y, palm blend, web blend, touch blend, shadow reach, oversampling,
unit (cm of a standard hand in cm of this one), footprint of a pixel cm."""

_STEPS: Final = 72


@njit(**JIT)
def _cull(left: int, top: int, cones: Floats, s: Floats, chosen: Ints) -> tuple[int, float, float]:
    """List the cones that rays of a tile can meet; also where along the ray they begin and end."""
    scale = FLOAT(1) / s[0]
    dx = (left + FLOAT(0.5 * TILE_PX) - s[1]) * scale
    dy = -(top + FLOAT(0.5 * TILE_PX) - s[2]) * scale
    inverse = FLOAT(1) / math.sqrt(dx * dx + dy * dy + FLOAT(1))
    dx, dy, dz = dx * inverse, dy * inverse, -inverse
    spread = FLOAT(0.75 * TILE_PX) * scale
    count = 0
    start, stop = FAR, FLOAT(0)
    for i in range(cones.shape[0]):
        c = cones[i]
        along = c[0] * dx + c[1] * dy + c[2] * dz
        ax, ay, az = c[0] - along * dx, c[1] - along * dy, c[2] - along * dz
        run = c[3] * dx + c[4] * dy + c[5] * dz
        vx, vy, vz = c[3] - run * dx, c[4] - run * dy, c[5] - run * dz
        vv = vx * vx + vy * vy + vz * vz
        t = FLOAT(0)
        if vv > FLOAT(1e-6):
            t = min(max(-(ax * vx + ay * vy + az * vz) / vv, FLOAT(0)), FLOAT(1))
        ex, ey, ez = ax + vx * t, ay + vy * t, az + vz * t
        reach = max(c[6], c[7]) + s[3] * FLOAT(0.5)
        far = max(along, along + run)
        if math.sqrt(ex * ex + ey * ey + ez * ez) < reach + spread * far:
            chosen[count] = i
            count += 1
            start = min(start, min(along, along + run) - reach)
            stop = max(stop, far + reach)
    return count, max(start, FLOAT(1)), stop


@njit(**JIT)
def _shoot(
    px: float,
    py: float,
    cones: Floats,
    part: Ints,
    segment: Ints,
    roots: Floats,
    chosen: Ints,
    count: int,
    start: float,
    stop: float,
    to_hand: Floats,
    look: Floats,
    near: Ints,
    s: Floats,
) -> tuple[float, float, float, float, int, int]:
    """Follow one ray; return linear red, green, blue, depth in cm, what was hit and which cone.

    0 is nothing, 1 the hand, 2 the arm, 3 the sleeve.
    """
    zero = FLOAT(0)
    dx = (px - s[1]) / s[0]
    dy = -(py - s[2]) / s[0]
    inverse = FLOAT(1) / math.sqrt(dx * dx + dy * dy + FLOAT(1))
    dx, dy, dz = dx * inverse, dy * inverse, -inverse
    t = start
    hit = False
    d = FAR
    for _ in range(_STEPS):
        d = hand_distance(dx * t, dy * t, dz * t, cones, part, roots, chosen, count, s)
        if d < t * FLOAT(0.0003):
            hit = True
            break
        t += d * FLOAT(0.95)
        if t > stop:
            break
    # A ray that is still creeping along a crevice will not come out of it again.
    if not hit and (t > stop or d > FLOAT(0.05) * s[8]):
        return zero, zero, zero, FAR, 0, 0
    x, y, z = dx * t, dy * t, dz * t
    best, owner, count_near = FAR, 0, 0
    # Which way the palm side faces changes smoothly from one cone to the next.
    fx, fy, fz = zero, zero, zero
    for i in range(cones.shape[0]):
        d = cone_distance(x, y, z, cones[i])
        if d < best:
            best = d
            owner = i
        if d < FLOAT(2.6) * s[8]:
            near[count_near] = i
            count_near += 1
        share = FLOAT(0.9) * s[8] - d
        if share > 0:
            share = share * share * share
            fx += share * cones[i, 12]
            fy += share * cones[i, 13]
            fz += share * cones[i, 14]
    fx += FLOAT(0.003) * cones[owner, 12]
    fy += FLOAT(0.003) * cones[owner, 13]
    fz += FLOAT(0.003) * cones[owner, 14]
    inverse = FLOAT(1) / (math.sqrt(fx * fx + fy * fy + fz * fz) + FLOAT(1e-9))
    front = (fx * inverse, fy * inverse, fz * inverse)
    wobble, drift = slow_noise(x, y, z, to_hand, look)
    # The normal of the field roughened by the height of creases, nails and pores.
    e = max(FLOAT(0.016) * s[8], s[9] * FLOAT(0.35))
    nx, ny, nz = zero, zero, zero
    for corner in range(4):
        sx = FLOAT(1) if corner == 0 or corner == 3 else FLOAT(-1)
        sy = FLOAT(1) if corner >= 2 else FLOAT(-1)
        sz = FLOAT(1) if corner == 1 or corner == 3 else FLOAT(-1)
        qx, qy, qz = x + sx * e, y + sy * e, z + sz * e
        d = hand_distance(qx, qy, qz, cones, part, roots, chosen, count, s)
        height, _, _, _ = surface_detail(
            qx,
            qy,
            qz,
            cones[owner],
            part[owner],
            segment[owner],
            to_hand,
            look,
            s[9],
            wobble,
            drift,
        )
        d -= height
        nx += sx * d
        ny += sy * d
        nz += sz * d
    inverse = FLOAT(1) / (math.sqrt(nx * nx + ny * ny + nz * nz) + FLOAT(1e-9))
    nx, ny, nz = nx * inverse, ny * inverse, nz * inverse
    open_sky = _openness(x, y, z, nx, ny, nz, cones, part, roots, near, count_near, s)
    lit = zero
    if nx * look[0] + ny * look[1] + nz * look[2] > FLOAT(-0.3):
        off = FLOAT(0.06)
        lit = _lit(x + nx * off, y + ny * off, z + nz * off, cones, look, near, s)
    r, g, b, label = shade(
        x,
        y,
        z,
        dx,
        dy,
        dz,
        nx,
        ny,
        nz,
        open_sky,
        lit,
        front,
        cones[owner],
        part[owner],
        segment[owner],
        to_hand,
        look,
        s[9],
        wobble,
        drift,
    )
    return r, g, b, -z, label, owner


@njit(**JIT)
def _openness(
    x: float,
    y: float,
    z: float,
    nx: float,
    ny: float,
    nz: float,
    cones: Floats,
    part: Ints,
    roots: Floats,
    near: Ints,
    count: int,
    s: Floats,
) -> float:
    """Share of the sky that a point of skin sees, by five steps along the normal."""
    blocked = FLOAT(0)
    weight = FLOAT(1)
    for k in range(5):
        h = (FLOAT(0.06) + FLOAT(0.34) * k) * s[8]
        d = hand_distance(x + nx * h, y + ny * h, z + nz * h, cones, part, roots, near, count, s)
        blocked += max(h - d, FLOAT(0)) * weight
        weight *= FLOAT(0.66)
    return max(FLOAT(0), FLOAT(1) - FLOAT(0.55) * blocked / s[8])


@njit(**JIT)
def _lit(x: float, y: float, z: float, cones: Floats, look: Floats, near: Ints, s: Floats) -> float:
    """Share of a soft key light that reaches a point past the hand itself."""
    lx, ly, lz = look[0], look[1], look[2]
    # Only cones that the light's cone meets can throw a shadow here.
    count = 0
    for i in range(cones.shape[0]):
        c = cones[i]
        ax, ay, az = c[0] - x, c[1] - y, c[2] - z
        along = ax * lx + ay * ly + az * lz
        run = c[3] * lx + c[4] * ly + c[5] * lz
        reach = max(c[6], c[7]) + c[15]
        far = max(along, along + run)
        if far + reach < 0 or min(along, along + run) - reach > s[6]:
            continue
        ax, ay, az = ax - along * lx, ay - along * ly, az - along * lz
        vx, vy, vz = c[3] - run * lx, c[4] - run * ly, c[5] - run * lz
        t = -(ax * vx + ay * vy + az * vz) / (vx * vx + vy * vy + vz * vz + FLOAT(1e-6))
        t = min(max(t, FLOAT(0)), FLOAT(1))
        ax, ay, az = ax + vx * t, ay + vy * t, az + vz * t
        reach += look[3] * max(min(far, s[6]), FLOAT(0)) + FLOAT(0.05)
        if ax * ax + ay * ay + az * az < reach * reach:
            near[count] = i
            count += 1
    share = FLOAT(1)
    t = FLOAT(0.12) * s[8]
    for _ in range(16):
        px, py, pz = x + lx * t, y + ly * t, z + lz * t
        d = FAR
        for k in range(count):
            d = min(d, cone_distance(px, py, pz, cones[near[k]]))
        share = min(share, FLOAT(0.5) + FLOAT(0.5) * d / (look[3] * t))
        if share <= 0:
            return FLOAT(0)
        t += min(max(d, FLOAT(0.12) * s[8]), FLOAT(1.5))
        if t > s[6]:
            break
    return share * share * (FLOAT(3) - FLOAT(2) * share)


@njit(**JIT)
def trace_tiles(
    first: int,
    step: int,
    window: Ints,
    cones: Floats,
    part: Ints,
    segment: Ints,
    roots: Floats,
    to_hand: Floats,
    look: Floats,
    s: Floats,
    rgb: Floats,
    cover: Floats,
    skin: Floats,
    depth: Floats,
    label: Ints,
    parts: Ints,
    refine: bool,
) -> None:
    """Trace every ``step``-th tile of a window, starting with tile ``first``.

    Called twice: once with one ray through each pixel's centre, then with ``refine`` to replace
    the pixels on outlines (of the hand, of a finger before another) by a grid of rays.

    Args:
        first: First tile.
        step: Number of threads that share the tiles.
        window: x0, y0, x1, y1 of the touched part of the picture, px.
        cones: ``(N, CONE_COLUMNS)``, camera frame.
        part: Part of each cone, ``(N,)``.
        segment: Segment of each cone, ``(N,)``.
        roots: ``(6, 3)``, camera frame.
        to_hand: ``(4, 3)``, rotation from camera to hand frame and the wrist's place.
        look: Light, skin and sleeve, see ``samples.shading``.
        s: ``SETTINGS`` numbers.
        rgb: ``(H, W, 3)``, premultiplied linear light, written.
        cover: ``(H, W)``, share of a pixel the hand covers, written.
        skin: ``(H, W)``, share of a pixel that is bare skin, written.
        depth: ``(H, W)``, cm, written where the hand is.
        label: ``(H, W)``, what the middle of the pixel shows, written by the first call.
        parts: ``(H, W)``, 1 plus the part of the hand that it shows, else 0, likewise.
        refine: Which of the two calls this is.
    """
    x0, y0, x1, y1 = window[0], window[1], window[2], window[3]
    columns = (x1 - x0 + TILE_PX - 1) // TILE_PX
    rows = (y1 - y0 + TILE_PX - 1) // TILE_PX
    chosen = np.empty(cones.shape[0], np.int32)
    near = np.empty(cones.shape[0], np.int32)
    rays = int(s[7])
    for tile in range(first, columns * rows, step):
        left = x0 + tile % columns * TILE_PX
        top = y0 + tile // columns * TILE_PX
        count, start, stop = _cull(left, top, cones, s, chosen)
        if count == 0:
            continue
        for py in range(top, min(top + TILE_PX, y1)):
            for px in range(left, min(left + TILE_PX, x1)):
                if not refine:
                    r, g, b, z, what, owner = _shoot(
                        px + FLOAT(0.5), py + FLOAT(0.5), cones, part, segment, roots,
                        chosen, count, start, stop, to_hand, look, near, s,
                    )  # fmt: skip
                    label[py, px] = what
                    parts[py, px] = 1 + part[owner] if what == 1 else 0
                    if what:
                        rgb[py, px, 0], rgb[py, px, 1], rgb[py, px, 2] = r, g, b
                        depth[py, px] = z
                        cover[py, px] = 1.0
                        skin[py, px] = 0.0 if what == 3 else 1.0
                    continue
                if not _on_outline(px, py, x0, y0, x1, y1, label, depth, s):
                    continue
                red, green, blue, covered, bare = (
                    FLOAT(0),
                    FLOAT(0),
                    FLOAT(0),
                    FLOAT(0),
                    FLOAT(0),
                )
                nearest = FLOAT(np.inf)
                for k in range(rays * rays):
                    r, g, b, z, what, _ = _shoot(
                        px + (k % rays + FLOAT(0.5)) / rays,
                        py + (k // rays + FLOAT(0.5)) / rays,
                        cones, part, segment, roots, chosen, count, start, stop,
                        to_hand, look, near, s,
                    )  # fmt: skip
                    if what:
                        red += r
                        green += g
                        blue += b
                        covered += FLOAT(1)
                        bare += FLOAT(0) if what == 3 else FLOAT(1)
                        nearest = min(nearest, z)
                share = FLOAT(1) / (rays * rays)
                rgb[py, px, 0], rgb[py, px, 1], rgb[py, px, 2] = (
                    red * share,
                    green * share,
                    blue * share,
                )
                cover[py, px] = covered * share
                skin[py, px] = bare * share
                if label[py, px] == 0:
                    depth[py, px] = nearest


@njit(inline="always", **JIT)
def _on_outline(
    px: int, py: int, x0: int, y0: int, x1: int, y1: int, label: Ints, depth: Floats, s: Floats
) -> bool:
    here = label[py, px]
    for k in range(4):
        qx = px + (1 if k == 0 else -1 if k == 1 else 0)
        qy = py + (1 if k == 2 else -1 if k == 3 else 0)
        if qx < x0 or qy < y0 or qx >= x1 or qy >= y1:
            continue
        if label[qy, qx] != here:
            return True
        if here and abs(depth[qy, qx] - depth[py, px]) > FLOAT(6) * s[9]:
            return True
    return False
