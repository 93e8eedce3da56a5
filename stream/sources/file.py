"""Frames of a video file, exactly as they are timed in it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from stream.sources.clock import clock_of
from stream.sources.container import ContainerSource
from stream.sources.decoding import VideoDecoder
from stream.sources.growth import largest_ahead, may_grow
from stream.sources.media import open_named_file
from stream.sources.options import PictureOptions
from stream.sources.timeline import Span

__all__ = ["FileSource"]


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
        pictures: How its pictures are to be decoded.

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
        pictures: PictureOptions | None = None,
    ) -> None:
        span = Span(start_s, end_s, max_frames)
        self._path = Path(path)
        pictures = pictures or PictureOptions()
        container = open_named_file(self._path, playlists=pictures.playlists)
        super().__init__(container, str(path), span=span, pictures=pictures)

    def _prepare(self, decoder: VideoDecoder) -> None:
        if not self._path.is_file():  # a pipe is read once
            return
        decoder.go_by(clock_of(self._path, self._container))
        decoder.crop_as_declared_in(self._path)
        if may_grow(self._container):
            with open_named_file(self._path) as ahead:
                size_wh = largest_ahead(ahead, decoder.stream.index, self._span.start_s or 0)
            decoder.enlarge_to(size_wh)
