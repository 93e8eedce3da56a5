"""The contact sheet: all 26 letters on one picture, skin tones from light to dark."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from samples.anatomy import HandBody
from samples.hand import Light, Placement, Sleeve, render_layer
from samples.handshapes import LETTERS, MOTIONS, Motion, pose_of, view_of
from samples.skin import Skin
from samples.tone import to_display

Pixels = npt.NDArray[np.uint8]

COLUMNS: Final = 9
_LIGHT: Final = Light(
    direction=(-0.5, 0.5, 0.7), key=(1.12, 1.03, 0.92), ambient=(0.26, 0.29, 0.33), softness=0.3
)
_INK: Final = (235, 238, 236)
_HAND_SHARE: Final = 0.74
"""Length of the open hand in a tile."""


def draw_sheet(tile_px: int) -> Pixels:
    """Return all letters in alphabetical order, uint8 RGB, three rows of nine tiles.

    J, X and Z are shown at the start of their motion, with the line that the hand draws.

    Args:
        tile_px: Side of a tile.

    Raises:
        ValueError: ``tile_px`` < 16.
    """
    if tile_px < 16:
        raise ValueError(f"tiles must be at least 16 px wide, got {tile_px}")
    names = sorted([*LETTERS, *MOTIONS])
    tiles = [_tile(name, i / (len(names) - 1), tile_px) for i, name in enumerate(names)]
    rows = math.ceil(len(tiles) / COLUMNS)
    tiles += [to_display(_wall(tile_px))] * (rows * COLUMNS - len(tiles))
    return np.vstack([np.hstack(tiles[i * COLUMNS : (i + 1) * COLUMNS]) for i in range(rows)])


def _tile(letter: str, tone: float, size_px: int) -> Pixels:
    motion = MOTIONS.get(letter)
    pose = motion.pose if motion else pose_of(letter)
    yaw, pitch, roll = (0.0, 0.0, 0.0) if motion else view_of(letter)
    body = HandBody()
    placement = Placement(
        centre_px=(0.51 * size_px, (0.36 if abs(pitch) > 90.0 else 0.64) * size_px),
        hand_length_px=_HAND_SHARE * size_px,
        yaw=yaw + 4.0,
        pitch=pitch,
        roll=roll,
        distance_cm=75.0,
    )
    sleeve = Sleeve((0.30, 0.26, 0.20), 5.0)
    layer = render_layer(
        (size_px, size_px), pose, body, Skin.of_tone(tone), _LIGHT, placement, sleeve, 3
    )
    tile = to_display(layer.rgb + (1.0 - layer.alpha[..., None]) * _wall(size_px))
    if motion:
        tile = _with_strokes(tile, motion, _HAND_SHARE * size_px / body.hand_length_cm)
    return _with_letter(tile, letter)


def _wall(size_px: int) -> npt.NDArray[np.float32]:
    y, x = np.mgrid[0:size_px, 0:size_px].astype(np.float32) / np.float32(size_px)
    light = 0.55 + 0.75 * np.exp(-((x - 0.5) ** 2 + (y - 0.45) ** 2) / 0.35)
    return np.asarray(light[..., None] * np.array([0.095, 0.14, 0.14], np.float32), np.float32)


def _with_letter(tile: Pixels, letter: str) -> Pixels:
    """Write the letter into the top left corner; drawn large and reduced, so that it is smooth."""
    size = tile.shape[0]
    mask = np.zeros((size * 4, size * 4), np.uint8)
    scale = size * 4 / 260
    corner = (round(0.06 * size * 4), round(0.17 * size * 4))
    cv2.putText(
        mask, letter, corner, cv2.FONT_HERSHEY_DUPLEX, scale, 255, round(2 * scale), cv2.LINE_AA
    )
    return _inked(tile, mask)


def _with_strokes(tile: Pixels, motion: Motion, px_per_cm: float) -> Pixels:
    """Draw a motion's lines over the hand, the last one with the head of an arrow."""
    size = tile.shape[0]
    mask = np.zeros((size * 4, size * 4), np.uint8)
    width = max(1, round(0.012 * size * 4))
    path: npt.NDArray[np.float64] = np.zeros((0, 2))
    for stroke in motion.strokes_cm:
        path = np.array(stroke) * (px_per_cm * 4, -px_per_cm * 4) + (2.0 * size, 1.8 * size)
        cv2.polylines(mask, [np.round(path).astype(np.int32)], False, 255, width, cv2.LINE_AA)
    way = path[-1] - path[-2]
    way = way / max(float(np.hypot(*way)), 1e-6) * 0.05 * size * 4
    side = np.array([-way[1], way[0]]) * 0.6
    head = np.array([path[-1] + way, path[-1] + side, path[-1] - side])
    cv2.fillPoly(mask, [np.round(head).astype(np.int32)], 255, cv2.LINE_AA)
    return _inked(tile, mask)


def _inked(tile: Pixels, mask: Pixels) -> Pixels:
    size = tile.shape[0]
    share = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)[..., None] / 255.0
    return np.asarray(tile * (1 - share) + np.array(_INK) * share + 0.5, np.uint8)
