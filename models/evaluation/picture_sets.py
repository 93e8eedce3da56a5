"""Pictures whose hands are known: rendered sets, and real frames without a background.

Real frames must have their background removed to black, as those of the ISL-HS data set (Oliveira
et al., "A dataset for Irish Sign Language recognition", IMVIP 2017) have: what is not black is hand
and forearm. They are put before other backgrounds, too.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.crops import cut_crop
from models.hands.finder import MediaPipeHandFinder
from stream.errors import SourceFormatError, SourceNotFoundError
from stream.frames import Frame, RgbImage
from stream.geometry import HandRegion
from stream.sources.picture_files import PictureReader

__all__ = [
    "PictureSet",
    "before_rivals",
    "on_backgrounds",
    "on_grey",
    "read_pictures",
    "read_truths",
]

Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float32]
Background = Callable[[np.random.Generator, int], RgbImage]
"""Draws a square background of a side in pixels, uint8 RGB."""
Rival = Callable[[np.random.Generator, int, npt.NDArray[np.float64]], RgbImage]
"""The same of a background with skin in it, given the hand's mean colour, RGB 0..255, (3,)."""

_NAME: Final = re.compile(r"(Person\d+)-([A-Z])-")
"""Names of real frames tell person and letter; others count as one person without a letter."""
_BLACK: Final = 14
"""Brightest grey of a removed background, with what compression leaves of it."""
_MARGIN: Final = 0.25
"""Border around the landmarks on each side, in sides of their box."""
_ON_HAND: Final = 0.8
"""Share of the landmarks that must lie on the mask, or they are of no use."""
_SKINS: Final = ((1.0, 0.8, 0.68), (1.0, 0.78, 0.62), (0.85, 0.62, 0.48), (0.6, 0.42, 0.32))
"""Colours that grey hands are dyed with before coloured backgrounds."""
_BRIGHT: Final = 215.0
"""Brightness that hands are brought to before coloured backgrounds: those are no dark rooms."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PictureSet:
    """Square crops around hands, and what is known about them."""

    name: str
    """What they are, for tables."""
    images: npt.NDArray[np.uint8]
    """uint8 (N, S, S, 3) RGB."""
    masks: Mask
    """bool (N, S, S): hand and forearm."""
    landmarks: npt.NDArray[np.float32]
    """float32 (N, 21, 2), crop pixels, MediaPipe's order."""
    letters: tuple[str, ...]
    """Handshape of each, "" where unknown."""
    persons: tuple[str, ...]
    """Whose hand each is."""
    tried: int
    """Pictures that were looked at, those without a hand to be found included."""
    is_cut: bool
    """Whether there is nothing behind the hands, so that they can be put before something."""

    def __len__(self) -> int:
        return len(self.images)


def read_pictures(path: Path, *, size_px: int, limit: int) -> PictureSet:
    """Return crops of a rendered set or of real frames.

    Real hands are found by MediaPipe, as in use; rendered ones are cropped by their truth.

    Args:
        path: A rendered set (``python -m samples.render set``), or a folder of frames whose
            background is black, named ``PersonP-LETTER-...``.
        size_px: Side of the crops.
        limit: Pictures to look at; where there are more, letters and persons take turns.

    Raises:
        SourceNotFoundError: There is no such folder.
        SourceFormatError: No hand can be had from it.
    """
    if not path.is_dir():
        raise SourceNotFoundError(
            f"{path}: no such folder; --data takes rendered sets and folders of real frames"
        )
    if (path / "set.json").is_file():
        files = sorted(path.glob("[0-9]*.json"))[:limit]
        crops, name, is_cut = list(_rendered(files, size_px)), "rendered", False
    else:
        frames = [*path.glob("*.jpg"), *path.glob("*.png")]
        files = _take_turns(sorted(frames), limit)
        crops, name, is_cut = list(_real(files, size_px)), "real", True
    if not crops:
        raise SourceFormatError(
            f"{path}: no hand found; a rendered set, or frames with a black background are needed"
        )
    return _set_of(f"{name}, as they are", crops, tried=len(files), is_cut=is_cut)


