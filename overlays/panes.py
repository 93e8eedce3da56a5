"""Where on the canvas which part of the frame is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stream.frames import RgbImage
from stream.geometry import Points

__all__ = ["Box", "Pane", "Rect", "box_within", "draw_picture"]

Box = tuple[float, float, float, float]
"""Left, top, right, bottom; continuous."""
Rect = tuple[int, int, int, int]
"""Left, top, right, bottom; whole pixels."""
_LEAST_SHRUNK = 0.25


@dataclass(frozen=True, slots=True)
class Pane:
    """A rectangle of the canvas, and the part of the frame that fills it.

    Everything is drawn in the pane's own pixels, into ``cut(canvas)``, so nothing leaves the pane.
    """

    rect: Rect
    """On the canvas, canvas pixels."""
    source: Box
    """Part of the frame on show, frame pixels; may leave the frame."""
    mirrored: bool = False
    """True where left and right are swapped."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height on the canvas in pixels."""
        left, top, right, bottom = self.rect
        return right - left, bottom - top

    @property
    def scale_xy(self) -> tuple[float, float]:
        """Canvas pixels per frame pixel along x and y."""
        left, top, right, bottom = self.source
        width, height = self.size_wh
        return width / (right - left), height / (bottom - top)

    def cut(self, canvas: RgbImage) -> RgbImage:
        """Return the pane's pixels of a canvas, as a view to draw into."""
        left, top, right, bottom = self.rect
        return canvas[top:bottom, left:right]

    def place(self, points_xy: Points) -> npt.NDArray[np.float64]:
        """Return points (..., 2), frame pixels, as pixels of this pane."""
        placed = (np.asarray(points_xy, np.float64) - self.source[:2]) * self.scale_xy
        if self.mirrored:
            placed[..., 0] = self.size_wh[0] - placed[..., 0]
        return placed

    def place_box(self, box: Box) -> Box:
        """Return a box in frame pixels as a box in pixels of this pane."""
        (x0, y0), (x1, y1) = self.place(np.array([box[:2], box[2:]])).tolist()
        return min(x0, x1), y0, max(x0, x1), y1


def box_within(box: Box, size_wh: tuple[int, int]) -> Box:
    """Return a box moved into a picture; one too large shrinks about its middle, in proportion.

    A close-up of a hand at the edge so shows the picture, not the black beyond it. It shrinks to a
    quarter at most: a picture of a few pixels does not fill it.
    """
    sides = (box[2] - box[0], box[3] - box[1])
    scale = max(_LEAST_SHRUNK, min(1.0, size_wh[0] / sides[0], size_wh[1] / sides[1]))
    starts = []
    for start, side, room in zip(box[:2], sides, size_wh, strict=True):
        first, last = sorted((0.0, room - side * scale))
        starts.append(min(max(start + side * (1 - scale) / 2, first), last))
    return starts[0], starts[1], starts[0] + sides[0] * scale, starts[1] + sides[1] * scale


def draw_picture(canvas: RgbImage, pane: Pane, image: RgbImage) -> None:
    """Fill a pane with its part of ``image``; black outside the image."""
    part = pane.cut(canvas)
    height, width = image.shape[:2]
    source_wh = (pane.source[2] - pane.source[0], pane.source[3] - pane.source[1])
    if pane.source == (0, 0, width, height):
        _resize_into(part, image, pane.mirrored)
    elif max(source_wh[0] / pane.size_wh[0], source_wh[1] / pane.size_wh[1]) > 2:
        _draw_reduced(part, pane, image)
    else:
        # Placed to a fraction of a pixel, or a close-up of a steady hand would tremble.
        step_x, step_y = source_wh[0] / pane.size_wh[0], source_wh[1] / pane.size_wh[1]
        left, top = pane.source[:2]
        if pane.mirrored:
            left, step_x = pane.source[2], -step_x
        to_source = np.array(
            [[step_x, 0, left + step_x / 2 - 0.5], [0, step_y, top + step_y / 2 - 0.5]]
        )
        part[:] = cv2.warpAffine(
            image, to_source, pane.size_wh, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )


def _draw_reduced(part: RgbImage, pane: Pane, image: RgbImage) -> None:
    """Average the pixels of a part that is shown much smaller than it is."""
    height, width = image.shape[:2]
    left, top = math.floor(pane.source[0]), math.floor(pane.source[1])
    right, bottom = math.ceil(pane.source[2]), math.ceil(pane.source[3])
    inside = image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    part[:] = 0
    if 0 in inside.shape:
        return
    clipped = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    x0, y0, x1, y1 = (round(edge) for edge in pane.place_box(clipped))
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, part.shape[1]), min(y1, part.shape[0])
    if x1 > x0 and y1 > y0:
        _resize_into(part[y0:y1, x0:x1], inside, pane.mirrored)


def _resize_into(part: RgbImage, image: RgbImage, mirrored: bool) -> None:
    if part.shape != image.shape:
        shrinks = part.shape[0] < image.shape[0]
        image = cv2.resize(
            image,
            (part.shape[1], part.shape[0]),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
    part[:] = cv2.flip(image, 1) if mirrored else image
