"""Still pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from stream.errors import OutputError
from stream.frames import RgbImage, frozen_rgb
from stream.whole_files import written_whole

__all__ = ["write_png"]


def write_png(path: str | Path, image: RgbImage) -> None:
    """Write ``image``, uint8 ``(H, W, 3)`` RGB, as a PNG file, whole or not at all.

    Raises:
        OutputError: The file cannot be written; what was there before is untouched.
        ValueError: ``image`` is no such array.
    """
    path = Path(path)
    try:
        with written_whole(path) as unfinished:
            unfinished.write_bytes(_encode(frozen_rgb(image)))
    except OSError as exc:
        raise OutputError(
            f"{path} cannot be written ({exc.strerror}); choose another place"
        ) from exc


def _encode(image: RgbImage) -> bytes:
    encoder = av.CodecContext.create("png", "w")
    encoder.height, encoder.width = image.shape[:2]
    encoder.pix_fmt = "rgb24"
    encoder.time_base = encoder.framerate = Fraction(1)
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
