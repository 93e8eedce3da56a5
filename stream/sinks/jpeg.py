"""Pictures for pages."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import Interpolation

from stream.frames import RgbImage

__all__ = ["encode_jpeg", "encode_thumbnail"]

_QUANTIZER = "4"
"""2 best, 31 worst: at 4 skin shows no blocks; 128 pixels take some 4 kB."""


def encode_thumbnail(
    image: RgbImage, box_xyxy: tuple[float, float, float, float], side_px: int
) -> bytes:
    """Return a square part of a picture as a JPEG file.

    Args:
        image: uint8 (H, W, 3) RGB.
        box_xyxy: What to show, in its pixels; black where that leaves the picture.
        side_px: Width and height of the JPEG, even.
    """
    left, top, right, bottom = (round(edge) for edge in box_xyxy)
    height, width = image.shape[:2]
    part = np.zeros((max(1, bottom - top), max(1, right - left), 3), np.uint8)
    y, x = max(0, top), max(0, left)
    seen = image[y : max(y, min(bottom, height)), x : max(x, min(right, width))]
    part[y - top : y - top + seen.shape[0], x - left : x - left + seen.shape[1]] = seen
    return _encode(part, (side_px, side_px))


def encode_jpeg(image: RgbImage) -> bytes:
    """Return a picture as a JPEG file.

    Args:
        image: uint8 (H, W, 3) RGB, H and W even.
    """
    return _encode(image, (image.shape[1], image.shape[0]))


def _encode(image: RgbImage, size_wh: tuple[int, int]) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = size_wh
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = encoder.framerate = Fraction(1)
    encoder.thread_count = 1  # a thumbnail is done before a second thread has begun
    encoder.options = {"qmin": _QUANTIZER, "qmax": _QUANTIZER}
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
        *size_wh, "yuvj420p", interpolation=Interpolation.AREA
    )
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
