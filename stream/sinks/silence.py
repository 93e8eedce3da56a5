"""Silence in the words of a codec: packets that stand where a track has no sound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet

__all__ = ["Silence", "silence_like"]

_ENCODERS = {"aac": "aac", "ac3": "ac3", "eac3": "eac3", "mp3": "libmp3lame", "opus": "libopus"}
"""Of codecs each of whose packets says all that a decoder needs beside the track's header."""
_RUN_UP = 4
"""Packets from which on an encoder is in its stride."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A packet of silence."""

    content: bytes
    """What a decoder is given."""
    length_s: Fraction
    """How long it is."""


def silence_like(track: AudioStream) -> Silence | None:
    """Return silence that a track may hold between its packets; None where none can be made."""
    codec = track.codec_context
    name = _ENCODERS.get(codec.codec.canonical_name)
    if name is None or (name == "aac" and codec.profile != "LC"):
        return None
    try:
        encoder = av.CodecContext.create(name, "w")
        assert isinstance(encoder, AudioCodecContext)
        assert encoder.codec.audio_formats is not None
        encoder.sample_rate, encoder.layout = codec.sample_rate, codec.layout
        encoder.format = encoder.codec.audio_formats[0]
        if name == "libmp3lame":
            encoder.options = {"reservoir": "0"}  # else a packet needs those before it
        encoder.open()
        packets: list[Packet[AudioStream]] = []
        while len(packets) <= _RUN_UP:
            frame = av.AudioFrame(encoder.format, encoder.layout, encoder.frame_size)
            frame.sample_rate = encoder.sample_rate
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            packets += encoder.encode(frame)
    except (FFmpegError, ValueError):
        return None
    return Silence(bytes(packets[_RUN_UP]), Fraction(encoder.frame_size, encoder.sample_rate))
