"""Pictures to train on: rendered sets, folders of pictures, videos whose hands are cut out.

Everything is read once and kept in memory as squares of one size: 50,000 pictures of 112 pixels
are 2.5 GB.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stream.errors import SourceError, SourceFormatError, SourceNotFoundError
from stream.frames import RgbImage
from stream.sources.picture_files import PictureReader

if TYPE_CHECKING:
    from models.hands.finder import MediaPipeHandFinder
    from stream.sources.file import FileSource

__all__ = ["Corpus", "read_corpus"]

logger = logging.getLogger(__name__)

_PICTURES: Final = {".bmp", ".jpeg", ".jpg", ".png", ".webp"}
_VIDEOS: Final = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"}
_VIDEO_STEP_S: Final = 0.2
"""Time between two frames taken from a video: neighbours would be all but the same picture."""
_VIDEO_MARGIN: Final = 0.25
"""Border around a hand of a video; that of the crops that the model will see."""
_LEAST_HAND: Final = 0.01
"""A mask smaller than this share of its picture shows no hand worth learning from."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Corpus:
    """Square pictures of one size, cut-out masks where they are known."""

    pictures: Tensor
    """uint8 (N, 4, S, S): red, green, blue, and 255 on the hand; 0 where there is no mask."""
    boxes: Tensor
    """float32 (N, 4): left, top, right, bottom of what a view is taken around, px."""
    is_cut: Tensor
    """bool (N,): whether there is a mask, so that the background can be exchanged."""

    def __post_init__(self) -> None:
        shape = tuple(self.pictures.shape)
        if len(shape) != 4 or shape[1] != 4 or shape[2] != shape[3] or shape[0] < 1:
            raise ValueError(f"pictures must be (N, 4, S, S) with N >= 1, got {shape}")
        if tuple(self.boxes.shape) != (shape[0], 4) or tuple(self.is_cut.shape) != (shape[0],):
            raise ValueError(
                f"boxes and is_cut must be for {shape[0]} pictures, "
                f"got {tuple(self.boxes.shape)} and {tuple(self.is_cut.shape)}"
            )

    def __len__(self) -> int:
        return len(self.pictures)


def read_corpus(paths: Sequence[Path], *, size_px: int, limit: int | None = None) -> Corpus:
    """Return all pictures under ``paths``.

    Args:
        paths: Rendered sets (``python -m samples.render set``), folders of pictures or of videos,
            videos. Pictures are used as they are, cut to squares: the hand should fill them. From
            videos, the hands that MediaPipe finds are cut out, five frames a second.
        size_px: Side that every picture is brought to.
        limit: Pictures to take at most from each path; None takes all.

    Raises:
        SourceNotFoundError: A path does not exist.
        SourceFormatError: A path holds nothing to train on.
    """
    parts = [_read(path, size_px, limit) for path in paths]
    return Corpus(
        pictures=torch.cat([part.pictures for part in parts]),
        boxes=torch.cat([part.boxes for part in parts]),
        is_cut=torch.cat([part.is_cut for part in parts]),
    )


def _read(path: Path, size_px: int, limit: int | None) -> Corpus:
    if not path.exists():
        raise SourceNotFoundError(
            f"{path}: no such file or folder; give a rendered set, pictures or videos"
        )
    if (path / "set.json").is_file():
        found = _rendered(path, size_px)
    elif path.is_file() and path.suffix.lower() in _VIDEOS:
        found = _hands_in([path], size_px)
    else:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        videos = [file for file in files if file.suffix.lower() in _VIDEOS]
        pictures = [file for file in files if file.suffix.lower() in _PICTURES]
        found = _hands_in(videos, size_px) if videos else _plain(pictures, size_px)
    rows: list[npt.NDArray[np.uint8]] = []
    boxes: list[_Box] = []
    cut: list[bool] = []
    for picture, mask, box in found:
        alpha = np.zeros(picture.shape[:2], np.uint8) if mask is None else mask
        rows.append(np.dstack([picture, alpha]).transpose(2, 0, 1))
        boxes.append(box or (0.0, 0.0, float(size_px), float(size_px)))
        cut.append(mask is not None)
        if limit is not None and len(rows) >= limit:
            break
    if not rows:
        raise SourceFormatError(
            f"{path}: nothing to train on; a rendered set, pictures ({', '.join(sorted(_PICTURES))}"
            f") or videos with hands in them ({', '.join(sorted(_VIDEOS))}) are"
        )
    return Corpus(
        pictures=torch.from_numpy(np.stack(rows)),
        boxes=torch.tensor(boxes, dtype=torch.float32),
        is_cut=torch.tensor(cut),
    )


