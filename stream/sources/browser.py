"""The camera of a browser, whose pictures come one by one as JPEG."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

import av
from av.error import FFmpegError

from stream.channel import Channel, ChannelClosed
from stream.closing import Closing
from stream.errors import SourceFormatError
from stream.frames import Frame, SourceInfo
from stream.sources.pictures import PictureConverter

__all__ = ["BrowserSource"]

MAX_PICTURE_PX = 1920 * 1088
"""Of one picture, with what the decoder adds: a few bytes may declare gigabytes of pixels."""
_TIME_BASE = Fraction(1, 1_000_000)


class BrowserSource(Closing):
    """Pictures that are handed in, the newest of them; a ``stream.protocols.Source``.

    The time of a picture is when it came. Its index counts those that came: gaps tell of others
    that it replaced.
    """

    def __init__(self) -> None:
        self._pictures: Channel[tuple[int, int, bytes]] = Channel(1, keep="latest")
        self._converter = PictureConverter()
        self._decoder = av.CodecContext.create("mjpeg", "r")
        self._decoder.options = {"max_pixels": str(MAX_PICTURE_PX)}
        self._decoder.thread_count = 1
        self._num_offered = 0
        self._began_ns: int | None = None
        self._last_pts = -1

    @property
    def info(self) -> SourceInfo:
        """What there is to say before the first picture: it is live."""
        return SourceInfo(
            name="the browser's camera",
            size_wh=(640, 480),
            frame_rate=None,
            time_base=_TIME_BASE,
            is_live=True,
        )

    @property
    def warnings(self) -> Sequence[str]:
        """Nothing."""
        return ()

    def offer(self, jpeg: bytes) -> None:
        """Hand in a picture, in place of one that still waits; one thread, which never waits."""
        try:
            self._pictures.put((self._num_offered, time.monotonic_ns(), jpeg))
        except ChannelClosed:
            return  # nobody looks any more
        self._num_offered += 1

    def read(self) -> Frame | None:
        """Return the next picture; None once closed.

        Raises:
            SourceFormatError: What came is no JPEG, or one of too many pixels.
        """
        try:
            item = self._pictures.get()
        except ChannelClosed:
            return None
        assert item is not None  # get() without a timeout waits for an item
        index, came_ns, jpeg = item
        self._began_ns = came_ns if self._began_ns is None else self._began_ns
        self._last_pts = max(self._last_pts + 1, (came_ns - self._began_ns) // 1000)
        try:
            (picture,) = self._decoder.decode(av.Packet(jpeg))
            image = self._converter.to_rgb(picture)
        except (FFmpegError, ValueError) as error:
            raise SourceFormatError(
                "what the browser sent is no JPEG picture, or one of too many pixels; open the "
                "page again"
            ) from error
        return Frame(
            image=image,
            pts=self._last_pts,
            time_base=_TIME_BASE,
            index=index,
            captured_ns=came_ns,
        )

    def close(self) -> None:
        """Take no more; wakes who waits for a picture. Harmless when called again, any thread."""
        self._pictures.discard()
