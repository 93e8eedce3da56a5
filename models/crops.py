"""Cutting the model's input out of a frame: a square around a hand, or the whole picture.

OpenCV places pixel ``i`` at ``i``; our coordinates place it at ``i + 0.5`` (stream.geometry). The
half pixel is added in one place, :func:`_sample`.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Final

import cv2
import numpy as np

from stream.closing import Closing
from stream.frames import Frame, RgbImage
from stream.geometry import CropTransform, HandCrop, HandRegion

__all__ = ["Cropper", "WholeFrameFinder", "cut_crop", "cut_frame"]

MAX_ASPECT: Final = 4.0
"""Longer over shorter side of a whole-frame crop at most: a strip of film must not become a
million patches. Pictures that are longer still are squeezed, which their transform knows."""


class Cropper:
    """Cuts what a model takes: a square around a hand, or the whole picture for a whole region.

    Args:
        size_px: Wanted side of the crop; rounded to a multiple of ``patch_px``, at least one patch.
        patch_px: Side of the model's patches; crops have sides that are multiples of it.
        margin: Border around a hand on each side, as a fraction of the longer box side.

    Raises:
        ValueError: ``size_px`` < 1, ``patch_px`` < 1 or ``margin`` < 0.
    """

    def __init__(self, *, size_px: int, patch_px: int, margin: float = 0.25) -> None:
        _check(size_px=size_px, patch_px=patch_px, margin=margin)
        self.size_px = _round_to(size_px, patch_px)
        self.patch_px = patch_px
        self.margin = margin

    def __call__(self, frame: Frame, region: HandRegion) -> HandCrop:
        """Return the crop around ``region``, sized for the model."""
        if region.is_whole_frame:
            return cut_frame(frame, region, size_px=self.size_px, patch_px=self.patch_px)
        return cut_crop(frame, region, size_px=self.size_px, margin=self.margin)


class WholeFrameFinder(Closing):
    """A hand finder that looks for no hands: its one region is the whole picture."""

    def find(self, frame: Frame) -> tuple[HandRegion, ...]:
        """Return the whole picture as one region."""
        return (HandRegion.whole_frame(frame.size_wh),)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def cut_crop(frame: Frame, region: HandRegion, *, size_px: int, margin: float = 0.25) -> HandCrop:
    """Return a square crop around a hand, resized for the model.

    The crop may leave the frame; outside pixels are black, so the hand keeps its scale at the
    border. Shrinking averages the area that each crop pixel covers and starts on whole frame pixels
    (a shift below half a crop pixel, known to the transform); enlarging is bicubic and sub-pixel.

    Args:
        frame: Source frame; not modified.
        region: Hand in ``frame``'s pixel coordinates.
        size_px: Side of the crop, a multiple of the model's patch size.
        margin: Extra border on each side, as a fraction of the longer box side.

    Returns:
        Crop of shape ``(size_px, size_px, 3)``, uint8 RGB, owning its memory.

    Raises:
        ValueError: ``size_px`` < 1 or ``margin`` < 0.
    """
    _check(size_px=size_px, patch_px=1, margin=margin)
    left, top, right, bottom = region.box_xyxy
    centre_x, centre_y = region.centre_xy
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    if side >= size_px:
        side = ceil(side)
        left, top = floor(centre_x - side / 2 + 0.5), floor(centre_y - side / 2 + 0.5)
    else:
        left, top = centre_x - side / 2, centre_y - side / 2
    transform = CropTransform(
        left_px=left,
        top_px=top,
        scale_xy=(side / size_px, side / size_px),
        crop_wh=(size_px, size_px),
    )
    return _crop_of(frame, region, _sample(frame.image, transform), transform)


def cut_frame(frame: Frame, region: HandRegion, *, size_px: int, patch_px: int) -> HandCrop:
    """Return the whole picture, resized for the model.

    The shorter side becomes ``size_px`` and the longer one follows the picture's aspect, up to
    ``MAX_ASPECT`` times the shorter; both are rounded to multiples of ``patch_px``. Nothing is cut
    off: what rounding changes in the aspect is in the transform's two scales.

    Args:
        frame: Source frame; not modified.
        region: The whole picture, as :meth:`HandRegion.whole_frame` gives it.
        size_px: Wanted length of the shorter side.
        patch_px: Side of the model's patches.

    Returns:
        Crop of shape ``(H, W, 3)``, uint8 RGB, owning its memory.

    Raises:
        ValueError: ``size_px`` < 1 or ``patch_px`` < 1.
    """
    _check(size_px=size_px, patch_px=patch_px, margin=0)
    width, height = frame.size_wh
    zoom = size_px / min(width, height)
    crop_w, crop_h = (
        _round_to(min(side * zoom, size_px * MAX_ASPECT), patch_px) for side in (width, height)
    )
    transform = CropTransform(
        left_px=0.0,
        top_px=0.0,
        scale_xy=(width / crop_w, height / crop_h),
        crop_wh=(crop_w, crop_h),
    )
    return _crop_of(frame, region, _resize(frame.image, (crop_w, crop_h)), transform)


def _check(*, size_px: int, patch_px: int, margin: float) -> None:
    if size_px < 1 or patch_px < 1:
        raise ValueError(f"size_px and patch_px must be >= 1, got {size_px = }, {patch_px = }")
    if margin < 0:
        raise ValueError(f"margin must be >= 0, got {margin = }")


def _round_to(side_px: float, patch_px: int) -> int:
    """Return the multiple of ``patch_px`` nearest to ``side_px``, at least one patch."""
    return max(1, floor(side_px / patch_px + 0.5)) * patch_px


def _crop_of(
    frame: Frame, region: HandRegion, image: RgbImage, transform: CropTransform
) -> HandCrop:
    return HandCrop(
        image=image,
        transform=transform,
        region=region,
        frame_index=frame.index,
        pts=frame.pts,
        time_base=frame.time_base,
        captured_ns=frame.captured_ns,
    )


def _sample(image: RgbImage, transform: CropTransform) -> RgbImage:
    """Return the pixels that ``transform`` names; black where it leaves ``image``."""
    scale = transform.scale_xy[0]
    left, top, right, bottom = transform.box_xyxy
    if scale >= 1:
        window = _cut_window(image, round(left), round(top), round(right), round(bottom))
        return _resize(window, transform.crop_wh)
    # Cubic weights reach two pixels beyond the box; the window's own edge is never sampled.
    window_left, window_top = floor(left) - 2, floor(top) - 2
    window = _cut_window(image, window_left, window_top, ceil(right) + 2, ceil(bottom) + 2)
    # Where crop pixel 0 takes its value from, in OpenCV's coordinates of the window.
    start_x, start_y = left - window_left + scale / 2 - 0.5, top - window_top + scale / 2 - 0.5
    crop: RgbImage = cv2.warpAffine(
        window,
        np.array([[scale, 0, start_x], [0, scale, start_y]], np.float64),
        transform.crop_wh,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return crop


def _cut_window(image: RgbImage, left: int, top: int, right: int, bottom: int) -> RgbImage:
    """Return whole pixels, unscaled; black where the window leaves ``image``."""
    inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inside.shape[:2] == (bottom - top, right - left):
        return inside
    padded = np.zeros((bottom - top, right - left, 3), np.uint8)
    row, column = max(-top, 0), max(-left, 0)
    padded[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    return padded


def _resize(image: RgbImage, crop_wh: tuple[int, int]) -> RgbImage:
    """Return ``image`` resized to ``crop_wh``, always a copy."""
    height, width = image.shape[:2]
    if (width, height) == crop_wh:
        return image.copy()
    shrinks = width >= crop_wh[0] and height >= crop_wh[1]
    resized: RgbImage = cv2.resize(
        image, crop_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return resized
