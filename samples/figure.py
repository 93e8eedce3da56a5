"""Sphere tracing of the coarse signer: distance field and light, compiled with numba.

The figure is a list of solids (round cones, ellipsoids, a ring) that melt into each other within a
material and are carved by negative solids (Quilez, "Distance functions" and "Smooth minimum",
iquilezles.org); rays march through that field (Hart, "Sphere tracing", The Visual Computer 12,
1996). Each tile keeps only the solids that its rays can meet, which is what makes a frame cheap.
"""
# mypy: disallow-untyped-decorators=False, warn-return-any=False

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from samples.distance import FLOAT, Floats, Ints
from samples.face import CLOTH, HAIR, OIL, PRINT, SKIN, paint_face
from samples.shading import noise

__all__ = ["CONE", "ELLIPSOID", "LOOK_SIZE", "RING", "SOLID_COLUMNS", "TILE_PX", "trace_figure"]

CONE, ELLIPSOID, RING = range(3)
SOLID_COLUMNS: Final = 20
"""kind 0, material 1, in the head frame 2, smoothing 3 (negative carves), shape 4-15 (centre or
start first), centre 16-18 and radius 19 of a bounding sphere in the body frame."""
TILE_PX: Final = 16
KEY, AMBIENT, TO_LIGHT, RIM, ROUGH, CURL, FALL, FOLD = 0, 3, 6, 9, 13, 14, 15, 16
STREAKS, NECKLINE, POINTED, SLEEVE, STRIPE = range(17, 22)
LOOK_SIZE: Final = 22
"""Columns of ``look``: key and ambient light, direction to the key light (body frame), direction
and strength of the light from behind, then the hair's roughness (cm), lumps across and along
(1/cm), then the depth of the cloth's folds (cm), then how much strands of hair differ, then the
clothes (``samples.person``)."""

_JIT: Final = {"fastmath": True, "cache": True, "error_model": "numpy", "nogil": True}
_FAR: Final = FLOAT(1e3)
_SHADOW_CM: Final = FLOAT(18)
"""How far a solid throws its shadow."""


@njit(inline="always", **_JIT)
def _solid_distance(x: float, y: float, z: float, s: Floats) -> float:
    """Signed distance of one solid; ellipsoids by a bound that is exact near the surface."""
    x, y, z = x - s[4], y - s[5], z - s[6]
    if s[0] == ELLIPSOID:
        u, v, w = x / s[7], y / s[8], z / s[9]
        reach = math.sqrt(u * u + v * v + w * w)
        u, v, w = u / s[7], v / s[8], w / s[9]
        return reach * (reach - 1) / (math.sqrt(u * u + v * v + w * w) + FLOAT(1e-6))
    if s[0] == RING:
        y -= s[9] * z
        q = math.sqrt(x * x + z * z) - s[7]
        return math.sqrt(q * q + y * y) - s[8]
    along = x * s[7] + y * s[8] + z * s[9]
    beyond = along - s[12]
    ux, uy, uz = x * s[12] - s[7] * along, y * s[12] - s[8] * along, z * s[12] - s[9] * along
    across = ux * ux + uy * uy + uz * uz
    y2, z2 = along * along * s[12], beyond * beyond * s[12]
    k = s[14] * abs(s[14]) * across
    if (z2 if beyond > 0 else -z2) * s[15] > k:
        return math.sqrt(across + z2) * s[13] - s[11]
    if (y2 if along > 0 else -y2) * s[15] < k:
        return math.sqrt(across + y2) * s[13] - s[10]
    return (math.sqrt(across * s[15] * s[13]) + along * s[14]) * s[13] - s[10]


@njit(inline="always", **_JIT)
def _to_head(x: float, y: float, z: float, head: Floats) -> tuple[float, float, float]:
    x, y, z = x - head[0], y - head[1], z - head[2]
    return (
        head[3] * x + head[6] * y + head[9] * z,
        head[4] * x + head[7] * y + head[10] * z,
        head[5] * x + head[8] * y + head[11] * z,
    )


