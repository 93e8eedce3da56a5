"""Pictures in a folder, played as if they were a video."""

from __future__ import annotations

import io
import itertools
import re
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError

from stream.errors import SourceFormatError, SourceNotFoundError
from stream.frames import Frame, RgbImage, SourceInfo
from stream.sources.closing import ClosableSource
from stream.sources.container import describe
from stream.sources.pictures import PictureConverter
from stream.sources.timeline import Span

__all__ = ["ImageFolderSource"]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Endings of the files that are taken for pictures, in lower case."""


class ImageFolderSource(ClosableSource):
    """The pictures of a folder in natural order (2 before 10), one per frame.

    Pictures may differ in size. EXIF orientation is applied. One that cannot be read leaves a gap
    in time and numbering and a line in ``warnings``. Folders inside are not looked into.

    Args:
        folder: The folder.
        frame_rate: Pictures per second.
        start_s: First moment to read, in seconds.
        end_s: Moment to stop at, in seconds.
        max_frames: Most frames to read.

    Raises:
        SourceNotFoundError: There is no such folder, or it may not be read.
        SourceFormatError: There is no readable picture in it, or none in that range.
        ValueError: The range is empty, whatever the folder, or ``frame_rate`` is not positive.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        frame_rate: Fraction | int = 25,
        start_s: float | Fraction | None = None,
        end_s: float | Fraction | None = None,
        max_frames: int | None = None,
    ) -> None:
        super().__init__()
        if frame_rate <= 0:
            raise ValueError(f"frame_rate must be > 0, got {frame_rate = }")
        span = Span(start_s, end_s, max_frames)
        self._time_base = 1 / Fraction(frame_rate)
        self._converter = PictureConverter()
        self._warnings: list[str] = []
        paths = _pictures_in(Path(folder))
        slots = range(len(paths))[span.start_tick(self._time_base) : span.end_tick(self._time_base)]
        frames = itertools.islice(self._decode(paths, slots), max_frames)
        first = next(frames, None)
        if first is None:
            raise SourceFormatError(
                f"{folder} has no picture that can be read {span}; it needs "
                f"{', '.join(sorted(suffix[1:] for suffix in SUFFIXES))} files"
            )
        self._frames: Iterator[Frame] = itertools.chain([first], frames)
        num_frames = len(slots) if max_frames is None else min(len(slots), max_frames)
        self._info = SourceInfo(
            name=str(folder),
            size_wh=first.size_wh,
            frame_rate=Fraction(frame_rate),
            time_base=self._time_base,
            is_live=False,
            num_frames=num_frames,
            duration_s=float(num_frames * self._time_base),
            details=f"{len(paths)} pictures",
        )

    @property
    def info(self) -> SourceInfo:
        """What the folder holds."""
        return self._info

    @property
    def warnings(self) -> list[str]:
        """What was left out or changed so far, one line each."""
        name = self._info.name
        return [*self._warnings, *(f"{name}: {note}" for note in self._converter.notes)]

    def _read_next(self) -> Frame | None:
        return next(self._frames, None)

    def _release(self) -> None:
        self._frames = iter(())

    def _decode(self, paths: list[Path], slots: range) -> Iterator[Frame]:
        for index, slot in enumerate(slots):
            image = self._read_picture(paths[slot])
            if image is not None:
                yield Frame(
                    image=image,
                    pts=slot,
                    time_base=self._time_base,
                    index=index,
                    captured_ns=time.monotonic_ns(),
                )

    def _read_picture(self, path: Path) -> RgbImage | None:
        try:
            # From memory, the format is told by the content, never by the name: "%03d" in a name
            # would make FFmpeg look for a numbered series.
            with av.open(io.BytesIO(path.read_bytes())) as container:
                return self._converter.to_rgb(next(container.decode(video=0)))
        except (FFmpegError, OSError, IndexError, StopIteration) as exc:
            self._warnings.append(f"{path.name} is left out: it cannot be read ({describe(exc)})")
            return None


def _pictures_in(folder: Path) -> list[Path]:
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    except OSError as exc:
        raise SourceNotFoundError(
            f"{folder} cannot be read as a folder of pictures ({describe(exc)}); check the path"
        ) from exc
    return sorted((path for path in paths if path.is_file()), key=_natural_key)


def _natural_key(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
