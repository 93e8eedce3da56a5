"""Pictures in a folder, played as if they were a video."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from av.error import FFmpegError

from stream.errors import SourceFormatError, SourceNotFoundError
from stream.frames import Frame, RgbImage, SourceInfo
from stream.sources.closable import ClosableSource
from stream.sources.media import describe
from stream.sources.options import PictureOptions
from stream.sources.picture_files import decode_picture
from stream.sources.pictures import PictureConverter
from stream.sources.timeline import Span

__all__ = ["SUFFIXES", "UNREAD_SUFFIXES", "ImageFolderSource", "files_in"]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
"""Endings of the files that are taken for pictures, in lower case."""
UNREAD_SUFFIXES = frozenset(
    {".heic", ".heif", ".avif", ".jxl", ".jp2", ".tga", ".psd", ".svg"}
    | {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"}
)
"""Endings of pictures that are not read, in lower case: of some FFmpeg has no decoder, of others it
decodes tiles or a preview."""


class ImageFolderSource(ClosableSource):
    """The pictures of a folder in natural order (2 before 10), one per frame.

    Pictures may differ in size. EXIF orientation is applied. One that cannot be read leaves a gap
    in time and numbering and a line in ``warnings``; so does, without the gap, one of a format that
    is not read. Of an animation the first picture is used. Folders inside are not looked into.

    Args:
        folder: The folder.
        frame_rate: Pictures per second.
        start_s: First moment to read, in seconds.
        end_s: Moment to stop at, in seconds.
        max_frames: Most frames to read.
        pictures: How they are to be decoded.

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
        pictures: PictureOptions | None = None,
    ) -> None:
        super().__init__()
        self._options = pictures or PictureOptions()
        if frame_rate <= 0:
            raise ValueError(f"frame_rate must be > 0, got {frame_rate = }")
        span = Span(start_s, end_s, max_frames)
        self._time_base = 1 / Fraction(frame_rate)
        self._converter = PictureConverter()
        self._warnings: list[str] = []
        paths = files_in(Path(folder), SUFFIXES)
        self._warnings += [
            f"{path.name} is left out: {path.suffix} pictures are not read; save it as JPEG or PNG"
            for path in files_in(Path(folder), UNREAD_SUFFIXES)
        ]
        slots = range(len(paths))[span.start_tick(self._time_base) : span.end_tick(self._time_base)]
        frames = itertools.islice(self._decode(paths, slots), max_frames)
        first = next(frames, None)
        if first is None:
            why = f" ({self._warnings[0]})" if self._warnings else ""
            raise SourceFormatError(
                f"{folder} has no picture that can be read {span}{why}; it needs "
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
            picture, is_animation = decode_picture(path, self._options.fault_of)
            if is_animation:
                self._warnings.append(f"{path.name} is an animation: its first picture is used")
            return self._converter.to_rgb(picture)
        except SourceFormatError as exc:
            reason = str(exc)
        except FFmpegError as exc:
            reason = f"it cannot be read ({describe(exc)})"
        self._warnings.append(f"{path.name} is left out: {reason}")
        return None


def files_in(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the files whose names end so, in natural order."""
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() in suffixes]
    except OSError as exc:
        raise SourceNotFoundError(
            f"{folder} cannot be read as a folder of pictures ({describe(exc)}); check the path"
        ) from exc
    return sorted((path for path in paths if path.is_file()), key=_natural_key)


def _natural_key(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
