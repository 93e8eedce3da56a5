"""Plain backgrounds for crops and detection tests: walls, gradients, noise of every grain."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def random_backdrop(size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return a random background without things in it.

    Args:
        size_wh: Width and height, px.
        rng: Chooses the kind (wall, gradient, clouds, leaves, grain) and its colours.

    Returns:
        Linear light, float32, shape ``(H, W, 3)``, 0..1.
    """
    kinds = (_wall, _gradient, _clouds, _leaves, _grain)
    backdrop = kinds[int(rng.integers(len(kinds)))](size_wh, rng)
    return np.clip(backdrop, 0.0, 1.0).astype(np.float32)


def _wall(size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    return np.broadcast_to(_colours(rng, 1)[0], (size_wh[1], size_wh[0], 3))


def _gradient(size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    width, height = size_wh
    first, second = _colours(rng, 2)
    turn = rng.uniform(0.0, 2.0 * math.pi)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    place = (rows / height - 0.5) * math.sin(turn) + (columns / width - 0.5) * math.cos(turn)
    share = np.clip(place + 0.5, 0.0, 1.0).astype(np.float32)[..., None]
    mixed: Floats = first + (second - first) * share
    return mixed


def _clouds(size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Noise with a spectrum like that of photographs: each octave half as strong."""
    first, second = _colours(rng, 2)
    total = np.zeros((size_wh[1], size_wh[0]), np.float32)
    for octave in range(1, 7):
        cells = rng.uniform(-1.0, 1.0, (2**octave + 1, 2**octave + 1)).astype(np.float32)
        total += cv2.resize(cells, size_wh, interpolation=cv2.INTER_CUBIC) / np.float32(1.6**octave)
    share = np.clip(0.5 + 0.8 * total, 0.0, 1.0)[..., None]
    mixed: Floats = first + (second - first) * share
    return mixed


def _leaves(size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Shapes over shapes of all sizes, the "dead leaves" of Lee et al., IJCV 41, 2001."""
    width, height = size_wh
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = _colours(rng, 1)[0]
    for _ in range(60):
        size = float(min(size_wh) * 0.04 * (1.0 - rng.uniform(0.0, 0.98)) ** -0.6)
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = (max(1, int(size)), max(1, int(size * rng.uniform(0.2, 1.0))))
        colour = _colours(rng, 1)[0].ravel().tolist()
        if rng.uniform() < 0.5:
            cv2.ellipse(canvas, centre, axes, rng.uniform(0.0, 180.0), 0, 360, colour, -1)
        else:
            corner = (centre[0] + 2 * axes[0], centre[1] + 2 * axes[1])
            cv2.rectangle(canvas, centre, corner, colour, -1)
    soft: Floats = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.6, 3.0)))
    return soft


def _grain(size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    strength = rng.uniform(0.02, 0.15)
    speckle = rng.standard_normal((size_wh[1], size_wh[0], 3)).astype(np.float32)
    speckle = cv2.GaussianBlur(speckle, (0, 0), float(rng.uniform(0.5, 3.0)))
    grainy: Floats = _colours(rng, 1)[0] * np.exp(strength * 3.0 * speckle).astype(np.float32)
    return grainy


def _colours(rng: np.random.Generator, count: int) -> Floats:
    """Return colours of rooms: any brightness, mostly dull, shape ``(count, 1, 1, 3)``."""
    grey = rng.uniform(0.01, 0.75, (count, 1, 1, 1))
    tint = np.exp(rng.normal(0.0, 0.35, (count, 1, 1, 3)))
    colours: Floats = np.clip(grey * tint, 0.0, 1.0).astype(np.float32)
    return colours
