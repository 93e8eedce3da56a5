"""Furnished rooms seen from the front: window, shelves, pictures, lamp, plant, sofa, door.

Pieces are placed in units of the picture's height: x from 0 at the left edge, y from 0 at the top
edge downward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from samples.noise import Image, random_colour, smooth_noise

Colour = npt.NDArray[np.floating[Any]] | tuple[float, float, float]
_FINE = 4
"""Bits of a pixel's fraction in the corners given to the polygon filler."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture that grows piece by piece."""

    picture: Image
    """Linear RGB, float32 (H, W, 3), painted in place."""

    @classmethod
    def of_wall(
        cls, size_wh: tuple[int, int], rng: np.random.Generator, colour: Colour, *, light_x: float
    ) -> Canvas:
        """Return a wall in ``colour``, brightest at ``light_x`` and fading away from it."""
        width, height = size_wh
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
        light = 0.62 + 0.62 * np.exp(-(((x - light_x) / 0.8) ** 2) - ((y - 0.25) / 0.8) ** 2)
        plaster = 0.96 + 0.08 * smooth_noise(size_wh, rng, height * 0.2, 3)
        return cls(
            np.ascontiguousarray(
                light[..., None] * plaster * np.asarray(colour, np.float32), np.float32
            )
        )

    @property
    def width(self) -> float:
        """Width in units of the height."""
        return self.picture.shape[1] / self.picture.shape[0]

    def polygon(self, corners: npt.ArrayLike, colour: Colour) -> None:
        """Fill a polygon, corners (N, 2)."""
        points = np.asarray(corners, np.float64) * self.picture.shape[0] * 2**_FINE
        cv2.fillPoly(
            self.picture,
            [np.round(points).astype(np.int32)],
            [float(c) for c in colour],
            cv2.LINE_AA,
            _FINE,
        )

    def box(
        self, x: float, y: float, w: float, h: float, colour: Colour, *, lean: float = 0.0
    ) -> None:
        """Fill a rectangle; ``lean`` shifts its top edge sideways."""
        self.polygon([(x + lean, y), (x + w + lean, y), (x + w, y + h), (x, y + h)], colour)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an ellipse."""
        turn = np.linspace(0, 2 * math.pi, 28, endpoint=False)
        self.polygon(np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1), colour)

    def glow(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Add light around a point, on what is there already and a little in the air."""
        height, width = self.picture.shape[:2]
        v, u = np.mgrid[0:height, 0:width].astype(np.float32) / height
        share = np.exp(-((u - x) ** 2 + (v - y) ** 2) / radius**2)[..., None]
        self.picture[:] += share * np.asarray(colour, np.float32) * (0.06 + self.picture)


def draw_room(size_wh: tuple[int, int], rng: np.random.Generator) -> Image:
    """Return a room with three to seven pieces of furniture, float32 (H, W, 3), linear RGB."""
    plain = Canvas.of_wall(
        size_wh, rng, random_colour(rng, 0.08, 0.5, 0.22), light_x=float(rng.uniform(0, 1.5))
    )
    wide = plain.width
    pieces = (hang_window, put_shelf, hang_picture, put_lamp, put_plant, put_sofa, put_door)
    for piece in rng.permutation(len(pieces))[: int(rng.integers(3, len(pieces) + 1))]:
        pieces[piece](
            plain, rng, float(rng.uniform(-0.15, wide - 0.15)), float(rng.uniform(0.8, 1.7))
        )
    return plain.picture


def hang_window(canvas: Canvas, rng: np.random.Generator, x: float, size: float) -> None:
    """A window with sky, trees and curtains; ``x`` is its left edge."""
    w, h, y = 0.42 * size, 0.62 * size, 0.02 + 0.1 * rng.random()
    frame = random_colour(rng, 0.45, 0.75, 0.08)
    canvas.box(x - 0.03, y - 0.03, w + 0.06, h + 0.06, frame)
    sky = np.array([0.85, 0.95, 1.1]) * rng.uniform(0.55, 1.0)
    for row in range(6):
        canvas.box(x, y + h * row / 6, w, h / 6 + 0.002, sky * (1 - 0.05 * row))
    for _ in range(10):
        green = np.array([0.12, 0.22, 0.07]) * rng.uniform(0.7, 2.2)
        r = rng.uniform(0.03, 0.09) * size
        canvas.disc(x + rng.uniform(r, w - r), y + h - r - rng.uniform(0, 0.15) * h, r, r, green)
    canvas.box(x + w / 2 - 0.012, y, 0.024, h, frame)
    canvas.box(x, y + h * 0.45, w, 0.02, frame)
    cloth = random_colour(rng, 0.3, 0.75, 0.2)
    for side in (x - 0.1 * size, x + w - 0.08 * size):
        for fold in range(6):
            canvas.box(
                side + fold * 0.03 * size,
                y - 0.05,
                0.031 * size,
                h + 0.25,
                cloth * (0.7 + 0.3 * (fold % 2)),
            )
    canvas.glow(x + w / 2, y + h / 2, 0.6 * size, (0.16, 0.18, 0.2))


