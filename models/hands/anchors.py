"""Things found in a picture by detectors that answer at a grid of anchors.

W. Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2. In MediaPipe's detectors
every anchor has the size of the picture, so only its place counts; and boxes that overlap are
averaged instead of dropped (V. Bazarevsky et al., "BlazeFace", 2019, section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.hands.contrast import lift_contrast
from models.hands.tflite import TfliteNetwork
from stream.frames import RgbImage

__all__ = ["AnchorDetector"]

_SAME: Final = 0.3
"""Boxes that share more of their union than this are one thing."""

_Floats = npt.NDArray[np.float64]


class AnchorDetector:
    """Finds things with key points, such as palms. Used by one thread.

    Args:
        content: A TFLite network with boxes as its first output and scores as its second.
        num_points: Key points of a thing.
        grids: Cells along a side, and anchors in each cell, of every grid.
        darkest: What the network calls black; white is 1.
        least_score: What is less sure is not returned, 0 to 1.

    Raises:
        RuntimeError: OpenVINO cannot read the network.
        ValueError: It has other points or grids.
    """

    def __init__(
        self,
        content: bytes,
        *,
        num_points: int,
        grids: Sequence[tuple[int, int]],
        darkest: float,
        least_score: float,
    ) -> None:
        self._anchors = np.concatenate([_anchors_of(*grid) for grid in grids])
        count = len(self._anchors)
        self._network = TfliteNetwork(content, [(count, 4 + 2 * num_points), (count, 1)])
        self._darkest = darkest
        self._least_logit = math.log(least_score / (1 - least_score))

    def find(self, image: RgbImage, *, lifted: bool = False) -> list[_Floats]:
        """Return the points of what is found, the surest first, each float64 (2 + K, 2).

        The box's upper left, its lower right and the K key points, in pixels of ``image``.

        Args:
            image: uint8 (H, W, 3) RGB of any size; the network sees it small.
            lifted: Show the network a picture with its contrast lifted.
        """
        height, width = image.shape[:2]
        side = self._network.size_px
        zoom = side / max(height, width)
        small_wh = max(1, round(width * zoom)), max(1, round(height * zoom))
        way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        small = cv2.resize(image, small_wh, interpolation=way)
        left, top = (side - small_wh[0]) // 2, (side - small_wh[1]) // 2
        picture = np.zeros((side, side, 3), np.float32)
        inside = picture[top : top + small_wh[1], left : left + small_wh[0]]
        inside[...] = lift_contrast(small) if lifted else small
        picture *= (1 - self._darkest) / 255
        picture += self._darkest
        scale_xy = np.array([width / small_wh[0], height / small_wh[1]])
        return [(points * side - (left, top)) * scale_xy for points in self._look(picture)]

    def _look(self, picture: npt.NDArray[np.float32]) -> list[_Floats]:
        """Return the points of what is found in parts of the picture's side."""
        raw, logits = self._network(picture)
        rows = np.flatnonzero(logits[:, 0] >= self._least_logit)
        scores = 1 / (1 + np.exp(-logits[rows, 0].astype(np.float64)))
        points = (
            raw[rows].reshape(len(rows), raw.shape[1] // 2, 2).astype(np.float64)
            / self._network.size_px
        )
        points += self._anchors[rows, np.newaxis]
        half = (points[:, 1] - self._anchors[rows]) / 2  # there, the network says width and height
        points[:, 1] = points[:, 0] + half
        points[:, 0] -= half
        return _merge(scores, points)


def _anchors_of(cells: int, per_cell: int) -> _Floats:
    """Return the places of a grid's anchors, row by row, parts of the picture's side."""
    middle = (np.arange(cells) + 0.5) / cells
    y, x = np.meshgrid(middle, middle, indexing="ij")
    return np.stack([x, y], axis=-1).reshape(-1, 2).repeat(per_cell, axis=0)


def _merge(scores: _Floats, points: _Floats) -> list[_Floats]:
    """Return one mean, weighted by score, of each set of overlapping boxes, the surest first."""
    merged = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        same = _overlap(points[left[0]], points[left]) > _SAME
        same[0] = True  # a box without area does not overlap even itself
        merged.append(np.average(points[left[same]], axis=0, weights=scores[left[same]]))
        left = left[~same]
    return merged


def _overlap(box: _Floats, boxes: _Floats) -> _Floats:
    """Return intersection over union of one box with each of several."""
    low, high = np.maximum(box[0], boxes[:, 0]), np.minimum(box[1], boxes[:, 1])
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    either = np.prod(box[1] - box[0]) + np.prod(boxes[:, 1] - boxes[:, 0], axis=-1) - both
    return np.asarray(both / np.maximum(either, 1e-12))