@njit(**_JIT)
def _field(
    x: float, y: float, z: float, solids: Floats, use: Ints, count: int, head: Floats, look: Floats
) -> tuple[float, int]:
    """Distance (cm) and material of the nearest surface at a point of the body frame."""
    hx, hy, hz = _to_head(x, y, z, head)
    best, material = _FAR, -1
    d, current = _FAR, -1
    for i in range(count + 1):
        group = int(solids[use[i], 1]) if i < count else -1
        if group != current:
            if current == HAIR and d < FLOAT(1.5):
                lump = noise(hx * look[CURL], hy * look[FALL], hz * look[CURL])
                strand = noise(hx * FLOAT(2.6), hy * FLOAT(0.8), hz * FLOAT(2.6))
                d += look[ROUGH] * (lump - FLOAT(0.5)) + FLOAT(0.12) * (strand - FLOAT(0.5))
                if look[STREAKS] > 0:
                    wisp = noise(hx * 6, hy * FLOAT(1.1), hz * 6)
                    d += FLOAT(0.45) * look[STREAKS] * (wisp - FLOAT(0.5))
            elif current == CLOTH and d < FLOAT(1):
                fold = noise(x * FLOAT(0.16), y * FLOAT(0.07), z * FLOAT(0.16))
                d += look[FOLD] * (fold - FLOAT(0.5))
            if d < best:
                best, material = d, current
            d, current = _FAR, group
        if i == count:
            break
        s = solids[use[i]]
        e = _solid_distance(hx, hy, hz, s) if s[2] > 0 else _solid_distance(x, y, z, s)
        k = abs(s[3])
        if s[3] < 0:
            h = max(k - abs(d + e), FLOAT(0)) / k
            d = max(d, -e) + h * h * k * FLOAT(0.25)
        else:
            h = max(k - abs(d - e), FLOAT(0)) / k
            d = min(d, e) - h * h * k * FLOAT(0.25)
    return best, material


@njit(**_JIT)
def _near_line(
    x: float, y: float, z: float, dx: float, dy: float, dz: float,
    length: float, width: float, widening: float, solids: Floats, use: Ints,
) -> int:  # fmt: skip
    """List the solids that a widening beam can meet; return how many there are."""
    count = 0
    for i in range(solids.shape[0]):
        vx, vy, vz = solids[i, 16] - x, solids[i, 17] - y, solids[i, 18] - z
        along = min(max(vx * dx + vy * dy + vz * dz, FLOAT(0)), length)
        vx, vy, vz = vx - along * dx, vy - along * dy, vz - along * dz
        reach = solids[i, 19] + width + widening * along
        if vx * vx + vy * vy + vz * vz < reach * reach:
            use[count] = i
            count += 1
    return count


@njit(**_JIT)
def _openness(
    x: float, y: float, z: float, nx: float, ny: float, nz: float,
    solids: Floats, use: Ints, count: int, head: Floats, look: Floats,
) -> float:  # fmt: skip
    """Share of the room's light that reaches a point, by four steps along the normal."""
    blocked, weight = FLOAT(0), FLOAT(1)
    for step in range(4):
        h = FLOAT(0.3) + FLOAT(1.1) * step
        d, _ = _field(x + nx * h, y + ny * h, z + nz * h, solids, use, count, head, look)
        blocked += (h - d) * weight
        weight *= FLOAT(0.6)
    return min(max(1 - FLOAT(0.28) * blocked, FLOAT(0.12)), FLOAT(1))


@njit(**_JIT)
def _lit(
    x: float, y: float, z: float, solids: Floats, use: Ints, count: int, head: Floats, look: Floats
) -> float:
    """Share of the soft key light that reaches a point past the figure itself."""
    share, t = FLOAT(1), FLOAT(0.6)
    for _ in range(12):
        px, py, pz = x + look[TO_LIGHT] * t, y + look[TO_LIGHT + 1] * t, z + look[TO_LIGHT + 2] * t
        d, _m = _field(px, py, pz, solids, use, count, head, look)
        share = min(share, FLOAT(0.5) + FLOAT(0.5) * d / (FLOAT(0.16) * t))
        if share <= 0:
            return FLOAT(0)
        t += min(max(d, FLOAT(0.5)), FLOAT(4))
        if t > _SHADOW_CM:
            break
    return share * share * (3 - 2 * share)


