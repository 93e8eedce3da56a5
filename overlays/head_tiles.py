"""What each head looks at, small, for the buttons of a page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from overlays.exhibits import collect_exhibits
from overlays.head_grid import CLOSE_UP_BRIGHTNESS
from overlays.marks import draw_close_map, subdue
from overlays.normalize import Normalizer
from overlays.panes import Box, Pane, box_within, draw_picture
from overlays.style import Style
from stream.frames import RgbImage
from stream.scene import Scene

__all__ = ["TILE_PX", "HeadTiles"]

TILE_PX = 96
"""Side of a tile: sharp on a button of that size on a phone."""


class HeadTiles:
    """Draws tiles; from one to the next it remembers colour ranges alone."""

    def __init__(self) -> None:
        self._normalizer = Normalizer()

    def draw(self, scene: Scene, style: Style) -> RgbImage | None:
        """Return the mean and all heads of the hand whose map is the newest, in a row.

        Returns:
            uint8 (``TILE_PX``, number * ``TILE_PX``, 3) RGB; None where there is no map.
        """
        every = replace(style, head="mean", layout="overlay")
        exhibits = collect_exhibits(scene, every, self._normalizer, with_heads=True)
        newest = min(
            (each for each in exhibits if each.aged is not None),
            key=lambda each: each.aged.age_s if each.aged else 0.0,
            default=None,
        )
        if newest is None:
            return None
        close_up_box = box_within(_square(newest.box), scene.frame.size_wh)
        pane = Pane((0, 0, TILE_PX, TILE_PX), close_up_box, style.mirror)
        close_up = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
        draw_picture(close_up, pane, scene.frame.image)
        subdue(close_up, CLOSE_UP_BRIGHTNESS)
        maps = (newest.main, *newest.heads)
        row = np.tile(close_up, (1, len(maps), 1))
        for number, head in enumerate(maps):
            tile = row[:, number * TILE_PX : (number + 1) * TILE_PX]
            draw_close_map(tile, pane, newest, head, style)
        return row


def _square(box: Box) -> Box:
    """Return the largest square in the middle of a box."""
    left, top, right, bottom = box
    half = min(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - half, y - half, x + half, y + half
