"""Still pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from stream.errors import OutputError
from stream.frames import frozen_rgb
from stream.whole_files import written_whole

__all__ = ["write_png"]


def write_png(path: str | Path, image: npt.NDArray[np.uint8]) -> None:
    """Write ``image``, uint8 ``(H, W, 3)`` RGB or ``(H, W)`` grey, as a PNG file, whole or not.

    Raises:
        OutputError: The file cannot be written; what was there before is untouched.
        ValueError: ``image`` is no such array.
    """
    path = Path(path)
    try:
        with written_whole(path) as unfinished:
            unfinished.write_bytes(_encode(image))
    except OSError as exc:
        raise OutputError(
            f"{path} cannot be written ({exc.strerror}); choose another place"
        ) from exc


def _encode(image: npt.NDArray[np.uint8]) -> bytes:
    is_grey = image.ndim == 2 and image.dtype == np.uint8 and image.size > 0
    pixels = image if is_grey else frozen_rgb(image)
    encoder = av.CodecContext.create("png", "w")
    encoder.height, encoder.width = pixels.shape[:2]
    encoder.pix_fmt = "gray" if is_grey else "rgb24"
    encoder.time_base = encoder.framerate = Fraction(1)
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=encoder.pix_fmt)
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