@njit(**_JIT)
def _is_bare(x: float, y: float, hy: float, look: Floats) -> bool:
    """Whether the cloth at a point of the body frame leaves the skin bare."""
    if abs(x) > look[SLEEVE]:
        return True
    depth = look[NECKLINE]
    if depth <= 0 or hy > FLOAT(-10):
        return False
    down = (FLOAT(1) - y) / (depth + 1)
    if look[POINTED] > 0:
        return abs(x) < FLOAT(7.5) * (1 - down)
    return (x / FLOAT(7.5)) ** 2 + max(down, FLOAT(0)) ** 2 < 1


@njit(**_JIT)
def _shade(
    x: float, y: float, z: float, dx: float, dy: float, dz: float,
    nx: float, ny: float, nz: float, material: int, open_sky: float, lit: float,
    head: Floats, look: Floats, colours: Floats, face: Floats,
) -> tuple[float, float, float]:  # fmt: skip
    """Linear RGB that leaves a point of the body frame against the ray's direction d."""
    hx, hy, hz = _to_head(x, y, z, head)
    # Light creeps round the form, red furthest: skin lets it through, wool scatters it.
    wrap_r, wrap_g, wrap_b = FLOAT(0.1), FLOAT(0.1), FLOAT(0.1)
    gloss, fuzz, glint = FLOAT(0), FLOAT(0), FLOAT(0)
    if material == CLOTH and _is_bare(x, y, hy, look):
        material = SKIN
    if material == SKIN:
        tone = FLOAT(0.9) + FLOAT(0.12) * noise(hx * FLOAT(0.6), hy * FLOAT(0.6), hz * FLOAT(0.6))
        tone += FLOAT(0.08) * noise(hx * 3, hy * 3, hz * 3)
        r, g, b, glint = paint_face(hx, hy, hz, tone, colours, face)
        wrap_r, wrap_g, wrap_b = FLOAT(0.32), FLOAT(0.16), FLOAT(0.12)
        # Brows, irises and lashes do not shine like the skin around them.
        gloss = FLOAT(0.09) * min(r / colours[SKIN, 0], FLOAT(1)) ** 2 * (1 + face[OIL])
    elif material == HAIR:
        tone = FLOAT(0.55) + FLOAT(0.9) * noise(hx * FLOAT(3.2), hy * FLOAT(0.7), hz * FLOAT(3.2))
        if look[STREAKS] > 0:
            fine = noise(hx * 9, hy * FLOAT(0.9), hz * 9) - FLOAT(0.5)
            fine += noise(hx * 22, hy * 2, hz * 22) - FLOAT(0.5)
            tone *= 1 + look[STREAKS] * fine
        r, g, b = colours[HAIR, 0] * tone, colours[HAIR, 1] * tone, colours[HAIR, 2] * tone
        gloss = FLOAT(0.05)
    else:
        tone = FLOAT(0.86) + FLOAT(0.14) * noise(x * FLOAT(0.5), y * FLOAT(0.3), z * FLOAT(0.5))
        tone += FLOAT(0.14) * noise(x * 5, y * 5, z * 5)
        dye = CLOTH
        if look[STRIPE] != 0:
            place = y if look[STRIPE] > 0 else x
            dye = CLOTH if math.floor(place / abs(look[STRIPE])) % 2 == 0 else PRINT
        r, g, b = colours[dye, 0] * tone, colours[dye, 1] * tone, colours[dye, 2] * tone
        fuzz = FLOAT(0.10)
    lx, ly, lz = look[TO_LIGHT], look[TO_LIGHT + 1], look[TO_LIGHT + 2]
    facing = nx * lx + ny * ly + nz * lz
    lit = FLOAT(0.15) + FLOAT(0.85) * lit
    light_r = max((facing + wrap_r) / (1 + wrap_r), FLOAT(0)) * (lit + (1 - lit) * FLOAT(0.06))
    light_g = max((facing + wrap_g) / (1 + wrap_g), FLOAT(0)) * lit
    light_b = max((facing + wrap_b) / (1 + wrap_b), FLOAT(0)) * lit
    sky = (FLOAT(0.72) + FLOAT(0.28) * ny) * open_sky
    mx, my, mz = lx - dx, ly - dy, lz - dz
    half = max((nx * mx + ny * my + nz * mz) / math.sqrt(mx * mx + my * my + mz * mz), FLOAT(0))
    shine = gloss * (half**14 * FLOAT(0.7) + half**50 * FLOAT(0.4)) * lit * max(facing, FLOAT(0))
    shine += FLOAT(0.5) * glint
    grazing = (1 - max(-(nx * dx + ny * dy + nz * dz), FLOAT(0))) ** 3
    behind = max(nx * look[RIM] + ny * look[RIM + 1] + nz * look[RIM + 2], FLOAT(0))
    back = look[RIM + 3] * grazing * behind * (FLOAT(0.25) + FLOAT(0.75) * open_sky)
    # Light from behind glows through hair and slides over skin; wool drinks most of it.
    if material == CLOTH:
        back *= FLOAT(0.3)
    glow = back + fuzz * grazing * open_sky
    back *= FLOAT(0.1)
    return (
        r * (look[KEY] * light_r + look[AMBIENT] * sky + glow) + shine * look[KEY] + back,
        g * (look[KEY + 1] * light_g + look[AMBIENT + 1] * sky + glow)
        + shine * look[KEY + 1]
        + back,
        b * (look[KEY + 2] * light_b + look[AMBIENT + 2] * sky + glow)
        + shine * look[KEY + 2]
        + back,
    )


