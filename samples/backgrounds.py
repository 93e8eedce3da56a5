"""What stands behind a signer: walls, gradients, noise, stripes, dead leaves, furnished rooms.

"Dead leaves" are opaque shapes thrown over each other with sizes after a power law, the simplest
picture with the statistics of natural ones (Lee, Mumford and Huang, "Occlusion models for natural
images", IJCV 41, 2001).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from samples.noise import Image, random_colour, smooth_noise
from samples.rooms import draw_room

BackgroundKind = Literal["wall", "gradient", "noise", "stripes", "leaves", "room"]
KINDS: tuple[BackgroundKind, ...] = get_args(BackgroundKind)


def draw_background(
    size_wh: tuple[int, int],
    rng: np.random.Generator,
    kind: BackgroundKind | None = None,
    *,
    softness: float | None = None,
) -> Image:
    """Return linear RGB light, float32 (H, W, 3), mostly within 0 to 1.

    Args:
        size_wh: Picture size, px.
        rng: Source of every choice.
        kind: What to draw; None draws one kind at random.
        softness: Standard deviation of the blur as a fraction of the height; None draws a sharp
            or a soft picture.

    Raises:
        ValueError: a side is smaller than 1, or an unknown kind.
    """
    if min(size_wh) < 1:
        raise ValueError(f"size_wh must be at least 1 x 1, got {size_wh}")
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    chosen = kind or KINDS[int(rng.choice(len(KINDS), p=(0.2, 0.12, 0.14, 0.08, 0.23, 0.23)))]
    picture = np.ascontiguousarray(_PAINTERS[chosen](size_wh, rng), np.float32)
    if softness is None:
        softness = float(rng.uniform(0.001, 0.025)) if rng.random() < 0.5 else 0.0
    sigma = softness * size_wh[1]
    return defocus(picture, sigma) if sigma > 0.3 else picture


def defocus(picture: Image, sigma_px: float) -> Image:
    """Return the picture out of focus: bright spots open into discs, as behind a wide aperture.

    Args:
        picture: Linear light, float32 (H, W, C).
        sigma_px: Standard deviation of the blur, px.
    """
    radius = max(1.0, 1.6 * sigma_px)
    shrink = max(1, round(radius / 6))
    height, width = picture.shape[:2]
    small = picture
    if shrink > 1:
        small = cv2.resize(
            picture,
            (max(1, width // shrink), max(1, height // shrink)),
            interpolation=cv2.INTER_AREA,
        )
    r = radius / shrink
    reach = math.ceil(r)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(r + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    soft = cv2.filter2D(small, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    soft = cv2.GaussianBlur(soft, (0, 0), max(0.3, 0.25 * r), borderType=cv2.BORDER_REFLECT)
    if shrink > 1:
        soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.maximum(soft, 0.0).reshape(picture.shape), np.float32)


def _wall(size_wh: tuple[int, int], rng: np.random.Generator) -> Image:
    """Plaster in one colour, a little uneven, lit from one side."""
    height = size_wh[1]
    plaster = smooth_noise(size_wh, rng, height * rng.uniform(0.03, 0.5))
    angle = rng.uniform(0, 2 * math.pi)
    fall = 1 + rng.uniform(0, 0.45) * (_ramp(size_wh, angle) - 0.5)
    return np.asarray(
        random_colour(rng, 0.08, 0.8, 0.25) * (0.9 + 0.2 * plaster) * fall, np.float32
    )


def _gradient(size_wh: tuple[int, int], rng: np.random.Generator) -> Image:
    if rng.random() < 0.4:
        width, height = size_wh
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        share = np.hypot((x / width - rng.random()) * width / height, y / height - rng.random())[
            ..., None
        ]
    else:
        share = _ramp(size_wh, rng.uniform(0, 2 * math.pi))
    share = np.clip(share, 0, 1)
    return np.asarray(random_colour(rng) * (1 - share) + random_colour(rng) * share, np.float32)


def _noise(size_wh: tuple[int, int], rng: np.random.Generator) -> Image:
    height = size_wh[1]
    octaves = int(rng.integers(2, 5))
    share = smooth_noise(size_wh, rng, height * rng.uniform(0.05, 0.6), octaves)
    share = np.clip((share - 0.5) * rng.uniform(1.5, 4) + 0.5, 0, 1)
    tint = 0.75 + 0.5 * smooth_noise(size_wh, rng, height * 0.3, 2, 3)
    return np.asarray(
        (random_colour(rng) * (1 - share) + random_colour(rng) * share) * tint, np.float32
    )


def _stripes(size_wh: tuple[int, int], rng: np.random.Generator) -> Image:
    """Stripes or a check, as on curtains and wallpaper."""
    height = size_wh[1]
    angle = rng.uniform(0, math.pi)
    period = rng.uniform(0.05, 0.4) * height
    share = _wave(size_wh, angle, period, rng.uniform(1, 5))
    if rng.random() < 0.4:
        share = share * _wave(size_wh, angle + math.pi / 2, period, 4.0)
    return np.asarray(random_colour(rng) * (1 - share) + random_colour(rng) * share, np.float32)


def _leaves(size_wh: tuple[int, int], rng: np.random.Generator) -> Image:
    """Dead leaves: discs, ellipses, boxes, polygons and sticks as thick as fingers."""
    width, height = size_wh
    picture = np.ascontiguousarray(
        _noise(size_wh, rng) if rng.random() < 0.5 else _wall(size_wh, rng)
    )
    palette = [random_colour(rng, 0.02, 0.85, 0.55) for _ in range(int(rng.integers(3, 10)))]
    texture = smooth_noise(size_wh, rng, max(2.0, height * 0.04), 3, 3) - 0.5
    biggest, smallest = rng.uniform(0.15, 0.5) * height, rng.uniform(0.025, 0.08) * height
    for _ in range(int(math.exp(rng.uniform(math.log(25), math.log(220))))):
        radius = 1 / math.sqrt((1 - (u := rng.random())) / biggest**2 + u / smallest**2)
        centre = rng.uniform(-0.1, 1.1, 2) * (width, height)
        colour = np.clip(palette[int(rng.integers(len(palette)))] * (1 + rng.normal(0, 0.12)), 0, 1)
        outline = _leaf_outline(rng, centre, radius)
        x0, y0 = np.maximum(np.floor(outline.min(0)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(outline.max(0)).astype(int) + 2, (width, height))
        if x1 <= x0 or y1 <= y0:
            continue
        cover = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(
            cover, [np.round((outline - (x0, y0)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4
        )
        leaf = np.broadcast_to(colour.astype(np.float32), (*cover.shape, 3))
        if rng.random() < 0.5:
            leaf = leaf + texture[y0:y1, x0:x1] * np.float32(
                rng.uniform(0.2, 1) * (0.1 + colour.mean())
            )
        if rng.random() < 0.4:
            inside = cv2.distanceTransform(cover, cv2.DIST_L2, 3)
            leaf = leaf * (0.5 + 0.55 * np.sqrt(inside / max(float(inside.max()), 1.0)))[..., None]
        share = cover[..., None].astype(np.float32) / 255
        patch = picture[y0:y1, x0:x1]
        patch += (np.maximum(leaf, 0.0) - patch) * share
    return picture


def _leaf_outline(
    rng: np.random.Generator, centre: npt.NDArray[np.float64], radius: float
) -> npt.NDArray[np.float64]:
    """Return the outline of one leaf, float64 (N, 2) px."""
    form = rng.integers(5)
    turn = rng.uniform(0, 2 * math.pi)
    if form == 3:
        angles = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(3, 8))))
        shape = np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(
            0.5, 1.2, (len(angles), 1)
        )
    elif form == 2:
        shape = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (1, rng.uniform(0.1, 1))
    else:
        angles = np.arange(24, dtype=np.float64) * (2 * math.pi / 24)
        shape = np.stack([np.cos(angles), np.sin(angles)], 1)
        if form == 1:
            shape *= (1, rng.uniform(0.15, 0.8))
        elif form == 4:
            shape = shape * 0.18 + np.where(shape[:, :1] > 0, 1, -1) * (0.9, 0)
    c, s = math.cos(turn), math.sin(turn)
    return np.asarray(shape @ np.array([[c, s], [-s, c]]) * radius + centre)


def _ramp(size_wh: tuple[int, int], angle: float) -> Image:
    """Return (H, W, 1), rising from 0 to 1 along a direction."""
    width, height = size_wh
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = (x / width - 0.5) * math.cos(angle) + (y / height - 0.5) * math.sin(angle)
    return np.asarray(along / (abs(math.cos(angle)) + abs(math.sin(angle))) + 0.5)[..., None]


def _wave(size_wh: tuple[int, int], angle: float, period_px: float, sharpness: float) -> Image:
    width, height = size_wh
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    phase = (x * math.cos(angle) + y * math.sin(angle)) / period_px * 2 * math.pi
    return np.asarray(0.5 + 0.5 * np.clip(np.sin(phase) * sharpness, -1, 1))[..., None]


_PAINTERS: dict[BackgroundKind, Callable[[tuple[int, int], np.random.Generator], Image]] = {
    "wall": _wall,
    "gradient": _gradient,
    "noise": _noise,
    "stripes": _stripes,
    "leaves": _leaves,
    "room": draw_room,
}
