"""What ``samples`` draws behind hands, and clips of signs: rooms, patterns, faces, arms, wood.

People, rooms and things are of series that no training draws from.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.evaluation.picture_sets import Mask, PictureSet, Points, before_rivals, read_truths
from stream.frames import RgbImage

if TYPE_CHECKING:
    from samples.clips import Clip
    from samples.rivals import RivalKind

__all__ = ["can_draw", "clips_of_signs", "draw_busy_room", "draw_pattern", "where_signing_happens"]

_RIVALS: Final[dict[RivalKind, str]] = {
    "face": "before faces",
    "hand": "beside a second hand",
    "arm": "before bare arms",
    "surface": "before wood and its like",
    "window": "against the light",
}
_DARK: Final = (0.25, 0.6)
"""Light on a hand before a window, over the usual."""
_CLIP_WH: Final = (640, 360)
"""A hand then has about the pixels of a crop."""
_NUM_SIGNERS: Final = 5
_LEAST_SHOWN: Final = 0.05
"""Share of its crop that a hand must fill to count: less is hidden, or out of the picture."""


def can_draw() -> bool:
    """Return whether the renderer is there: it is in the repository, and needs numba."""
    return all(importlib.util.find_spec(name) is not None for name in ("samples", "numba"))


def draw_pattern(rng: np.random.Generator, size_px: int) -> RgbImage:
    """Return any of the renderer's backgrounds, uint8 RGB (S, S, 3)."""
    from samples.backgrounds import draw_background
    from samples.tone import to_display

    return to_display(draw_background((size_px, size_px), rng))


def draw_busy_room(rng: np.random.Generator, size_px: int) -> RgbImage:
    """Return a furnished room in focus, uint8 RGB (S, S, 3)."""
    from samples.backgrounds import draw_background
    from samples.tone import to_display

    return to_display(draw_background((size_px, size_px), rng, "room", softness=0.0))


def where_signing_happens(pictures: PictureSet) -> Iterator[PictureSet]:
    """Yield the hands before faces, beside second hands, before arms and wood, against the light.

    Args:
        pictures: Hands whose masks are known.
    """
    for kind, name in _RIVALS.items():

        def draw(
            rng: np.random.Generator,
            size_px: int,
            colour: npt.NDArray[np.float64],
            kind: RivalKind = kind,
        ) -> RgbImage:
            from samples.rivals import draw_rival
            from samples.tone import to_linear

            red, green, blue = to_linear(np.minimum(colour, 255.0)).tolist()
            return draw_rival(kind, size_px, rng, skin=(red, green, blue))

        light = _DARK if kind == "window" else (1.0, 1.0)
        yield before_rivals(pictures, name, draw, light=light)


def clips_of_signs(size_px: int, *, num_frames: int) -> Iterator[PictureSet]:
    """Yield crops of rendered clips: signs at the face, of five people, and two hands that cross.

    Args:
        size_px: Side of the crops.
        num_frames: Frames taken from each person's clip, at equal distances.
    """
    from samples.at_face import SignsAtFace
    from samples.clips import TwoHands

    signers = [SignsAtFace(seed) for seed in range(_NUM_SIGNERS)]
    at_face = [hand for clip in signers for hand in _hands_of(clip, num_frames)]
    yield read_truths("clips of signs at the face", at_face, size_px=size_px)
    crossing = _hands_of(TwoHands(), 2 * num_frames)
    yield read_truths("clip of two hands", crossing, size_px=size_px)


def _hands_of(clip: Clip, num_frames: int) -> Iterator[tuple[RgbImage, Mask, Points]]:
    for index in np.linspace(0, clip.num_frames - 1, num_frames).round().astype(int).tolist():
        picture = clip.frame(index, _CLIP_WH)
        for hand in picture.hands:
            (left, top), (right, bottom) = hand.landmarks.min(0), hand.landmarks.max(0)
            area = 2.25 * max(right - left, bottom - top) ** 2
            if hand.mask.sum() >= _LEAST_SHOWN * area:
                yield picture.image, hand.mask, hand.landmarks