@njit(**_JIT)
def _shoot(
    px: float, py: float, lens: Floats, eye: Floats, turn: Floats, solids: Floats,
    use: Ints, count: int, shading: Ints, blockers: int, spread: float,
    head: Floats, look: Floats, colours: Floats, face: Floats,
) -> tuple[float, float, float, float, int, int]:  # fmt: skip
    """Follow one ray; return linear RGB, depth in cm, material (-1 a miss) and ``blockers``.

    ``shading`` lists what can shade a tile and is filled at the tile's first hit.
    """
    dx, dy, dz, shorter = _ray(px, py, lens, turn)
    t, hit, material = lens[3], False, -1
    x, y, z = eye[0], eye[1], eye[2]
    for _ in range(72):
        x, y, z = eye[0] + dx * t, eye[1] + dy * t, eye[2] + dz * t
        d, material = _field(x, y, z, solids, use, count, head, look)
        if d < t * FLOAT(0.0006):
            hit = True
            break
        t += d * FLOAT(0.9)
        if t > lens[4]:
            break
    if not hit:
        return FLOAT(0), FLOAT(0), FLOAT(0), _FAR, -1, blockers
    nx, ny, nz = FLOAT(0), FLOAT(0), FLOAT(0)
    for corner in range(4):
        sx = FLOAT(0.06) if corner == 0 or corner == 3 else FLOAT(-0.06)
        sy = FLOAT(0.06) if corner >= 2 else FLOAT(-0.06)
        sz = FLOAT(0.06) if corner == 1 or corner == 3 else FLOAT(-0.06)
        d, _m = _field(x + sx, y + sy, z + sz, solids, use, count, head, look)
        nx, ny, nz = nx + sx * d, ny + sy * d, nz + sz * d
    inverse = 1 / (math.sqrt(nx * nx + ny * ny + nz * nz) + FLOAT(1e-9))
    nx, ny, nz = nx * inverse, ny * inverse, nz * inverse
    lx, ly, lz = look[TO_LIGHT], look[TO_LIGHT + 1], look[TO_LIGHT + 2]
    if blockers < 0:
        # A chin shades a neck that is tiles away, so the tile's own list would not do.
        blockers = _near_line(
            x, y, z, lx, ly, lz, _SHADOW_CM, spread * t * FLOAT(1.5), FLOAT(0), solids, shading
        )
    lit = FLOAT(0)
    if nx * lx + ny * ly + nz * lz > FLOAT(-0.3):
        e = FLOAT(0.25)
        lit = _lit(x + nx * e, y + ny * e, z + nz * e, solids, shading, blockers, head, look)
    sky = _openness(x, y, z, nx, ny, nz, solids, use, count, head, look)
    r, g, b = _shade(x, y, z, dx, dy, dz, nx, ny, nz, material, sky, lit, head, look, colours, face)
    return r, g, b, t * shorter, material, blockers


@njit(inline="always", **_JIT)
def _on_outline(px: int, py: int, seen: Ints, depth: Floats) -> bool:
    here = seen[py, px]
    for k in range(4):
        qx = px + (1 if k == 0 else -1 if k == 1 else 0)
        qy = py + (1 if k == 2 else -1 if k == 3 else 0)
        if qx < 0 or qy < 0 or qx >= seen.shape[1] or qy >= seen.shape[0]:
            continue
        if seen[qy, qx] != here:
            return True
        if here >= 0 and abs(depth[qy, qx] - depth[py, px]) > FLOAT(1.5):
            return True
    return False


