"""Interlaced pictures, whose alternate rows are two moments, made pictures of one moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import av
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NothingMore
from av.error import FFmpegError
from av.filter import Graph

__all__ = ["deinterlaced"]


def deinterlaced(pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Yield a picture of its first moment for each picture, one later; times stay.

    Pictures that are not marked as interlaced stay as they are.

    Raises:
        FFmpegError: What ``pictures`` raised, after the last picture that came out of it.
    """
    weaver: _Weaver | None = None
    fault: FFmpegError | None = None
    while True:
        try:
            picture = next(pictures, None)
        except FFmpegError as exc:
            picture, fault = None, exc
        if weaver and not (picture and weaver.fits(picture)):
            yield from weaver.finish()
            weaver = None
        if picture is None:
            break
        weaver = weaver or _Weaver(picture)
        yield from weaver.weave(picture)
    if fault is not None:
        raise fault


class _Weaver:
    """FFmpeg's bwdif for pictures like the one it is made with."""

    def __init__(self, like: av.VideoFrame) -> None:
        self._kind = _kind_of(like)
        self._times: deque[tuple[int | None, Fraction | None]] = deque()
        self._graph = Graph()
        buffer = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=Fraction(1, 1000)
        )
        bwdif = self._graph.add("bwdif", mode="send_frame", parity="auto", deint="interlaced")
        sink = self._graph.add("buffersink")
        buffer.link_to(bwdif)
        bwdif.link_to(sink)
        self._graph.configure()

    def fits(self, picture: av.VideoFrame) -> bool:
        """Tell whether this is a picture of the same size and format."""
        return _kind_of(picture) == self._kind

    def weave(self, picture: av.VideoFrame) -> Iterator[av.VideoFrame]:
        # The filter halves the time base and guesses what is missing: times go round it.
        pts = picture.dts if picture.pts is None else picture.pts
        self._times.append((pts, picture.time_base))
        self._graph.push(picture)
        yield from self._pull()

    def finish(self) -> Iterator[av.VideoFrame]:
        """Yield what is still inside; to be thrown away after."""
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[av.VideoFrame]:
        while True:
            try:
                picture = self._graph.pull()
            except (NothingYet, NothingMore):
                return
            assert isinstance(picture, av.VideoFrame)
            pts, time_base = self._times.popleft()
            picture.pts = pts
            if time_base is not None:
                picture.time_base = time_base
            yield picture


def _kind_of(picture: av.VideoFrame) -> tuple[int, int, str]:
    return picture.width, picture.height, picture.format.name
