"""A map laid over a picture.

The grid is enlarged with bicubic interpolation: it passes through every patch's own value at the
patch's centre, adds nothing a patch did not have, and does not invent the hard edges of squares.
(The figures of the DINO paper repeat each patch's value instead; the outline of a threshold, see
``overlays.contour``, follows the patches' true borders.) Opacity grows with the value: where the
model does not look, the picture is merely dimmed; where it looks, the colour stands on it.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from overlays.colours import colour_table
from overlays.paint import blend
from overlays.panes import Box
from stream.frames import RgbImage

__all__ = ["FLOOR", "draw_heat"]

FLOOR = 0.32
"""Opacity of the lowest value as a fraction of that of the highest."""
_SOFT_EDGE = 0.14
"""Width of the soft border as a fraction of the crop's side."""
_FINE_PX = 160
_FINE_PX_PER_PATCH = 8
"""Values become colours at a side of 160 pixels, or of 8 a patch if that is more. From there to the
canvas colours are interpolated bilinearly, which nobody sees and which is several times quicker."""
_BAND_ROWS = 128
"""Rows blended at a time, so that a band stays in the processor's cache."""


def draw_heat(
    canvas: RgbImage,
    values: npt.NDArray[np.float32],
    box: Box,
    *,
    colormap: str,
    alpha: float,
    floor: float = FLOOR,
    soft_edges: bool = True,
    mirrored: bool = False,
) -> None:
    """Blend a map into ``canvas``, in place, touching only pixels inside ``box``.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        values: float32 (grid_h, grid_w), 0..1, in the frame's orientation.
        box: Edges of the grid in pixels of ``canvas``; may leave it.
        colormap: Name of the colour scale.
        alpha: Opacity of the value 1, 0..1.
        floor: Opacity of the value 0 as a fraction of ``alpha``.
        soft_edges: Fade towards the box's edges.
        mirrored: Swap left and right of the grid.
    """
    left, top, right, bottom = (round(edge) for edge in box)
    height, width = canvas.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x0 >= x1 or y0 >= y1 or alpha <= 0:
        return
    size_wh = (right - left, bottom - top)
    fine_wh = tuple(
        min(side, max(_FINE_PX, _FINE_PX_PER_PATCH * patches))
        for side, patches in zip(size_wh, values.shape[::-1], strict=True)
    )
    level = _enlarge(values[:, ::-1] if mirrored else values, (fine_wh[0], fine_wh[1]))
    tint, rest = _layers(level, colormap, alpha, floor, soft_edges)
    visible = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    tint = cv2.resize(tint, size_wh, interpolation=cv2.INTER_LINEAR)[visible]
    rest = cv2.resize(rest, size_wh, interpolation=cv2.INTER_LINEAR)[visible]
    target = canvas[y0:y1, x0:x1]
    for row in range(0, y1 - y0, _BAND_ROWS):
        band = np.s_[row : row + _BAND_ROWS]
        blend(target[band], tint[band], cv2.cvtColor(rest[band], cv2.COLOR_GRAY2RGB))


def _enlarge(values: npt.NDArray[np.float32], size_wh: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return a map with a value per pixel, uint8 (h, w), 255 for 1."""
    fine = cv2.resize(np.ascontiguousarray(values), size_wh, interpolation=cv2.INTER_CUBIC)
    fine *= 255
    fine += 0.5  # round
    np.clip(fine, 0, 255, out=fine)  # bicubic interpolation overshoots a little
    level: npt.NDArray[np.uint8] = fine.astype(np.uint8)
    return level


def _layers(
    level: npt.NDArray[np.uint8], colormap: str, alpha: float, floor: float, soft_edges: bool
) -> tuple[RgbImage, npt.NDArray[np.uint8]]:
    """Return colour times opacity (h, w, 3), and the share left of the picture (h, w), uint8."""
    opacity = cv2.LUT(level, _opacity_table(floor))
    if soft_edges:
        edges = _edge_mask((level.shape[1], level.shape[0]))
        opacity = cv2.multiply(opacity, edges, scale=alpha / 255)
    else:
        opacity = cv2.convertScaleAbs(opacity, alpha=alpha)
    colour = cv2.applyColorMap(level, colour_table(colormap)[:, None])
    tint = cv2.multiply(colour, cv2.cvtColor(opacity, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    return tint, cv2.bitwise_not(opacity)


@lru_cache(maxsize=8)
def _opacity_table(floor: float) -> npt.NDArray[np.uint8]:
    """Return opacity by value, uint8 (256,): from ``floor`` to full by 0.6 of the scale."""
    rise = np.clip(np.linspace(0, 1, 256) / 0.6, 0, 1)
    share = floor + (1 - floor) * rise * rise * (3 - 2 * rise)
    table: npt.NDArray[np.uint8] = np.round(255 * share).astype(np.uint8)
    return table


@lru_cache(maxsize=8)
def _edge_mask(size_wh: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return uint8 (h, w): 0 at the border, 255 inside, smooth between."""
    sides = []
    for side in size_wh:
        centres = (np.arange(side) + 0.5) / side
        rise = np.clip(np.minimum(centres, 1 - centres) / _SOFT_EDGE, 0, 1)
        sides.append(rise * rise * (3 - 2 * rise))
    mask: npt.NDArray[np.uint8] = np.round(255 * np.outer(sides[1], sides[0])).astype(np.uint8)
    return mask
