"""Where things are: hand regions, crops, and the way between their pixels.

Coordinates are continuous: pixel ``i`` covers ``[i, i + 1)``, x to the right, y down, (0, 0) is the
outer corner of the top-left pixel. "Frame pixels" are those of the upright, unmirrored frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from stream.frames import RgbImage, frozen_rgb

__all__ = ["CropTransform", "HandCrop", "HandRegion", "Handedness", "Points"]

Handedness = Literal["left", "right"]
"""Whose hand it is to the signer: their own left or right."""
Points = npt.NDArray[np.floating[Any]]
"""Coordinates: floating point, shape ``(..., 2)``, x before y."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CropTransform:
    """The way between a crop's pixels and the frame's: a shift and a scale per axis."""

    left_px: float
    """x of the crop's left edge in frame pixels; may be negative."""
    top_px: float
    """y of the crop's top edge in frame pixels; may be negative."""
    scale_xy: tuple[float, float]
    """Frame pixels per crop pixel along x and y, > 0."""
    crop_wh: tuple[int, int]
    """Width and height of the crop in crop pixels."""

    def __post_init__(self) -> None:
        if min(self.scale_xy) <= 0 or min(self.crop_wh) < 1:
            raise ValueError(
                f"scale_xy must be > 0 and crop_wh >= 1, got {self.scale_xy = }, {self.crop_wh = }"
            )

    @classmethod
    def identity(cls, crop_wh: tuple[int, int]) -> CropTransform:
        """Return the transform of a crop that is the whole frame, pixel for pixel."""
        return cls(left_px=0.0, top_px=0.0, scale_xy=(1.0, 1.0), crop_wh=crop_wh)

    @property
    def box_xyxy(self) -> tuple[float, float, float, float]:
        """The crop's edges in frame pixels: left, top, right, bottom."""
        width, height = self.crop_wh
        return (
            self.left_px,
            self.top_px,
            self.left_px + width * self.scale_xy[0],
            self.top_px + height * self.scale_xy[1],
        )

    def to_frame(self, points_xy: Points) -> npt.NDArray[np.float64]:
        """Return points (..., 2), crop pixels, as float64 frame pixels."""
        return np.asarray(points_xy, np.float64) * self.scale_xy + (self.left_px, self.top_px)

    def to_crop(self, points_xy: Points) -> npt.NDArray[np.float64]:
        """Return points (..., 2), frame pixels, as float64 crop pixels."""
        return (np.asarray(points_xy, np.float64) - (self.left_px, self.top_px)) / self.scale_xy


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HandRegion:
    """Where a hand is in one frame; or the whole picture, as one region without a hand."""

    box_xyxy: tuple[float, float, float, float]
    """Left, top, right, bottom around the hand in frame pixels; may leave the frame."""
    landmarks: npt.NDArray[np.float32] | None
    """float32 (21, 2), frame pixels, MediaPipe's order, read-only; None for the whole picture."""
    handedness: Handedness | None
    """The signer's own hand, whether or not the picture is mirrored; None for the whole picture."""
    score: float
    """Confidence, 0 to 1."""
    track_id: int
    """Same number for the same hand from frame to frame, >= 0."""
    unseen_s: float = 0.0
    """Seconds since the hand was last seen; > 0 while its place is only held."""
    face_xyxy: tuple[float, float, float, float] | None = None
    """The signer's face as last seen, forehead to chin, frame pixels; None where it is unknown."""

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box_xyxy
        if not (right > left and bottom > top):
            raise ValueError(f"box_xyxy must have right > left, bottom > top, got {self.box_xyxy}")
        if (self.landmarks is None) != (self.handedness is None):
            raise ValueError("landmarks and handedness are both given (a hand) or both None")
        if self.landmarks is not None:
            if self.landmarks.shape != (21, 2) or self.landmarks.dtype != np.float32:
                raise ValueError(
                    "landmarks must be float32 (21, 2), "
                    f"got {self.landmarks.dtype} {self.landmarks.shape}"
                )
            view = self.landmarks.view()
            view.flags.writeable = False
            object.__setattr__(self, "landmarks", view)

    @classmethod
    def whole_frame(cls, size_wh: tuple[int, int]) -> HandRegion:
        """Return the region that is the whole picture, for ``--region frame``."""
        return cls(
            box_xyxy=(0.0, 0.0, float(size_wh[0]), float(size_wh[1])),
            landmarks=None,
            handedness=None,
            score=1.0,
            track_id=0,
        )

    @property
    def is_whole_frame(self) -> bool:
        """True where the region is the whole picture rather than a hand."""
        return self.landmarks is None

    @property
    def centre_xy(self) -> tuple[float, float]:
        """Middle of the box in frame pixels."""
        left, top, right, bottom = self.box_xyxy
        return (left + right) / 2, (top + bottom) / 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HandCrop:
    """A model's input: the pixels around one region of one frame, and where they came from."""

    image: RgbImage
    """uint8 (H, W, 3) RGB, read-only, sides multiples of the patch; black outside the frame."""
    transform: CropTransform
    """The way between this crop's pixels and the frame's."""
    region: HandRegion
    """What was cropped."""
    frame_index: int
    """Index of the frame it was cut from."""
    pts: int
    """Presentation time of that frame in ``time_base`` ticks."""
    time_base: Fraction
    """Seconds per tick, > 0."""
    captured_ns: int
    """When that frame was captured, ``time.monotonic_ns``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", frozen_rgb(self.image))
        if self.transform.crop_wh != (self.image.shape[1], self.image.shape[0]):
            raise ValueError(
                f"transform is for a crop of {self.transform.crop_wh}, image is {self.image.shape}"
            )

    @property
    def time_s(self) -> float:
        """Presentation time of the frame in seconds."""
        return float(self.pts * self.time_base)