@njit(**_JIT)
def trace_figure(
    first: int, step: int, lens: Floats, eye: Floats, turn: Floats, solids: Floats, head: Floats,
    look: Floats, colours: Floats, face: Floats, rgba: Floats, depth: Floats, seen: Ints,
    refine: bool,
) -> None:  # fmt: skip
    """Trace every ``step``-th tile, starting with tile ``first``.

    Called twice: once with one ray a pixel, then with ``refine`` to replace the pixels on outlines
    by the mean of four rays.

    Args:
        first: First tile.
        step: Number of threads that share the tiles.
        lens: focal px, centre x, centre y, nearest and farthest distance worth looking at, cm.
        eye: The camera in the body frame, ``(3,)``.
        turn: Rotation from camera to body frame, ``(3, 3)``; the camera looks along -z, y up.
        solids: ``(N, SOLID_COLUMNS)``, body frame, sorted by material.
        head: Origin and rotation (row by row) of the head frame in the body frame, ``(12,)``.
        look: Light and surface, ``LOOK_SIZE`` numbers.
        colours: Linear RGB of skin, lips, cloth, hair and iris, ``(5, 3)``.
        face: Expression, see ``samples.face``.
        rgba: ``(H, W, 4)``, premultiplied linear light and cover, written where the figure is.
        depth: ``(H, W)``, cm along the view axis, written by the first call.
        seen: ``(H, W)``, material or -1, written by the first call.
        refine: Which of the two calls this is.
    """
    height, width = depth.shape
    columns, rows = (width + TILE_PX - 1) // TILE_PX, (height + TILE_PX - 1) // TILE_PX
    use, shading = np.empty(len(solids) + 1, np.int32), np.empty(len(solids) + 1, np.int32)
    spread = FLOAT(0.75 * TILE_PX) / lens[0]
    rays = 2 if refine else 1
    share = FLOAT(1) / (rays * rays)
    for tile in range(first, columns * rows, step):
        x0, y0 = tile % columns * TILE_PX, tile // columns * TILE_PX
        dx, dy, dz, _ = _ray(x0 + FLOAT(0.5 * TILE_PX), y0 + FLOAT(0.5 * TILE_PX), lens, turn)
        count = _near_line(
            eye[0], eye[1], eye[2], dx, dy, dz, lens[4], FLOAT(0), spread, solids, use
        )
        blockers = -1
        for py in range(y0, min(y0 + TILE_PX, height) if count else y0):
            for px in range(x0, min(x0 + TILE_PX, width)):
                if refine and not _on_outline(px, py, seen, depth):
                    continue
                red, green, blue, cover = FLOAT(0), FLOAT(0), FLOAT(0), FLOAT(0)
                for k in range(rays * rays):
                    r, g, b, z, material, blockers = _shoot(
                        px + (k % rays + FLOAT(0.5)) / rays, py + (k // rays + FLOAT(0.5)) / rays,
                        lens, eye, turn, solids, use, count, shading, blockers, spread,
                        head, look, colours, face,
                    )  # fmt: skip
                    if material >= 0:
                        red, green, blue, cover = red + r, green + g, blue + b, cover + 1
                        if not refine:
                            depth[py, px] = z
                            seen[py, px] = material
                rgba[py, px, 0], rgba[py, px, 1] = red * share, green * share
                rgba[py, px, 2], rgba[py, px, 3] = blue * share, cover * share


@njit(inline="always", **_JIT)
def _ray(px: float, py: float, lens: Floats, turn: Floats) -> tuple[float, float, float, float]:
    """Unit direction of a pixel's ray in the body frame and its share along the view axis."""
    mx, my = (px - lens[1]) / lens[0], -(py - lens[2]) / lens[0]
    shorter = FLOAT(1) / math.sqrt(mx * mx + my * my + 1)
    return (
        (turn[0, 0] * mx + turn[0, 1] * my - turn[0, 2]) * shorter,
        (turn[1, 0] * mx + turn[1, 1] * my - turn[1, 2]) * shorter,
        (turn[2, 0] * mx + turn[2, 1] * my - turn[2, 2]) * shorter,
        shorter,
    )
