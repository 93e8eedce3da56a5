"""What of a map's grid the parts of a hand fill, from the hand's 21 landmarks.

A hand is a bundle of round bones, as wide as such bones are beside the palm's length. The length
that a finger's bone lacks in the picture goes into depth, on the side to which the palm looks, so
that fingers folded before the palm hide it, and are hidden where the back of the hand is seen.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import PARTS
from stream.geometry import CropTransform, HandRegion

__all__ = ["cover_parts", "palm_axes", "palm_length_px"]

_PALM_POINTS: Final = (0, 5, 9, 13, 17)
"""Landmarks that move with the palm as one body: the wrist and the four knuckles."""

_POINTS: Final = 56
"""Points across a map at which is looked what part is there, at least two per side of a patch."""

_FINGERS: Final = (
    (0, 2, 3, 0.34, 0.155, 0.139),
    (0, 3, 4, 0.30, 0.139, 0.105),
    (1, 5, 6, 0.45, 0.145, 0.126),
    (1, 6, 7, 0.27, 0.126, 0.112),
    (1, 7, 8, 0.23, 0.112, 0.091),
    (2, 9, 10, 0.55, 0.145, 0.128),
    (2, 10, 11, 0.32, 0.128, 0.114),
    (2, 11, 12, 0.25, 0.114, 0.093),
    (3, 13, 14, 0.52, 0.138, 0.121),
    (3, 14, 15, 0.31, 0.121, 0.108),
    (3, 15, 16, 0.26, 0.108, 0.087),
    (4, 17, 18, 0.37, 0.122, 0.105),
    (4, 18, 19, 0.22, 0.105, 0.095),
    (4, 19, 20, 0.25, 0.095, 0.078),
)
"""Bones of the fingers: part, landmarks it runs between, length, radius here and there. Lengths are
shares of the palm's, those of an adult's mean hand as ``samples.anatomy`` has it."""
_ROOT: Final = 0.1
"""A finger starts this share of its first bone above the knuckle; below is palm."""
_TIP: Final = 0.15
"""It ends this share of its last bone beyond the landmark of its tip."""
_THUMB_HEIGHT: Final = 0.7
"""How far the thumb lies before the palm, palm lengths: on fingers that it closes over."""

_PALM: Final = (
    ({0: 0.82, 5: 0.36, 17: -0.18}, {5: 1.0}, 0.175, 0.129),
    ({0: 0.82, 5: 0.05, 9: 0.18, 17: -0.05}, {9: 1.0}, 0.175, 0.129),
    ({0: 0.82, 5: -0.08, 13: 0.18, 17: 0.08}, {13: 1.0}, 0.175, 0.124),
    ({0: 0.82, 5: -0.22, 17: 0.40}, {17: 1.0}, 0.175, 0.109),
    ({1: 1.0}, {2: 1.0}, 0.182, 0.150),
    ({1: 1.0}, {0: 0.15, 2: 0.25, 5: 0.60}, 0.150, 0.088),
    ({0: 0.90, 5: -0.22, 17: 0.32}, {0: 0.4, 17: 0.6}, 0.169, 0.132),
)
"""Bones and flesh of the palm, mixed of landmarks: wrist to each knuckle, ball of the thumb, the
web between thumb and index, the heel below the little finger; radius here and there."""

_REFERENCES: Final = ((0, 5, 1.06), (0, 9, 1.0), (0, 13, 0.94), (0, 17, 0.925), (5, 17, 0.75))
"""Lines of the palm and their lengths in that from the wrist to the middle finger's knuckle."""


def _mixtures() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return what starts and ends of all bones are mixed of, (bones, 21) each."""
    starts = np.zeros((len(_FINGERS) + len(_PALM), 21))
    ends = np.zeros_like(starts)
    for bone, (_, start, end, *_) in enumerate(_FINGERS):
        root = _ROOT if start in (2, 5, 9, 13, 17) else 0.0
        tip = _TIP if end in (4, 8, 12, 16, 20) else 0.0
        starts[bone, [start, end]] = 1 - root, root
        ends[bone, [start, end]] = -tip, 1 + tip
    for bone, (start_mix, end_mix, *_) in enumerate(_PALM, start=len(_FINGERS)):
        starts[bone, list(start_mix)] = list(start_mix.values())
        ends[bone, list(end_mix)] = list(end_mix.values())
    return starts, ends


_STARTS, _ENDS = _mixtures()
_RADII: Final = np.array([bone[-2:] for bone in (*_FINGERS, *_PALM)])
_LENGTHS: Final = np.array([bone[3] for bone in _FINGERS])
_JOINTS: Final = np.array([bone[1:3] for bone in _FINGERS])
_PART_OF: Final = np.array([*(bone[0] for bone in _FINGERS), *[len(PARTS) - 1] * len(_PALM)])
_LINES: Final = np.array([line[:2] for line in _REFERENCES])
_LINE_LENGTHS: Final = np.array([line[2] for line in _REFERENCES])


def palm_length_px(landmarks: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return how long the palm is, wrist to the knuckle of the middle finger, (...), px.

    Where that line is foreshortened, what the longest of the palm's lines tells: its breadth shows
    how near a hand is that points to the camera.

    Args:
        landmarks: (..., 21, 2), px.
    """
    lines = landmarks[..., _LINES[:, 1], :] - landmarks[..., _LINES[:, 0], :]
    lengths = np.hypot(lines[..., 0], lines[..., 1]) / _LINE_LENGTHS
    return np.asarray(lengths.max(-1), np.float64)


