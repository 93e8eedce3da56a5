"""Pictures for pages."""

from __future__ import annotations

import cv2
import numpy as np

from stream.errors import SinkError
from stream.frames import RgbImage

__all__ = ["encode_jpeg", "encode_thumbnail"]

_QUALITY = 77
"""Of 100: skin shows no blocks, and a picture of 1280 x 720 takes some 42 kB, 128 pixels 5 kB."""


def encode_thumbnail(
    image: RgbImage, box_xyxy: tuple[float, float, float, float], side_px: int
) -> bytes:
    """Return a square part of a picture as a JPEG file.

    Args:
        image: uint8 (H, W, 3) RGB.
        box_xyxy: What to show, in its pixels; black where that leaves the picture.
        side_px: Width and height of the JPEG.
    """
    left, top, right, bottom = (round(edge) for edge in box_xyxy)
    height, width = image.shape[:2]
    part = np.zeros((max(1, bottom - top), max(1, right - left), 3), np.uint8)
    y, x = max(0, top), max(0, left)
    seen = image[y : max(y, min(bottom, height)), x : max(x, min(right, width))]
    part[y - top : y - top + seen.shape[0], x - left : x - left + seen.shape[1]] = seen
    return encode_jpeg(cv2.resize(part, (side_px, side_px), interpolation=cv2.INTER_AREA))


def encode_jpeg(image: RgbImage) -> bytes:
    """Return a picture as a JPEG file.

    Args:
        image: uint8 (H, W, 3) RGB.

    Raises:
        SinkError: It is larger than a JPEG file can be.
    """
    turned = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    is_made, jpeg = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not is_made:
        height, width = image.shape[:2]
        raise SinkError(f"a picture of {width} x {height} is too large for a JPEG file")
    return jpeg.tobytes()