def put_shelf(canvas: Canvas, rng: np.random.Generator, x: float, size: float) -> None:
    """Boards with leaning books, boxes and a vase; ``x`` is the left edge."""
    w = 0.5 * size
    wood = random_colour(rng, 0.06, 0.35, 0.2) * (1.25, 0.95, 0.65)
    palette = [random_colour(rng, 0.03, 0.4, 0.4) * (1.2, 0.92, 0.7) for _ in range(6)]
    step = 0.24 * size
    y = -0.12 * rng.random()
    if rng.random() < 0.5:
        canvas.box(x - 0.01, y, w + 0.02, 1.1 - y, wood * 0.45)
    while y < 1.0:
        y += step
        at = x + 0.01
        while at < x + w - 0.03:
            if rng.random() < 0.14:
                r = rng.uniform(0.025, 0.05) * size
                vase = palette[int(rng.integers(6))]
                canvas.disc(at + r, y - 1.1 * r, r, 1.1 * r, vase)
                canvas.box(at + 0.6 * r, y - 2.8 * r, 0.8 * r, 2 * r, vase)
                at += 2.3 * r
            elif rng.random() < 0.12:
                at += rng.uniform(0.02, 0.12) * size
            else:
                thick, tall = rng.uniform(0.014, 0.04) * size, rng.uniform(0.5, 0.9) * step
                lean = 0.03 * size if rng.random() < 0.1 else 0.0
                cover = palette[int(rng.integers(6))] * rng.uniform(0.7, 1.2)
                canvas.box(at, y - tall, thick, tall, cover, lean=lean)
                canvas.box(
                    at + lean, y - tall * 0.85, thick, tall * 0.06, np.minimum(cover * 2.2, 0.8)
                )
                at += thick + 0.002 + lean
        canvas.box(x - 0.01, y, w + 0.02, 0.018 * size, wood)
        canvas.box(x - 0.01, y + 0.018 * size, w + 0.02, 0.012 * size, wood * 0.3)


def hang_picture(canvas: Canvas, rng: np.random.Generator, x: float, size: float) -> None:
    """A framed picture of hills or of shapes; ``x`` is the left edge."""
    w, h, y = (
        0.26 * size * rng.uniform(0.7, 1.3),
        0.3 * size * rng.uniform(0.7, 1.2),
        0.06 + 0.15 * rng.random(),
    )
    canvas.box(x + 0.012, y + 0.016, w, h, canvas.picture.mean((0, 1)) * 0.5)
    canvas.box(x, y, w, h, random_colour(rng, 0.03, 0.5, 0.3))
    canvas.box(x + 0.015, y + 0.015, w - 0.03, h - 0.03, (0.75, 0.73, 0.68))
    inner_x, inner_y, inner_w, inner_h = x + 0.045, y + 0.045, w - 0.09, h - 0.09
    canvas.box(inner_x, inner_y, inner_w, inner_h, random_colour(rng, 0.3, 0.7, 0.4))
    for layer in range(3):
        along = np.linspace(0, 1, 14)
        ridge = 0.35 + 0.2 * layer + 0.1 * np.sin(along * rng.uniform(3, 8) + rng.uniform(0, 6))
        top = np.stack([inner_x + along * inner_w, inner_y + ridge * inner_h], 1)
        base = [(inner_x + inner_w, inner_y + inner_h), (inner_x, inner_y + inner_h)]
        canvas.polygon(np.concatenate([top, base]), random_colour(rng, 0.05, 0.5, 0.6))


