"""Things of skin's colour that are no skin: wood, card, leather, wicker, cables, sand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from samples.noise import Image, random_colour, smooth_noise
from samples.skin import Colour, Skin

__all__ = ["draw_surface"]


def draw_surface(
    size_wh: tuple[int, int], rng: np.random.Generator, colour: Colour | None = None
) -> Image:
    """Return a surface that fills the picture, linear RGB, float32 (H, W, 3).

    Args:
        size_wh: Picture size, px.
        rng: Source of every choice.
        colour: The skin that it is near to; None draws one.
    """
    base = np.array(Skin.random(rng).back if colour is None else colour)
    base = base * rng.uniform(0.6, 1.4) * rng.uniform((0.9, 0.85, 0.75), (1.15, 1.1, 1.15))
    painter = _PAINTERS[int(rng.integers(len(_PAINTERS)))]
    picture = painter(size_wh, rng, np.asarray(base, np.float32))
    light = 1 + rng.uniform(0.1, 0.8) * (smooth_noise(size_wh, rng, size_wh[1] * 0.7, 1) - 0.5)
    return np.ascontiguousarray(np.maximum(picture * light, 0.0), np.float32)


def _wood(size_wh: tuple[int, int], rng: np.random.Generator, base: Image) -> Image:
    """Boards with grain, knots and gaps, running any way."""
    width, height = size_wh
    reach = math.ceil(math.hypot(width, height))
    along, across = _turned(size_wh, rng.uniform(0, math.pi))
    board = np.floor(across / (height * rng.uniform(0.12, 0.9)) + rng.random())
    wave = smooth_noise((reach + 2, reach + 2), rng, height * 0.35, 2)[..., 0]
    bent = across / height * rng.uniform(20, 60) + 9 * _take(wave, along * 0.4, across)
    knot_x, knot_y = rng.uniform(-0.5, 0.5, 2) * height
    knot = np.exp(-((along - knot_x) ** 2 / 9 + (across - knot_y) ** 2) / (height * 0.04) ** 2)
    rings = 0.5 + 0.5 * np.sin(bent + board * 17 + 9 * knot)
    fine = smooth_noise((reach + 2, reach + 2), rng, 2.0, 1)[..., 0]
    fibre = _take(fine, along * 0.06, across)
    tone = 0.75 + 0.3 * rings**2 + rng.uniform(0.1, 0.5) * (fibre - 0.5) - 0.5 * knot
    tone = tone * (0.85 + 0.3 * ((board * 0.618) % 1))
    return np.asarray(base * tone[..., None], np.float32)


def _skinlike(size_wh: tuple[int, int], rng: np.random.Generator, base: Image) -> Image:
    """Card, leather or sand: one colour, uneven at one or two sizes."""
    coarse = smooth_noise(size_wh, rng, size_wh[1] * rng.uniform(0.08, 0.4), 3)
    fine = smooth_noise(size_wh, rng, rng.uniform(1.5, 5.0), 2)
    tone = 1 + 0.5 * (coarse - 0.5) + rng.uniform(0.1, 0.7) * (fine - 0.5)
    return np.asarray(base * tone, np.float32)


def _wicker(size_wh: tuple[int, int], rng: np.random.Generator, base: Image) -> Image:
    """Strands over and under each other."""
    along, across = _turned(size_wh, rng.uniform(0, math.pi))
    step = size_wh[1] * rng.uniform(0.04, 0.14)
    u, v = along / step, across / step
    over = (np.floor(u) + np.floor(v)) % 2
    strand = np.where(over > 0, np.abs(v % 1 - 0.5), np.abs(u % 1 - 0.5))
    tone = np.clip(1.2 - 3.2 * strand**2, 0.1, 1.2)
    return np.asarray(base * tone[..., None], np.float32)


def _rods(size_wh: tuple[int, int], rng: np.random.Generator, base: Image) -> Image:
    """Cables, hoses and rails as thick as fingers, bending before something plain."""
    width, height = size_wh
    picture = np.ascontiguousarray(
        random_colour(rng, 0.03, 0.6, 0.3) * (0.8 + 0.4 * smooth_noise(size_wh, rng, height * 0.3)),
        np.float32,
    )
    for _ in range(int(rng.integers(2, 8))):
        t = np.linspace(0, 1, 40)[:, None]
        ends = rng.uniform(-0.3, 1.3, (4, 2)) * (width, height)
        spine = (
            (1 - t) ** 3 * ends[0] + 3 * (1 - t) ** 2 * t * ends[1]
            + 3 * (1 - t) * t**2 * ends[2] + t**3 * ends[3]
        )  # fmt: skip
        points = [np.round(spine * 16).astype(np.int32)]
        thick = height * rng.uniform(0.02, 0.12)
        tint = base * rng.uniform(0.7, 1.3)
        for share in np.linspace(1.0, 0.15, 7):  # lighter towards the middle, as a round thing is
            colour = (tint * (1.15 - 0.75 * share**2)).tolist()
            shift = np.int32(-(1 - share) * thick * 3)
            cv2.polylines(
                picture, [points[0] + shift], False, colour, max(1, round(thick * share)),
                cv2.LINE_AA, 4,
            )  # fmt: skip
    return picture


def _turned(size_wh: tuple[int, int], angle: float) -> tuple[Image, Image]:
    """Return places along and across a direction, px from the middle, (H, W) each."""
    width, height = size_wh
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x - width / 2, y - height / 2
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(c * x + s * y, np.float32), np.asarray(c * y - s * x, np.float32)


def _take(noise: Image, along: Image, across: Image) -> Image:
    """Return noise, (N, N), at places from the middle."""
    half = np.float32(noise.shape[0] / 2)
    return np.asarray(
        cv2.remap(
            noise, np.asarray(along, np.float32) + half, across + half, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.float32,
    )  # fmt: skip


_Painter = Callable[[tuple[int, int], np.random.Generator, Image], Image]
_PAINTERS: Final[tuple[_Painter, ...]] = (_wood, _wood, _skinlike, _wicker, _rods)