def read_truths(
    name: str, shown: Iterable[tuple[RgbImage, Mask, Points]], *, size_px: int
) -> PictureSet:
    """Return crops around hands of frames, cut as in use, but where the hands truly are.

    Args:
        name: What they are, for tables.
        shown: Frames, masks of one hand, and that hand's 21 landmarks, px; one hand at least.
        size_px: Side of the crops.
    """
    crops = [
        _cut(image, mask, _region_of(points), points, size_px, "", "rendered")
        for image, mask, points in shown
    ]
    return _set_of(name, crops, tried=len(crops), is_cut=False)


def on_grey(pictures: PictureSet) -> PictureSet:
    """Return the hands before the middle of the grey scale."""
    behind = np.full_like(pictures.images, 128)
    return replace(pictures, name="real, on flat grey", images=_over(pictures, 1.0, behind))


def on_backgrounds(
    pictures: PictureSet, name: str, draw: Background, *, seed: int = 0
) -> PictureSet:
    """Return the hands before backgrounds, lit as brightly, and dyed as skin where they are grey.

    Args:
        pictures: Hands before nothing.
        name: What the backgrounds are, for tables.
        draw: Draws one.
        seed: Where its random numbers, and those of the skin colours, start.
    """
    rng = np.random.default_rng(seed)
    size_px = pictures.images.shape[1]
    behind = np.stack([draw(rng, size_px) for _ in range(len(pictures))])
    images = _over(pictures, _tints(pictures, rng)[:, None, None], behind)
    return replace(pictures, name=f"real, on {name}", images=images)


def before_rivals(
    pictures: PictureSet,
    name: str,
    draw: Rival,
    *,
    light: tuple[float, float] = (1.0, 1.0),
    seed: int = 0,
) -> PictureSet:
    """Return the hands before what is easily taken for a hand, dyed and lit as before backgrounds.

    Skin behind a hand is its own, as where somebody signs before their own face. Letters are not
    asked of these pictures.

    Args:
        pictures: Hands whose masks are known; what is behind them is cut off.
        name: What is behind them then, for tables.
        draw: Draws one.
        light: Least and most light on the hand, over the usual.
        seed: Where its random numbers start.
    """
    rng = np.random.default_rng(seed)
    size_px = pictures.images.shape[1]
    tints = _tints(pictures, rng)
    colours = [
        image[mask].mean(0) * tint
        for image, mask, tint in zip(pictures.images, pictures.masks, tints, strict=True)
    ]
    behind = np.stack([draw(rng, size_px, colour) for colour in colours])
    tints = tints * rng.uniform(*light, (len(pictures), 1))
    return replace(
        pictures,
        name=f"{pictures.name.split(',')[0]}, {name}",
        images=_over(pictures, tints[:, None, None], behind),
        letters=("",) * len(pictures),
    )


