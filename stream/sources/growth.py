"""Recordings that begin small: calls, which send few pixels until they know what the line bears."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

__all__ = ["largest_ahead", "may_grow"]

_MAX_PACKETS = 600
"""How far to look: ten seconds or more, while calls reach their size in a few."""
_MAX_KEY_FRAMES = 12
"""Pictures to decode at most: where every one is a key frame, that is the first half second."""
_SMALL_PX = 1280 * 720
"""What begins with so many pixels is no call that has yet to grow, and not looked into further."""
_GROWING_FORMATS = ("matroska", "mpegts", "flv", "h264", "hevc", "ivf")
"""How the names of the formats begin in which the size may change midway."""


def may_grow(container: InputContainer) -> bool:
    """Tell whether the size of pictures may change in a container of this format."""
    return container.format.name.startswith(_GROWING_FORMATS)


def largest_ahead(
    container: InputContainer, index: int, start_s: float | Fraction
) -> tuple[int, int] | None:
    """Return the largest size that pictures take early on; None where the first has it.

    Args:
        container: A container just opened, of which nothing else will be read.
        index: Index of its video stream.
        start_s: Where to begin, in seconds.

    Returns:
        Width and height in the stream's own pixels, of the same shape as the first picture.
    """
    sizes: list[tuple[int, int]] = []
    with suppress(FFmpegError):  # what is broken is told by who reads it all
        if start_s:
            container.seek(round(start_s * av.time_base) + (container.start_time or 0))
        for picture in _key_pictures(container, index):
            sizes.append((picture.width, picture.height))
            if picture.width * picture.height >= _SMALL_PX:
                break
    if not sizes:
        return None
    width, height = sizes[0]
    alike = [(w, h) for w, h in sizes if abs(w * height - h * width) < 0.01 * w * height]
    largest = max(alike, key=lambda size: size[0] * size[1])
    return largest if largest > (width, height) else None


def _key_pictures(container: InputContainer, index: int) -> Iterator[av.VideoFrame]:
    stream = container.streams[index]
    context = stream.codec_context
    assert isinstance(context, VideoCodecContext)
    context.thread_type = "SLICE"  # no picture waits in a thread
    num_keys = 0
    for packet in islice(container.demux(stream), _MAX_PACKETS):
        if packet.is_keyframe and packet.size:
            num_keys += 1
            yield from context.decode(packet)
        if num_keys == _MAX_KEY_FRAMES:
            break
    yield from context.decode(None)
