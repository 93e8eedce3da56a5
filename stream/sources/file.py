"""Frames of a video file, exactly as they are timed in it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from stream.errors import SourceFormatError, SourceNotFoundError
from stream.sources.clock import clock_of
from stream.sources.container import ContainerSource, describe
from stream.sources.decoding import VideoDecoder
from stream.sources.growth import largest_ahead, may_grow
from stream.sources.timeline import Span

__all__ = ["FileSource"]

_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""FFmpeg reads text files as pictures of a terminal; nobody who names one means that."""
_TILED_BRANDS = frozenset({"heic", "heix", "mif1"})
"""Major brands of HEIF pictures (ISO/IEC 23008-12), of which FFmpeg decodes one tile."""


class FileSource(ContainerSource):
    """Every frame of a video file, in the order in which they are shown.

    Times count from the beginning of the file's timeline, as in players: where the sound begins
    first, the first frame is later than 0. Frames keep their own times (variable rates too); only
    missing, repeated and backward ones are repaired. A file that is cut short yields what it has.
    What the container says to cut off its pictures is cut off. A recording that begins small, as
    calls do, is enlarged to the size that it grows to in its first seconds.

    Args:
        path: The file.
        start_s: First moment to read, in seconds; earlier frames are left out.
        end_s: Moment to stop at, in seconds; a frame that begins there is left out.
        max_frames: Most frames to read.
        deinterlace: Make pictures of one moment of interlaced ones.

    Raises:
        SourceNotFoundError: There is no such file, or it may not be read.
        SourceFormatError: It holds no video, none that can be decoded, or none in that range.
        ValueError: The range is empty, whatever the file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: float | Fraction | None = None,
        end_s: float | Fraction | None = None,
        max_frames: int | None = None,
        deinterlace: bool = False,
    ) -> None:
        span = Span(start_s, end_s, max_frames)
        self._path = Path(path)
        super().__init__(_open(self._path), str(path), span=span, deinterlace=deinterlace)

    def _prepare(self, decoder: VideoDecoder) -> None:
        if not self._path.is_file():  # a pipe is read once
            return
        decoder.go_by(clock_of(self._path, self._container))
        decoder.crop_as_declared_in(self._path)
        if may_grow(self._container):
            with _open(self._path) as ahead:
                size_wh = largest_ahead(ahead, decoder.stream.index, self._span.start_s or 0)
            decoder.enlarge_to(size_wh)


def _open(path: Path) -> InputContainer:
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceFormatError(f"{path} is empty (0 bytes); record or copy it again")
        # The prefix keeps FFmpeg from taking a colon in the name for a protocol.
        container = av.open(f"file:{path}", metadata_errors="replace")
    except FileNotFoundError:
        raise SourceNotFoundError(f"there is no file {path}; check the path") from None
    except PermissionError:
        raise SourceNotFoundError(f"{path} may not be read; change its permissions") from None
    except (FFmpegError, OSError) as exc:
        raise SourceFormatError(
            f"{path} cannot be read as a video ({describe(exc)}); "
            "it is cut short, or not a video at all"
        ) from exc
    if container.format.name in _TEXT_FORMATS:
        container.close()
        raise SourceFormatError(f"{path} is a text file; give a video")
    if container.metadata.get("major_brand") in _TILED_BRANDS:
        container.close()
        raise SourceFormatError(f"{path} is a HEIC picture; save it as JPEG or PNG, in a folder")
    return container