def put_lamp(canvas: Canvas, rng: np.random.Generator, x: float, size: float) -> None:
    """A lit floor lamp; ``x`` is its pole."""
    y, r = rng.uniform(0.12, 0.4), 0.11 * size
    canvas.box(x - 0.008, y, 0.016, 1.2, (0.03, 0.025, 0.02))
    shade = np.array([1.25, 0.92, 0.55]) * rng.uniform(0.8, 1.3)
    for row in range(5):
        half, next_half = r * (0.6 + 0.09 * row), r * (0.6 + 0.09 * (row + 1))
        top = y + row * 0.2 * r
        canvas.polygon(
            [
                (x - half, top),
                (x + half, top),
                (x + next_half, top + 0.21 * r),
                (x - next_half, top + 0.21 * r),
            ],
            shade * (0.75 + 0.1 * row),
        )
    canvas.glow(x, y + 0.5 * r, 4.5 * r, (0.75, 0.5, 0.25))


def put_plant(canvas: Canvas, rng: np.random.Generator, x: float, size: float) -> None:
    """A leafy plant; ``x`` is the middle of its pot."""
    y = rng.uniform(0.62, 0.95)
    pot = random_colour(rng, 0.15, 0.6, 0.35)
    r = 0.075 * size
    canvas.polygon(
        [(x - r, y), (x + r, y), (x + 0.75 * r, y + 2 * r), (x - 0.75 * r, y + 2 * r)], pot
    )
    canvas.polygon(
        [(x + 0.3 * r, y), (x + r, y), (x + 0.75 * r, y + 2 * r), (x + 0.2 * r, y + 2 * r)],
        pot * 0.6,
    )
    for _ in range(int(rng.integers(14, 34))):
        lean = rng.normal(0, 0.75)
        length = rng.uniform(0.14, 0.42) * size
        along = np.linspace(0, 1, 9)
        bend = lean * (0.6 + 0.7 * along)
        spine = np.stack([x + length * along * np.sin(bend), y - length * along * np.cos(bend)], 1)
        half = rng.uniform(0.05, 0.11) * length * np.sin(math.pi * along**0.8)
        across = np.stack([np.cos(bend), np.sin(bend)], 1) * half[:, None]
        green = np.array([0.10, 0.22, 0.07]) * rng.uniform(0.35, 1.6)
        canvas.polygon(np.concatenate([spine - across, spine[::-1]]), green)
        canvas.polygon(np.concatenate([spine, (spine + across)[::-1]]), green * 0.7)


def put_sofa(canvas: Canvas, rng: np.random.Generator, x: float, size: float) -> None:
    """The back of a sofa with cushions; ``x`` is its left edge."""
    y, w = rng.uniform(0.68, 0.9), 0.95 * size
    cloth = random_colour(rng, 0.05, 0.5, 0.5)
    canvas.box(x, y, w, 0.6, cloth)
    canvas.disc(x + w / 2, y + 0.01, w / 2, 0.035, cloth * 1.12)
    for k in range(2):
        canvas.box(x + 0.03 + k * w / 2, y + 0.07, w / 2 - 0.06, 0.5, cloth * 0.8)
    pillow = random_colour(rng, 0.1, 0.7, 0.6)
    at = x + w * rng.uniform(0.1, 0.7)
    canvas.polygon(
        [(at, y + 0.03), (at + 0.17, y - 0.02), (at + 0.21, y + 0.16), (at + 0.03, y + 0.2)], pillow
    )


def put_door(canvas: Canvas, rng: np.random.Generator, x: float, size: float) -> None:
    """A panelled door; ``x`` is its left edge."""
    w = 0.4 * size
    paint = random_colour(rng, 0.15, 0.7, 0.2)
    canvas.box(x - 0.03, -0.1, w + 0.06, 1.3, paint * 1.15)
    canvas.box(x, -0.1, w, 1.3, paint)
    for row in range(2):
        for column in range(2):
            left, top = x + 0.04 + column * w / 2, 0.03 + row * 0.48
            canvas.box(left, top, w / 2 - 0.08, 0.4, paint * 0.75)
            canvas.box(left + 0.01, top + 0.012, w / 2 - 0.09, 0.385, paint * 0.95)
    canvas.disc(x + w - 0.03, 0.55, 0.014, 0.014, (0.6, 0.5, 0.3))
