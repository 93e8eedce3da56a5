"""An MP4 that plays everywhere, keeps every time exactly, and survives being killed."""

from __future__ import annotations

import errno
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

from av.container import OutputContainer
from av.error import FFmpegError

from stream.closing import Closing
from stream.errors import FullDiskError, OutputError
from stream.frames import RgbImage
from stream.sinks.audio import AudioCopy
from stream.sinks.canvas import CanvasConverter
from stream.sinks.encoders import choose_encoder
from stream.sinks.fragments import FragmentedMp4
from stream.sinks.picture_encoder import track_time_base
from stream.sinks.place import MADE_WITH, Place
from stream.sinks.pre_roll import EncodedPreRoll
from stream.sinks.remux import check_whole, finish_mp4

__all__ = ["Mp4Sink"]

_DISK_FAULTS = {
    errno.ENOSPC: "the disk is full; free some space or write elsewhere",
    errno.EDQUOT: "your share of the disk is full; free some space or write elsewhere",
    errno.EFBIG: "files on this disk may not be so large; write elsewhere",
    errno.EROFS: "the disk may only be read; write elsewhere",
    errno.EIO: "the disk has a fault; write elsewhere",
    errno.EACCES: "it may not be written; write elsewhere",
}


class Mp4Sink(Closing):
    """Writes canvases as H.264 (yuv420p, BT.709) beside the unchanged sound of another file.

    Every canvas keeps its time to the tick. While it grows, the file is a fragmented MP4: killed
    at any moment, it plays up to some three seconds before. ``close`` counts what is in it and
    turns it into a plain MP4 that starts fast, without encoding again; should that fail, the
    fragmented one stays. An earlier recording is replaced then, in one step, and not before: see
    :class:`~stream.sinks.place.Place`. Left by an exception, it is not replaced at all.

    The first canvas decides the size; see :class:`~stream.sinks.canvas.CanvasConverter` for odd
    sides and later canvases of other sizes.

    Args:
        path: File to write. An empty file and a recording of Signlight's are replaced; nothing
            else is.
        frame_rate: Nominal frames per second: a hint for the encoder, and the length of the last
            frame where nobody tells it. Times come from :meth:`write` alone.
        audio_from: File, or URL of one, whose audio packets are copied, as far as MP4 can hold
            them.
        start_s: Moment of the source, in seconds, that is time 0 in the file.
        end_s: Moment of the source at which the sound stops. By default it stops with the last
            canvas or, where that is the last picture of ``audio_from``, with that file's sound.
        crf: Quality from 0 (best) to 51; 6 more halve the size.
        preset: Speed by x264's name, "ultrafast" to "veryslow", or in the encoder's own words.
        encoder: FFmpeg's name of an H.264 encoder: libx264, h264_nvenc, h264_videotoolbox, ...
        playlists: Open what ``audio_from`` names, where it is a playlist.
        comment: Text for the file's comment field. Unless it names Signlight, the file is not
            known as Signlight's and never replaced.
        pre_roll: Pictures that the file begins with, as they were encoded; its time 0 is when they
            begin.

    Raises:
        OutputError: The folder is missing or may not be written, ``path`` is ``audio_from``, is
            being written, or holds what Signlight did not make, or the encoder is missing or
            cannot be opened.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        frame_rate: Fraction | None = None,
        audio_from: str | Path | None = None,
        start_s: float | Fraction | None = None,
        end_s: float | Fraction | None = None,
        crf: int = 20,
        preset: str = "veryfast",
        encoder: str = "libx264",
        playlists: bool = False,
        comment: str = MADE_WITH,
        pre_roll: EncodedPreRoll | None = None,
    ) -> None:
        self._path = Path(path)
        is_url = isinstance(audio_from, str) and "://" in audio_from
        self._audio_from = audio_from if is_url or audio_from is None else Path(audio_from)
        self._place = Place(
            self._path, audio_from=self._audio_from if isinstance(self._audio_from, Path) else None
        )
        self._encoder = choose_encoder(
            encoder, crf=crf, preset=preset, frame_rate=frame_rate or Fraction(30)
        )
        self._start_s = Fraction(start_s or 0)
        self._end_s = None if end_s is None else Fraction(end_s)
        self._playlists = playlists
        self._comment = comment
        self._pre_roll = pre_roll
        self._converter = CanvasConverter() if pre_roll is None else pre_roll.converter
        self._zero_s = Fraction(0)
        self._sound_turns: deque[tuple[Fraction, Fraction | None]] = deque()
        self._file: FragmentedMp4 | None = None
        self._warnings: list[str] = []
        self._chapters: list[tuple[Fraction, str]] = []
        self._is_broken = False
        self._is_closed = False
        self.is_whole = False
        """Whether all that was written is in a finished file; known once closed."""
        self._replaces_earlier = True

    @property
    def written_path(self) -> Path:
        """Where what was written lies: ``path``, or beside an earlier recording of that name."""
        return self._place.written_path

    @property
    def word_of_earlier(self) -> str:
        """In brackets which is which, while ``path`` is still an earlier recording; else empty."""
        return self._place.word_of_earlier

    @property
    def warnings(self) -> list[str]:
        """What is not in the file as asked for, one line each; complete after ``close``."""
        of_file = self._file.warnings if self._file else ()
        return [*self._encoder.warnings, *of_file, *self._warnings]

    def write(
        self, canvas: RgbImage, pts: int, time_base: Fraction, duration: int | None = None
    ) -> None:
        """Encode ``canvas``, uint8 ``(H, W, 3)`` RGB, as shown from ``pts * time_base`` s on.

        It is shown until the next one comes; ``duration`` says for how many ticks if none does, by
        default for a frame's time.

        Raises:
            OutputError: The file cannot be written; what was written before stays playable.
            ValueError: The time is not later than the last one, or before ``start_s``.
        """
        if self._is_closed or self._is_broken:
            raise ValueError(f"write() to {self._path}, which is closed")
        picture = self._converter.convert(canvas)
        with self._writing():
            if self._file is None:
                self._file = self._open(time_base)
            file = self._file
            tick = round((pts * time_base - self._zero_s) / file.time_base)
            if tick <= file.last_tick and time_base < file.time_base:  # rounded
                tick = file.last_tick + 1
            if tick <= file.last_tick:
                raise ValueError(
                    f"times must increase from start_s on: {pts = } of {time_base} s is tick "
                    f"{tick}, the last one was {file.last_tick}"
                )
            file.write(picture, tick, duration and round(duration * time_base / file.time_base))

    def add_chapter(self, time_s: float, title: str) -> None:
        """Have a chapter begin at a time, in seconds since the first picture's time 0."""
        self._chapters.append((Fraction(time_s), title))

    def turn_sound(self, time_s: Fraction, to_s: Fraction | None) -> None:
        """Have sound, from a time on, be that of its file from another moment on.

        Called before the picture of that time is written. A file whose sound is turned, first at
        time 0, holds of ``audio_from`` the sound alone.

        Args:
            time_s: When, in seconds since the first picture's time 0.
            to_s: Moment of ``audio_from``, in seconds; None for silence.
        """
        self._sound_turns.append((time_s, to_s))

    def keep_earlier(self) -> None:
        """Leave an earlier recording in its place, whatever comes: this one stays beside it."""
        self._replaces_earlier = False

    def close(self) -> None:
        """Finish the file; harmless when called again. Without a canvas there is none.

        Raises:
            OutputError: Not all canvases are in the file, those before stay playable; or somebody
                took the file away, or changed the one that it should replace.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._finish()
            self.is_whole = self._file is not None and not self._is_broken
        finally:
            if self._is_broken:
                self._place.remove_unreadable()
            self._place.release()

    def __exit__(self, kind: object = None, *exc_info: object) -> None:
        if kind is not None:
            self.keep_earlier()
        self.close()

    def _finish(self) -> None:
        if self._file is None and self._pre_roll is not None and not self._is_broken:
            with self._writing():  # what came before is all that there is
                self._file = self._open(self._pre_roll.video.time_base)
        if self._file is None:
            return
        if self._is_broken:
            # Frees the file; what cannot be written was reported before.
            with suppress(FFmpegError, OSError):
                self._file.finish()
            return
        path = self._place.written_path
        with self._writing():
            self._file.finish()
        self._place.check_untouched()
        target = self._place.target() if self._replaces_earlier else path
        with self._writing():
            try:
                finish_mp4(
                    path,
                    target,
                    timescales=self._file.timescales,
                    times=self._file.times,
                    written=self._file.written,
                    captions=self._file.captions,
                    chapters=sorted(self._chapters),
                )
            except OutputError:
                raise
            except (FFmpegError, OSError) as exc:
                check_whole(path, self._file.written)
                target = path
                self._warnings.append(
                    f"{self._path} is complete but starts slowly"
                    f"{' and has no captions' if self._file.captions else ''}: "
                    f"its index could not be moved to the front ({exc.strerror})"
                )
        if self._replaces_earlier:
            self._place.settle(target)

    def _open(self, time_base: Fraction) -> FragmentedMp4:
        assert self._converter.size_wh is not None
        # Rounded down to the source's ticks, so that no picture at or after start_s is before 0.
        start_tick = math.floor(self._start_s / time_base + Fraction(1, 1_000_000))
        self._zero_s = start_tick * time_base
        path = self._place.claim()
        try:
            return FragmentedMp4(
                path,
                size_wh=self._converter.size_wh,
                time_base=track_time_base(time_base),
                encoder=self._encoder,
                open_audio=self._open_audio if self._audio_from else None,
                comment=self._comment,
                pre_roll=self._pre_roll,
            )
        except BaseException:
            self._place.abandon()
            raise

    def _open_audio(self, output: OutputContainer) -> AudioCopy:
        assert self._audio_from is not None
        is_take = bool(self._sound_turns)
        if not is_take:
            self._sound_turns.append((Fraction(0), self._zero_s))
        return AudioCopy(
            self._audio_from,
            output,
            turns=self._sound_turns,
            end_s=self._end_s,
            playlists=self._playlists,
            is_sound_alone=is_take,
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OutputError as exc:  # says all but which file is which
            self._is_broken = True
            raise type(exc)(f"{exc}{self.word_of_earlier}") from exc
        except (FFmpegError, OSError) as exc:
            self._is_broken = True
            fault = _DISK_FAULTS.get(
                exc.errno or 0,
                f"an MP4 does not hold what came ({exc.strerror}); leave the part out with "
                "--start or --end, or convert the input first",
            )
            kind = FullDiskError if exc.errno in (errno.ENOSPC, errno.EDQUOT) else OutputError
            raise kind(f"{self._path} cannot be written: {fault}{self.word_of_earlier}") from exc