def palm_axes(
    landmarks: npt.NDArray[np.floating],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the palm's middle, (2,), and its axes to its right and up, (2, 2), px.

    Up is from the wrist to the knuckles; both are as long as the palm.

    Args:
        landmarks: (21, 2), px.
    """
    palm = np.asarray(landmarks[list(_PALM_POINTS)], np.float64)
    up = palm[1:].mean(0) - palm[0]
    up *= palm_length_px(landmarks) / max(float(np.hypot(*up)), 1e-6)
    return palm.mean(0), np.array([[-up[1], up[0]], up])


def cover_parts(
    region: HandRegion, transform: CropTransform, grid_hw: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Return the share of each patch that each of ``PARTS`` is seen to fill, (6, rows, columns).

    Of parts before each other the nearest counts, so the sum over parts is the cover of the whole
    hand, 0..1. A finger begins at its knuckle; the forearm is no part of the hand.

    Args:
        region: A hand; its side tells whether palm or back is seen.
        transform: Where the grid lies in the frame.
        grid_hw: Rows and columns of patches, which are square.
    """
    assert region.landmarks is not None, "the whole picture is no hand"
    rows, columns = grid_hw
    fine = max(2, round(_POINTS / max(grid_hw)))
    width, height = transform.crop_wh
    landmarks = transform.to_crop(region.landmarks) * (columns / width, rows / height) * fine
    length = max(float(palm_length_px(landmarks)), 1e-3)
    start, end = _STARTS @ landmarks, _ENDS @ landmarks
    radius = _RADII * length
    # Only patches around the hand.
    low = (np.minimum(start, end).min(0) - radius.max()) // fine
    high = -(-(np.maximum(start, end).max(0) + radius.max()) // fine)
    (left, top), (right, bottom) = np.clip([low, high], 0, (columns, rows)).astype(int).tolist()
    covers = np.zeros((len(PARTS), rows, columns))
    if right <= left or bottom <= top:
        return covers
    depth = _depths(landmarks, length, is_right=region.handedness == "right")
    x = np.arange(left * fine, right * fine) + 0.5
    y = np.arange(top * fine, bottom * fine) + 0.5
    nearest = _nearest(x, y, start, end, radius, depth)
    blocks = nearest.reshape(bottom - top, fine, right - left, fine)
    parts = np.arange(len(PARTS))[:, None, None, None, None]
    covers[:, top:bottom, left:right] = (blocks == parts).mean((2, 4))
    return covers


def _depths(
    landmarks: npt.NDArray[np.float64], length: float, *, is_right: bool
) -> npt.NDArray[np.float64]:
    """Return how far both ends of each bone lie before the palm, (bones, 2); negative behind it."""
    index, little = landmarks[5] - landmarks[0], landmarks[17] - landmarks[0]
    turn = float(little[0] * index[1] - little[1] * index[0]) / (0.7 * length**2)
    # Seen edge on a palm looks to neither side.
    palmward = min(max(4 * turn if is_right else -4 * turn, -1.0), 1.0)
    bones = landmarks[_JOINTS[:, 1]] - landmarks[_JOINTS[:, 0]]
    missing = (_LENGTHS * length) ** 2 - (bones**2).sum(1)
    steps = np.sqrt(np.maximum(missing, 0.0)) * palmward
    depth = np.zeros((len(_PART_OF), 2))
    height = 0.0
    for bone, (part, start, *_) in enumerate(_FINGERS):
        if start in (2, 5, 9, 13, 17):
            height = _THUMB_HEIGHT * length * palmward if part == 0 else 0.0
        depth[bone] = height, height + steps[bone]
        height += steps[bone]
    return depth


def _nearest(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    radius: npt.NDArray[np.float64],
    depth: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Return the part that is seen at each point, (rows, columns); ``len(PARTS)`` is none."""
    way = end - start
    lengths = np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-6)
    way /= lengths[:, None]

    def spread(along: npt.NDArray[np.float64], over: npt.NDArray[np.float64]) -> _Field:
        """Add up what columns and rows say, (bones, rows, columns)."""
        return over.astype(np.float32)[:, :, None] + along.astype(np.float32)[:, None, :]

    def column(values: npt.NDArray[np.float64]) -> _Field:
        return values.astype(np.float32)[:, None, None]

    dx, dy = x - start[:, :1], y - start[:, 1:]
    beyond = spread(dx * way[:, :1], dy * way[:, 1:])
    aside = spread(dx * -way[:, 1:], dy * way[:, :1])
    along = np.clip(beyond, 0, column(lengths))
    beyond -= along
    squared = column(np.diff(radius)[:, 0] / lengths) * along
    squared += column(radius[:, 0])
    squared *= squared
    squared -= np.square(beyond, out=beyond)
    squared -= np.square(aside, out=aside)
    # The surface towards the camera: what is nearest hides the rest.
    surface = np.sqrt(np.maximum(squared, 0, out=beyond), out=beyond)
    along *= column(np.diff(depth)[:, 0] / lengths)
    surface += along
    surface += column(depth[:, 0])
    surface[squared <= 0] = -math.inf
    nearest = surface.argmax(0)
    return np.where(surface.max(0) > -math.inf, _PART_OF[nearest], len(PARTS))


_Field = npt.NDArray[np.float32]
