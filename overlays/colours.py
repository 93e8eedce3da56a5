"""Colours: the maps' scales, and the few that everything around them is drawn in."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from overlays.style import COLORMAPS
from stream.geometry import Handedness

__all__ = ["ACCENTS", "BACKDROP", "INK", "PLATE", "QUIET", "RECORDING", "Rgb", "colour_table"]

Rgb = tuple[int, int, int]

INK: Rgb = (245, 245, 242)
"""Text and lines that have to be read."""
QUIET: Rgb = (176, 178, 182)
"""Text that explains what stands beside it."""
PLATE: Rgb = (14, 14, 14)
"""Under text; neutral, so that it tints no picture."""
BACKDROP = 18
"""Grey of the canvas where there is no picture."""
RECORDING: Rgb = (255, 69, 58)
"""The dot while recording."""
ACCENTS: dict[Handedness | None, Rgb] = {
    "left": (94, 214, 255),
    "right": (168, 255, 120),
    None: INK,
}
"""Left hand, right hand, whole picture; told apart from each other and from a warm colour scale."""


@lru_cache(maxsize=len(COLORMAPS))
def colour_table(name: str) -> npt.NDArray[np.uint8]:
    """Return a colour scale as uint8 ``(256, 3)`` RGB, low to high, read-only.

    Raises:
        ValueError: ``name`` is not one of ``COLORMAPS``.
    """
    if name not in COLORMAPS:
        raise ValueError(f"colormap must be one of {', '.join(COLORMAPS)}, got {name!r}")
    ramp = np.arange(256, dtype=np.uint8)
    if name == "gray":
        table = np.stack([ramp] * 3, axis=1)
    else:
        bgr = cv2.applyColorMap(ramp[:, None], getattr(cv2, f"COLORMAP_{name.upper()}"))
        table = np.ascontiguousarray(bgr[:, 0, ::-1])
    table.flags.writeable = False
    return table