def _set_of(name: str, crops: list[_Crop], *, tried: int, is_cut: bool) -> PictureSet:
    return PictureSet(
        name=name,
        images=np.stack([crop.image for crop in crops]),
        masks=np.stack([crop.mask for crop in crops]),
        landmarks=np.stack([crop.landmarks for crop in crops]).astype(np.float32),
        letters=tuple(crop.letter for crop in crops),
        persons=tuple(crop.person for crop in crops),
        tried=tried,
        is_cut=is_cut,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Crop:
    image: RgbImage
    mask: Mask
    landmarks: npt.NDArray[np.float64]
    letter: str
    person: str


def _rendered(files: list[Path], size_px: int) -> Iterator[_Crop]:
    reader = PictureReader()
    for file in files:
        image = reader.read(file.with_suffix(".png"))
        labels = reader.read(file.with_suffix(".mask.png"))
        hand = json.loads(file.read_text(encoding="utf-8"))["hands"][0]
        points = np.array(hand["landmarks_px"], np.float32)
        region = _inside(_region_of(points), image.shape[0])
        yield _cut(image, labels[..., 0] > 0, region, points, size_px, hand["letter"], "rendered")


def _real(files: list[Path], size_px: int) -> Iterator[_Crop]:
    reader = PictureReader()
    with MediaPipeHandFinder(max_hands=1, stills=True) as finder:
        for file in files:
            image = reader.read(file)
            mask = _biggest_part(image.max(2) >= _BLACK)
            regions = finder.find(_frame(image))
            if not regions or regions[0].landmarks is None:
                continue
            points = regions[0].landmarks
            x, y = np.clip(points.astype(int), 0, (image.shape[1] - 1, image.shape[0] - 1)).T
            if mask[y, x].mean() < _ON_HAND:
                continue
            name = _NAME.match(file.name)
            person, letter = (name[1], name[2]) if name else ("", "")
            yield _cut(image, mask, _region_of(points), points, size_px, letter, person)


def _cut(
    image: RgbImage,
    mask: Mask,
    region: HandRegion,
    points: npt.NDArray[np.float32],
    size_px: int,
    letter: str,
    person: str,
) -> _Crop:
    crop = cut_crop(_frame(image), region, size_px=size_px, margin=_MARGIN)
    shown = np.repeat(mask[..., None].astype(np.uint8) * 255, 3, axis=2)
    cut = cut_crop(_frame(shown), region, size_px=size_px, margin=_MARGIN)
    return _Crop(
        image=crop.image,
        mask=cut.image[..., 0] > 127,
        landmarks=crop.transform.to_crop(points),
        letter=letter,
        person=person,
    )


def _tints(pictures: PictureSet, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return factors that light hands alike, and dye grey ones as skin, (N, 3)."""
    tones = np.array(_SKINS)[rng.integers(len(_SKINS), size=len(pictures))]
    grey = np.ptp(pictures.images.astype(np.int16), axis=3).max((1, 2)) < 40
    tint = np.where(grey[:, None], tones * rng.uniform(0.8, 1.1, (len(pictures), 1)), 1.0)
    return np.asarray(tint * _BRIGHT / _brightness(pictures)[:, None])


def _over(
    pictures: PictureSet, tint: npt.NDArray[np.float64] | float, behind: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Return the hands over something else, their outlines soft and without their dark rims."""
    kernel = np.ones((3, 3), np.uint8)
    inner = (cv2.erode(mask.astype(np.uint8), kernel) for mask in pictures.masks)
    alpha = np.stack([cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8) for mask in inner])[
        ..., None
    ]
    mixed = pictures.images * tint * alpha + behind * (1 - alpha)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def _brightness(pictures: PictureSet) -> npt.NDArray[np.float64]:
    """Return the brightest channel of each hand, its 99th percentile, (N,)."""
    return np.array(
        [
            max(float(np.percentile(image[mask], 99)), 1.0)
            for image, mask in zip(pictures.images.max(3), pictures.masks, strict=True)
        ]
    )


def _take_turns(files: list[Path], limit: int) -> list[Path]:
    """Return ``limit`` files at most, evenly from all persons and letters, and within each."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        name = _NAME.match(file.name)
        groups[name[0] if name else ""].append(file)
    share = max(1, -(-limit // max(len(groups), 1)))
    chosen = []
    for group in groups.values():
        steps = np.linspace(0, len(group) - 1, min(share, len(group))).round().astype(int)
        chosen += [group[step] for step in steps]
    if len(chosen) > limit:
        chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, limit).round().astype(int)]
    return chosen


def _region_of(points: npt.NDArray[np.float32]) -> HandRegion:
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return HandRegion(
        box_xyxy=(left, top, max(right, left + 1), max(bottom, top + 1)),
        landmarks=points,
        handedness="right",
        score=1.0,
        track_id=0,
    )


def _inside(region: HandRegion, size_px: int) -> HandRegion:
    """Return the region moved, and shrunk if need be, so that its crop stays in the picture."""
    left, top, right, bottom = region.box_xyxy
    side = min(max(right - left, bottom - top), size_px / (1 + 2 * _MARGIN) - 1)
    border = side * (0.5 + _MARGIN) + 0.5
    x, y = (min(max(c, border), size_px - border) for c in region.centre_xy)
    return replace(region, box_xyxy=(x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def _biggest_part(mask: Mask) -> Mask:
    """Return the largest connected part, without specks and pinholes."""
    cleaned = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cleaned)
    if count < 2:
        return np.zeros_like(mask)
    part = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0)


def _frame(image: RgbImage) -> Frame:
    """Return the picture as a frame at time 0, at which a hand finder starts over."""
    return Frame(image=image, pts=0, time_base=Fraction(1), index=0, captured_ns=0)
