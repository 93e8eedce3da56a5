"""Frames of a video file, exactly as they are timed in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from stream.errors import SourceFormatError, SourceNotFoundError
from stream.frames import Frame, SourceInfo
from stream.sources.closing import ClosableSource
from stream.sources.decoding import VideoDecoder
from stream.sources.timeline import first_tick_at

__all__ = ["FileSource"]

_NUM_THREADS = 2
"""Enough for 1080p in real time; each further thread keeps one more decoded frame in memory."""
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""FFmpeg reads text files as pictures of a terminal; nobody who names one means that."""
_SEEK_BACK_S = (0, 1, 4, 16, 64)
"""How far before the wanted moment to look for a frame to decode from, one after the other."""


class FileSource(ClosableSource):
    """Every frame of a video file, in the order in which they are shown.

    Times count from the beginning of the file's timeline, as in players: where the sound begins
    first, the first frame is later than 0. Frames keep their own times (variable rates too); only
    missing, repeated and backward ones are repaired. A file that is cut short yields what it has.

    Args:
        path: The file.
        start_s: First moment to read, in seconds; earlier frames are left out.
        end_s: Moment to stop at, in seconds; a frame that begins there is left out.
        max_frames: Most frames to read.

    Raises:
        SourceNotFoundError: There is no such file, or it may not be read.
        SourceFormatError: It holds no video, none that can be decoded, or none in that range.
        ValueError: The range is empty whatever the file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: float | Fraction | None = None,
        end_s: float | Fraction | None = None,
        max_frames: int | None = None,
    ) -> None:
        super().__init__()
        start_s = start_s or 0
        if start_s < 0 or (end_s is not None and end_s <= start_s):
            raise ValueError(f"need 0 <= start_s < end_s, got {start_s = }, {end_s = }")
        if max_frames is not None and max_frames < 1:
            raise ValueError(f"max_frames must be >= 1, got {max_frames = }")
        self._path = Path(path)
        self._fault = ""
        self._container = _open(self._path)
        try:
            self._decoder = VideoDecoder(self._container, str(path), num_threads=_NUM_THREADS)
            time_base = self._decoder.time_base
            self._start = first_tick_at(start_s, time_base)
            self._end = None if end_s is None else first_tick_at(end_s, time_base)
            frames = itertools.islice(self._decode(), max_frames)
            first = next(frames, None)
            if first is None:
                raise self._no_frames(start_s, end_s)
            self._frames: Iterator[Frame] = itertools.chain([first], frames)
            self._info = self._describe(first, start_s, end_s, max_frames)
        except BaseException:
            self._container.close()
            raise

    @property
    def info(self) -> SourceInfo:
        """What the file declares about itself."""
        return self._info

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the file so far, one line each; complete after the last frame."""
        name, decoder = self._path.name, self._decoder
        lines = []
        if decoder.num_damaged:
            lines.append(f"{name}: {decoder.num_damaged} damaged packets were skipped")
        if decoder.num_repaired:
            lines.append(
                f"{name}: {decoder.num_repaired} frames had a missing, repeated or backward time, "
                "which was repaired"
            )
        return [*lines, self._fault] if self._fault else lines

    def _read_next(self) -> Frame | None:
        return next(self._frames, None)

    def _release(self) -> None:
        self._frames = iter(())
        self._container.close()

    def _decode(self) -> Iterator[Frame]:
        try:
            for picture in self._pictures():
                pts = self._decoder.place(picture)
                if self._end is not None and pts >= self._end:
                    return
                if pts >= self._start:
                    yield self._decoder.to_frame(picture, pts)
        except FFmpegError as exc:
            if not self._decoder.num_frames:
                raise SourceFormatError(
                    f"{self._path} cannot be decoded ({exc.strerror}); the file is damaged"
                ) from exc
            self._fault = (
                f"{self._path.name} breaks off after {self._decoder.num_frames} frames "
                f"({exc.strerror}); the file is cut short or damaged"
            )

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """Yield pictures from the start of the range or somewhat before."""
        decoder, start = self._decoder, self._start + self._decoder.origin
        for back_s in _SEEK_BACK_S:
            target = start - int(back_s / decoder.time_base)
            if target <= decoder.origin:
                break
            try:
                self._container.seek(target, stream=decoder.stream)
                pictures = decoder.pictures()
                first = next(pictures, None)
            except FFmpegError:
                break
            # A container may send us to a frame that is shown only after the one we want.
            if first is not None and first.pts is not None and first.pts <= start:
                yield first
                yield from pictures
                return
        if self._start > 0:
            self._container.seek(decoder.origin, stream=decoder.stream)
        yield from decoder.pictures()

    def _describe(
        self,
        first: Frame,
        start_s: float | Fraction,
        end_s: float | Fraction | None,
        max_frames: int | None,
    ) -> SourceInfo:
        decoder = self._decoder
        duration_s, num_frames = decoder.duration_s, decoder.stream.frames or None
        if duration_s is not None:
            total_s = duration_s
            duration_s = max(0.0, min(float(end_s or total_s), total_s) - float(start_s))
            if num_frames is None and decoder.frame_rate:
                num_frames = round(total_s * decoder.frame_rate)
            if num_frames is not None and total_s:
                num_frames = max(1, round(num_frames * duration_s / total_s))
        if max_frames is not None:
            num_frames = min(max_frames, num_frames or max_frames)
        return SourceInfo(
            name=str(self._path),
            size_wh=first.size_wh,
            frame_rate=decoder.frame_rate,
            time_base=decoder.time_base,
            is_live=False,
            num_frames=num_frames,
            duration_s=duration_s,
            details=decoder.details,
        )

    def _no_frames(
        self, start_s: float | Fraction, end_s: float | Fraction | None
    ) -> SourceFormatError:
        decoder = self._decoder
        if start_s or end_s is not None:
            length = f"; it is {decoder.duration_s:.3f} s long" if decoder.duration_s else ""
            span = f"from {float(start_s):g} s to " + (
                f"{float(end_s):g} s" if end_s else "its end"
            )
            return SourceFormatError(f"{self._path} has no frame {span}{length}")
        return SourceFormatError(
            f"{self._path}: no frame could be decoded, {decoder.num_damaged} packets are damaged; "
            "give another copy of the file"
        )


def _open(path: Path) -> InputContainer:
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceFormatError(f"{path} is empty (0 bytes); record or copy it again")
        # The prefix keeps FFmpeg from taking a colon in the name for a protocol.
        container = av.open(f"file:{path}", metadata_errors="replace")
    except FileNotFoundError as exc:
        raise SourceNotFoundError(f"there is no file {path}; check the path") from exc
    except PermissionError as exc:
        raise SourceNotFoundError(f"{path} may not be read; change its permissions") from exc
    except (FFmpegError, OSError) as exc:
        raise SourceFormatError(
            f"{path} is no video that can be read ({exc.strerror}); "
            "it may be cut short, or not a video at all"
        ) from exc
    if container.format.name in _TEXT_FORMATS:
        container.close()
        raise SourceFormatError(f"{path} is a text file, not a video")
    return container