_Box = tuple[float, float, float, float]
_Found = Iterator[tuple[RgbImage, npt.NDArray[np.uint8] | None, _Box | None]]
"""Pictures, masks as 0 or 255, and where the hand is; None for the whole picture."""


def _rendered(folder: Path, size_px: int) -> _Found:
    """Yield the pictures of a rendered set with their masks of bare skin.

    Of the truth, only the extent of the first hand is used, to crop where a hand finder would.
    """
    reader = PictureReader()
    for truth in sorted(folder.glob("[0-9]*.json")):  # written last: what stands here is whole
        picture, mask = (truth.with_suffix(suffix) for suffix in (".png", ".mask.png"))
        image, labels = reader.try_read(picture), reader.try_read(mask)
        if image is None or labels is None:
            continue
        alpha = np.where(labels.max(2) > 0, np.uint8(255), np.uint8(0))
        if (alpha > 0).mean() < _LEAST_HAND:
            continue
        yield _square(image, size_px), _square(alpha, size_px), _box_of(truth, size_px, image)


def _plain(files: list[Path], size_px: int) -> _Found:
    reader = PictureReader()
    for file in files:
        image = reader.try_read(file)
        if image is not None:
            yield _square(image, size_px), None, None


def _hands_in(videos: list[Path], size_px: int) -> _Found:
    """Yield the hands of videos as the model will see them."""
    from models.hands.finder import MediaPipeHandFinder
    from stream.sources.file import FileSource

    for video in videos:
        try:
            source = FileSource(video)
        except SourceError as error:
            logger.warning("left out: %s", error)
            continue
        with source, MediaPipeHandFinder() as finder:
            yield from _hands_of(source, finder, size_px)
            for warning in source.warnings:
                logger.warning("%s", warning)


def _hands_of(source: FileSource, finder: MediaPipeHandFinder, size_px: int) -> _Found:
    from models.crops import cut_crop

    next_s = 0.0
    while (frame := source.read()) is not None:
        regions = finder.find(frame)  # every frame, for a hand is followed from one to the next
        if frame.time_s < next_s:
            continue
        next_s = frame.time_s + _VIDEO_STEP_S
        for region in regions:
            yield cut_crop(frame, region, size_px=size_px, margin=_VIDEO_MARGIN).image, None, None


def _square(image: npt.NDArray[np.uint8], size_px: int) -> npt.NDArray[np.uint8]:
    """Return the middle of a picture as a square of ``size_px``."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = image[top : top + side, left : left + side]
    if side == size_px:
        return np.ascontiguousarray(middle)
    way = cv2.INTER_AREA if side > size_px else cv2.INTER_CUBIC
    resized: npt.NDArray[np.uint8] = cv2.resize(middle, (size_px, size_px), interpolation=way)
    return resized


def _box_of(truth: Path, size_px: int, image: RgbImage) -> _Box:
    """Return left, top, right, bottom of the first hand's landmarks, px of the stored picture."""
    try:
        hands = json.loads(truth.read_text(encoding="utf-8"))["hands"]
        points = np.array(hands[0]["landmarks_px"], np.float64) * size_px / image.shape[0]
        left, top = points.min(0).clip(0, size_px).tolist()
        right, bottom = points.max(0).clip(0, size_px).tolist()
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SourceFormatError(f"{truth}: is not the truth of a rendered picture") from error
    return left, top, right, bottom
