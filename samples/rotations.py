"""Rotations about the axes, as matrices (3, 3) for column vectors; angles in radians."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["rotation_x", "rotation_y", "rotation_z"]

Array = npt.NDArray[np.float64]


def rotation_x(angle: float) -> Array:
    """Return the rotation that takes +y towards +z."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def rotation_y(angle: float) -> Array:
    """Return the rotation that takes +z towards +x."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rotation_z(angle: float) -> Array:
    """Return the rotation that takes +x towards +y."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
