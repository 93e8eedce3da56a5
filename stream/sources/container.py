"""Frames of one opened container: what files and network streams have in common."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.error import FFmpegError

from stream.errors import SourceFormatError
from stream.frames import Frame, SourceInfo
from stream.sources.closable import ClosableSource
from stream.sources.decoding import VideoDecoder
from stream.sources.media import describe
from stream.sources.options import PictureOptions
from stream.sources.timeline import Span

__all__ = ["ContainerSource"]

_SEEK_BACK_S = (0, 1, 4, 16, 64)
"""How far before the wanted moment to look for a picture to decode from, one after the other."""
_BEFORE_ALL_S = 10
"""So long before the first picture nothing has been decoded yet."""
_STANDING_FRAMES = Fraction(3, 2)
"""A picture shown for more than so many frames' time stands still, and is no neighbour."""
_MAX_MISSING_FRAMES = 4
"""So many frames' time may be missing to what a header promises before it is worth a word."""


class ContainerSource(ClosableSource):
    """Reads the main video stream of a container, which it owns from then on.

    Args:
        container: The container, just opened.
        name: What a person would call it.
        span: The part to read.
        is_live: Whether frames are lost unless they are read in time.
        pictures: How its pictures are to be decoded.

    Raises:
        SourceFormatError: It holds no video, none that can be decoded, or none in ``span``.
    """

    def __init__(
        self,
        container: InputContainer,
        name: str,
        *,
        span: Span,
        is_live: bool = False,
        pictures: PictureOptions | None = None,
    ) -> None:
        super().__init__()
        self._container = container
        self._name = name
        self._span = span
        self._is_live = is_live
        self._fault = ""
        try:
            self._decoder = VideoDecoder(
                container, name, is_live=is_live, pictures=pictures or PictureOptions()
            )
            self._prepare(self._decoder)
            frames = itertools.islice(self._decode(), span.max_frames)
            first = next(frames, None)
            if first is None:
                raise self._without_frames()
            self._frames: Iterator[Frame] = itertools.chain([first], frames)
            self._info = self._describe(first)
        except BaseException:
            container.close()
            raise

    @property
    def info(self) -> SourceInfo:
        """What the container declares about itself."""
        return self._info

    @property
    def warnings(self) -> list[str]:
        """What was wrong with it so far, one line each; complete after the last frame."""
        lines = []
        if self._decoder.num_damaged:
            lines.append(f"{self._name}: damaged packets were skipped: {self._decoder.num_damaged}")
        if self._decoder.num_repaired:
            lines.append(
                f"{self._name}: frames with a missing, repeated or backward time, which was "
                f"repaired: {self._decoder.num_repaired}"
            )
        lines += [f"{self._name}: {note}" for note in self._decoder.notes]
        return [*lines, self._fault] if self._fault else lines

    def _prepare(self, decoder: VideoDecoder) -> None:
        """Tell the decoder, before the first picture, what else is known of the pictures."""

    def _break_off(self, cause: FFmpegError | None) -> None:
        """Take note that no more frames can be read, or raise an error.

        Args:
            cause: What FFmpeg said; None where a live stream came to an end.
        """
        self._fault = (
            f"{self._name} breaks off after {self._decoder.num_frames} frames "
            f"({describe(cause)}): the file is cut short or damaged"
        )

    def _read_next(self) -> Frame | None:
        return next(self._frames, None)

    def _release(self) -> None:
        self._frames = iter(())
        self._container.close()

    def _decode(self) -> Iterator[Frame]:
        decoder = self._decoder
        end = self._span.end_tick(decoder.time_base)
        held: tuple[av.VideoFrame, int] | None = None
        try:
            for picture in self._pictures_from(self._span.start_tick(decoder.time_base)):
                pts = decoder.place(picture)
                if self._is_live:  # how long it is shown would be known a frame later
                    yield decoder.to_frame(picture, pts, None)
                    continue
                yield from self._shown(held, pts)
                held = picture, pts
                if end is not None and pts >= end:
                    return
        except FFmpegError as exc:
            yield from self._shown(held, None)
            self._break_off(exc)
        else:
            yield from self._shown(held, decoder.end)
            if self._is_live:
                self._break_off(None)
            self._compare_with_header(max(held[1] if held else 0, decoder.end or 0))

    def _shown(self, held: tuple[av.VideoFrame, int] | None, until: int | None) -> Iterator[Frame]:
        """Yield the picture as it is shown in the span, from its own time or from the beginning.

        A picture that begins before the span is left out, unless it goes on for longer than to the
        next frame: it stands still there.
        """
        if held is None:
            return
        decoder, (picture, pts) = self._decoder, held
        start = self._span.start_tick(decoder.time_base)
        end = self._span.end_tick(decoder.time_base)
        if until is None or until <= pts:
            until = pts + decoder.frame_ticks
        if pts >= start or until - start > _STANDING_FRAMES * decoder.frame_ticks:
            begin = max(pts, start)
            if end is None or begin < end:
                until = until if end is None else min(until, end)
                yield decoder.to_frame(picture, begin, until - begin)

    def _compare_with_header(self, end: int) -> None:
        decoder = self._decoder
        last_s = float(end * decoder.time_base)
        declared_s, rate = decoder.declared_end_s, decoder.frame_rate
        if declared_s is not None and rate and last_s < declared_s - _MAX_MISSING_FRAMES / rate:
            promise = f"its header tells of {declared_s:.2f} s"
        elif decoder.is_cut_off:
            # Of a file in fragments the end of the last one that was found; else of the whole.
            promise = f"its index goes on to {decoder.duration_s or last_s:.2f} s"
        else:
            return
        self._fault = (
            f"{self._name} ends at {last_s:.2f} s, though {promise}: the file is cut short"
        )

    def _pictures_from(self, start: int) -> Iterator[av.VideoFrame]:
        """Yield pictures from tick ``start``, or somewhat before, to the end."""
        decoder, wanted = self._decoder, start + self._decoder.origin
        if start == 0 or not decoder.can_seek:
            yield from decoder.pictures()
            return
        for back_s in _SEEK_BACK_S:
            target = wanted - round(back_s / decoder.time_base)
            if target <= decoder.origin:
                break
            try:
                self._container.seek(target, stream=decoder.stream)
                pictures = decoder.pictures()
                first = next(pictures, None)
            except FFmpegError:
                break
            # A container may lead us to a picture that is shown only after the wanted one.
            found = None if first is None else decoder.reported_tick(first)
            if first is not None and found is not None and found <= wanted:
                yield first
                yield from pictures
                return
        self._rewind()
        yield from decoder.pictures()

    def _rewind(self) -> None:
        decoder = self._decoder
        try:
            # Containers that search by the order of decoding need a time before all of it.
            before_all = decoder.origin - round(_BEFORE_ALL_S / decoder.time_base)
            self._container.seek(before_all, stream=decoder.stream)
        except FFmpegError:  # others know no such time
            self._container.seek(decoder.origin, stream=decoder.stream)

    def _describe(self, first: Frame) -> SourceInfo:
        decoder, span = self._decoder, self._span
        num_frames: int | None = decoder.stream.frames or None
        duration_s = None if self._is_live else decoder.duration_s
        if duration_s:
            if num_frames is None and decoder.frame_rate:
                num_frames = round(duration_s * decoder.frame_rate)
            share = span.cut_duration(duration_s) / duration_s
            num_frames = num_frames and max(1, round(num_frames * share))
            duration_s *= share
        if span.max_frames is not None:
            num_frames = min(span.max_frames, num_frames or span.max_frames)
        return SourceInfo(
            name=self._name,
            size_wh=first.size_wh,
            frame_rate=decoder.frame_rate,
            time_base=decoder.time_base,
            is_live=self._is_live,
            num_frames=num_frames,
            duration_s=duration_s,
            start_s=decoder.origin * decoder.time_base,
            details=decoder.details,
        )

    def _without_frames(self) -> SourceFormatError:
        decoder, span = self._decoder, self._span
        if (span.start_s or span.end_s) and not decoder.num_damaged:
            length = f"; it is {decoder.duration_s:.3f} s long" if decoder.duration_s else ""
            return SourceFormatError(f"{self._name} has no frame {span}{length}")
        if self._container.format.name == "webp_pipe":
            return SourceFormatError(
                f"{self._name} is an animated WebP, which FFmpeg cannot decode; "
                "convert it to GIF or MP4"
            )
        return SourceFormatError(
            f"{self._name} holds no frame that can be decoded "
            f"(damaged packets: {decoder.num_damaged}); use another copy of it"
        )
