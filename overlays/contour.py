"""The outline of the patches that hold most of a map (stream.measures.mass_mask)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from overlays.colours import Rgb
from overlays.paint import draw_lines
from overlays.panes import Box
from stream.frames import RgbImage

__all__ = ["draw_outline", "outline_loops"]


def outline_loops(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.float64]]:
    """Return the borders of a mask's patches as closed loops of corners (N, 2), xy in patches.

    Patches that touch only at a corner are kept apart.
    """
    padded = np.pad(mask, 1)
    # One directed edge per border, the patch on its right: a corner is left as often as entered.
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row, column in np.argwhere(mask).tolist():
        up, down = padded[row, column + 1], padded[row + 2, column + 1]
        before, after = padded[row + 1, column], padded[row + 1, column + 2]
        if not up:
            following.setdefault((column, row), []).append((column + 1, row))
        if not after:
            following.setdefault((column + 1, row), []).append((column + 1, row + 1))
        if not down:
            following.setdefault((column + 1, row + 1), []).append((column, row + 1))
        if not before:
            following.setdefault((column, row + 1), []).append((column, row))
    loops = []
    while following:
        start = corner = next(iter(following))
        came = (0, 0)
        loop = []
        while True:
            ways = following[corner]
            # At a shared corner turn right, which stays on the same patch.
            way = next(
                (w for w in ways if (w[0] - corner[0], w[1] - corner[1]) == (-came[1], came[0])),
                ways[0],
            )
            ways.remove(way)
            if not ways:
                del following[corner]
            step = (way[0] - corner[0], way[1] - corner[1])
            if step != came:
                loop.append(corner)
            came, corner = step, way
            if corner == start:
                break
        loops.append(np.array(loop, np.float64))
    return loops


def draw_outline(
    canvas: RgbImage,
    mask: npt.NDArray[np.bool_],
    box: Box,
    *,
    opacity: float,
    width_px: float,
    colour: Rgb,
    mirrored: bool = False,
) -> None:
    """Draw the border of a mask's patches, a line on a dark edge, in place.

    Args:
        canvas: uint8 (H, W, 3) RGB, written.
        mask: bool (grid_h, grid_w), in the frame's orientation.
        box: Edges of the grid in pixels of ``canvas``; may leave it.
        opacity: 0 to 1.
        width_px: Width of the line.
        colour: Of the line.
        mirrored: Swap left and right of the grid.
    """
    if mirrored:
        mask = mask[:, ::-1]
    scale = ((box[2] - box[0]) / mask.shape[1], (box[3] - box[1]) / mask.shape[0])
    loops = [_rounded(loop) * scale + box[:2] for loop in outline_loops(mask)]
    draw_lines(
        canvas, loops, closed=True, width_px=width_px, opacity=opacity,
        has_halo=min(scale) >= 8, colour=colour,
    )  # fmt: skip


def _rounded(loop: npt.NDArray[np.float64], radius: float = 0.22) -> npt.NDArray[np.float64]:
    """Return a loop of right angles with round corners; ``radius`` in patches, < 0.5."""
    before = np.roll(loop, 1, axis=0) - loop
    after = np.roll(loop, -1, axis=0) - loop
    before /= np.abs(before).sum(axis=1, keepdims=True)
    after /= np.abs(after).sum(axis=1, keepdims=True)
    angles = np.linspace(0, np.pi / 2, 5)
    arc = [loop + radius * ((1 - np.sin(a)) * before + (1 - np.cos(a)) * after) for a in angles]
    rounded: npt.NDArray[np.float64] = np.stack(arc, axis=1).reshape(-1, 2)
    return rounded
