"""Picture files: JPEG, PNG, WebP, BMP, GIF and TIFF, told by their content, whatever their name."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path

import av
from av.error import FFmpegError

from stream.errors import SourceFormatError
from stream.frames import RgbImage
from stream.sources.media import describe
from stream.sources.options import MAX_PIXELS
from stream.sources.pictures import PictureConverter

__all__ = ["PictureReader", "decode_picture"]

logger = logging.getLogger(__name__)

_OPTIONS = {
    "format_whitelist": "jpeg_pipe,png_pipe,apng,webp_pipe,bmp_pipe,gif,tiff_pipe",
    "protocol_whitelist": "",
}
_ANIMATED = frozenset({"gif", "apng"})
"""FFmpeg's names of the formats of which one file may hold many pictures."""
_BORDER_PX = 64
"""What decoders may add to the sides of a picture, for themselves."""
_MAX_BYTES = 8 * MAX_PIXELS
"""Of a file: its pixels at 16 bits a component, not compressed. A sparse one takes no disk."""

FaultOfSize = Callable[[tuple[int, int]], str | None]
"""Says what is wrong with pictures of a width and height; None where nothing is."""


class PictureReader:
    """Reads picture files; used by one thread."""

    def __init__(self) -> None:
        self._converter = PictureConverter()

    def read(self, path: Path) -> RgbImage:
        """Return a picture as uint8 ``(H, W, 3)`` RGB, upright; transparent pixels lie over black.

        Of an animation it is the first picture.

        Raises:
            SourceFormatError: It cannot be read, is no such picture, is damaged, or has more than
                ``MAX_PIXELS``.
        """
        try:
            picture, _ = decode_picture(path, _fault_of)
            return self._converter.to_rgb(picture)
        except SourceFormatError as exc:
            reason = str(exc)
        except FFmpegError as exc:
            reason = f"it cannot be read ({describe(exc)})"
        raise SourceFormatError(f"{path} is no picture to use: {reason}")

    def try_read(self, path: Path) -> RgbImage | None:
        """Return a picture as :meth:`read` does; None, and a warning, where it cannot be read."""
        try:
            return self.read(path)
        except SourceFormatError as error:
            logger.warning("left out: %s", error)
            return None


def decode_picture(path: Path, fault_of: FaultOfSize) -> tuple[av.VideoFrame, bool]:
    """Return the first picture of a file, not turned upright yet, and whether there are more.

    Args:
        path: The file.
        fault_of: Refuses pictures by the size that they declare, before they are decoded.

    Raises:
        SourceFormatError: It cannot be read, is no such picture, or damaged, or its size was
            refused.
    """
    content = _content_of(path)
    if reason := _reason_to_leave_out(content):
        raise SourceFormatError(reason)
    try:
        with av.open(io.BytesIO(content), "r", options=dict(_OPTIONS)) as container:
            video = container.streams.video[0]
            if reason := fault_of((video.width, video.height)):
                raise SourceFormatError(reason)
            # The picture itself may say that it is larger than the file does.
            most = (video.width + _BORDER_PX) * (video.height + _BORDER_PX)
            video.codec_context.options = {"max_pixels": str(most)}
            video.thread_count = 1
            pictures = container.decode(video)
            picture = next(pictures)
            return picture, container.format.name in _ANIMATED and next(pictures, None) is not None
    except (FFmpegError, IndexError, StopIteration) as exc:
        raise SourceFormatError(f"it cannot be read ({describe(exc)})") from exc


def _content_of(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would have to be waited for
            raise SourceFormatError("it is no file")
        num_bytes = path.stat().st_size
        if num_bytes > _MAX_BYTES:
            raise SourceFormatError(
                f"its {num_bytes} bytes are more than {_MAX_BYTES}; save it as JPEG or PNG"
            )
        return path.read_bytes()
    except OSError as exc:
        raise SourceFormatError(f"it cannot be read ({describe(exc)})") from exc


def _fault_of(size_wh: tuple[int, int]) -> str | None:
    width, height = size_wh
    if width * height <= MAX_PIXELS:
        return None
    return f"its {width} x {height} pixels are more than {MAX_PIXELS}; make it smaller"


def _reason_to_leave_out(content: bytes) -> str | None:
    """Return what keeps a file from being read right, though FFmpeg might try; None for nothing."""
    if content[4:8] == b"ftyp":  # ISO/IEC 14496-12: FFmpeg would show a tile, or a film's beginning
        return "it is a HEIC or AVIF picture or a film, whatever its name; save it as JPEG or PNG"
    if content[8:16] == b"WEBPVP8X" and len(content) > 20 and content[20] & 0x02:
        return "it is an animated WebP, which is not read; save the picture you want as PNG"
    return None
