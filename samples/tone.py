"""From linear light to the bytes of a picture and back: one tone curve for hands and scenes."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_SHOULDER: Final = 0.16
"""How early highlights bend; 0 clips them hard."""


def to_display(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return linear light as sRGB bytes, highlights rolled off softly.

    Args:
        linear: Any shape, float32, 0 black, 1 about a white wall in full light; may exceed 1.

    Returns:
        The same shape, uint8; 1.0 maps to 255.
    """
    light = np.maximum(linear, np.float32(0.0))
    light = np.minimum(light * (1.0 + _SHOULDER) / (1.0 + _SHOULDER * light), np.float32(1.0))
    low = light * 12.92
    high = 1.055 * np.power(np.maximum(light, 1e-6), 1.0 / 2.4, dtype=np.float32) - 0.055
    return (np.where(light <= 0.0031308, low, high) * 255.0 + 0.5).astype(np.uint8)


def to_linear(srgb: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return linear light of sRGB values in 0..255, the inverse of ``to_display`` without rounding.

    Args:
        srgb: Any shape, numbers in 0..255.
    """
    value = np.asarray(srgb, dtype=np.float32) / np.float32(255.0)
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    linear = light / (1.0 + _SHOULDER - _SHOULDER * light)
    return linear.astype(np.float32)
