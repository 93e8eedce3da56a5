"""Chance, as it looks: colours as they come in photographs, and clouds."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]


def random_colour(
    rng: np.random.Generator, low: float = 0.05, high: float = 0.85, saturation: float = 0.35
) -> npt.NDArray[np.float32]:
    """Return a linear RGB colour: a tinted grey between ``low`` and ``high``.

    Each stop of brightness is as likely as any other, as it is in photographs.
    """
    grey = math.exp(rng.uniform(math.log(low), math.log(high)))
    return np.clip(grey * (1 + rng.uniform(-saturation, saturation, 3)), 0.005, 1.0).astype(
        np.float32
    )


def smooth_noise(
    size_wh: tuple[int, int],
    rng: np.random.Generator,
    cell_px: float,
    octaves: int = 3,
    channels: int = 1,
) -> Image:
    """Return clouds of ``cell_px`` in about 0 to 1, float32 (H, W, channels)."""
    width, height = size_wh
    total = np.zeros((height, width, channels), np.float32)
    weight = 1.0
    sum_of_weights = 0.0
    for _ in range(octaves):
        grid = rng.random(
            (int(height / cell_px) + 3, int(width / cell_px) + 3, channels), np.float32
        )
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC).reshape(
            total.shape
        )
        sum_of_weights += weight
        weight *= 0.55
        cell_px = max(2.0, cell_px / 2.2)
    return np.asarray(total / sum_of_weights, np.float32)
