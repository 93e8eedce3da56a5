"""Which of a container's tracks is meant, and how many pictures a second it has."""

from __future__ import annotations

from fractions import Fraction

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from stream.errors import SourceFormatError

__all__ = ["declared_rate", "main_video_stream", "nominal_rate", "video_streams"]

_PLAUSIBLE_RATES = (1, 240)
"""Frames a second, least and most; containers that count milliseconds may declare 1,000."""


def main_video_stream(container: InputContainer, name: str) -> VideoStream:
    """Return the track with the moving pictures.

    Args:
        container: An open container.
        name: What to call it in messages.

    Raises:
        SourceFormatError: It has no video stream, or none that can be decoded.
    """
    streams = video_streams(container)
    if not streams:
        raise SourceFormatError(f"{name} has no video stream; give a file with moving pictures")
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    if stream.frames == 1:  # a still that is not marked as a cover
        stream = max(streams, key=lambda each: (each.frames != 1, each is stream))
    if stream.codec_context is None:
        raise SourceFormatError(
            f"{name}: there is no decoder for its video; convert it to H.264 first"
        )
    return stream


def video_streams(container: InputContainer) -> list[VideoStream]:
    """Return the tracks of pictures; not an album's cover, which is stored as one of them."""
    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]


def declared_rate(stream: VideoStream) -> Fraction | None:
    """Return the declared frames per second, on average; None where no plausible ones are."""
    return _first_plausible(stream.average_rate, stream.guessed_rate)


def nominal_rate(stream: VideoStream) -> Fraction | None:
    """Return the frames per second where none is late or left out; None where unknown.

    It is that of the stream's own header, where the average is only what FFmpeg takes for granted
    of streams that come without a container.
    """
    return _first_plausible(stream.guessed_rate, stream.average_rate)


def _first_plausible(*rates: Fraction | None) -> Fraction | None:
    low, high = _PLAUSIBLE_RATES
    return next((rate for rate in rates if rate and low <= rate <= high), None)
