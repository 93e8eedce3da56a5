"""Pictures made into packets, each with its exact time and length."""

from __future__ import annotations

import math
from array import array
from fractions import Fraction

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream

from stream.sinks.encoders import EncoderSettings, encoder_named

__all__ = ["PictureEncoder", "track_time_base"]

_KEYFRAME_EVERY_S = 2
_MAX_TIMESCALE = 10_000_000
"""Most ticks per second of a track: a picture's length has 32 bits, here seven minutes."""
_COARSE_TIME_BASE = Fraction(1, 1_000_000)
"""For time bases that are too fine for an MP4."""
_BT709 = 1
"""Primaries, transfer function and matrix of BT.709 in ITU-T H.273."""
_LIMITED_RANGE = 1
"""Black is 16 and white 235; AVCOL_RANGE_MPEG."""
_REORDERABLE_TIME_BASE = Fraction(1, 1_000_000)
"""In finer ticks pictures are encoded in the order in which they are shown. Else one behind a pause
of half a minute would be decoded 2 ** 28 ticks before it is shown, and FFmpeg up to 5 then forgets
the order."""


def track_time_base(time_base: Fraction) -> Fraction:
    """Return the ticks of a track that holds times in these: exactly, unless they are too fine."""
    ticks_per_s = time_base.denominator
    return Fraction(1, ticks_per_s) if ticks_per_s <= _MAX_TIMESCALE else _COARSE_TIME_BASE


class PictureEncoder:
    """Encodes the pictures of one stream.

    Args:
        container: Gets the stream.
        size_wh: Width and height of the pictures, both even.
        time_base: Seconds per tick of the picture times; the numerator is 1.
        encoder: How to encode.
        key_every_s: Longest time between key frames, at which a fragment begins: so much is in
            memory only.

    Raises:
        OutputError: The encoder cannot be opened, or fails; all methods raise the same.
    """

    def __init__(
        self,
        container: OutputContainer,
        *,
        size_wh: tuple[int, int],
        time_base: Fraction,
        encoder: EncoderSettings,
        key_every_s: int = _KEYFRAME_EVERY_S,
    ) -> None:
        self.time_base = time_base
        self.ticks = array("q")
        """When each picture is shown; 8 bytes each, a megabyte in an hour."""
        self.key_tick = 0
        """When the newest key frame by time is shown, which no later picture builds on."""
        self._length = 0
        self._frame_ticks = max(1, round(1 / (encoder.frame_rate * time_base)))
        self._key_ticks = math.floor(key_every_s / time_base)
        self._next_key: int | None = None
        self._held: av.VideoFrame | None = None
        self._durations: dict[int, int] = {}
        self._encoder_name = encoder.name
        stream = container.add_stream(encoder.name, rate=encoder.frame_rate)
        assert isinstance(stream, VideoStream)
        stream.time_base = stream.codec_context.time_base = time_base
        stream.color_range = _LIMITED_RANGE
        stream.colorspace = stream.color_primaries = stream.color_trc = _BT709
        if time_base < _REORDERABLE_TIME_BASE:
            stream.codec_context.max_b_frames = 0
        # By itself it would be opened with the file, whose faults are others.
        encoder.apply(stream.codec_context, size_wh)
        self.stream = stream
        """What packets are of."""

    @property
    def last_tick(self) -> int:
        """Time of the newest picture; -1 before the first."""
        return self.ticks[-1] if self.ticks else -1

    @property
    def end(self) -> int:
        """Tick up to which the newest picture is shown, as far as one knows before the next."""
        return self.last_tick + self._length

    def encode(
        self, picture: av.VideoFrame, tick: int, length: int | None = None
    ) -> list[Packet[VideoStream]]:
        """Take ``picture``, shown from ``tick`` on, which is later than the one before.

        It is shown until the next one comes, or for ``length`` ticks, by default a frame's time.

        Returns:
            Packets that are ready: of earlier pictures, in the order of decoding.
        """
        packets = self._encode_held(until=tick)
        picture.pts, picture.time_base = tick, self.time_base
        self._held, self._length = picture, length or self._frame_ticks
        self.ticks.append(tick)
        return packets

    def finish(self) -> list[Packet[VideoStream]]:
        """Return the packets that are left."""
        return [*self._encode_held(until=self.end), *self._packets(None)]

    def _encode_held(self, *, until: int) -> list[Packet[VideoStream]]:
        # A picture's length is known only when the next one comes.
        picture, self._held = self._held, None
        if picture is None or picture.pts is None:
            return []
        self._durations[picture.pts] = until - picture.pts
        # Key frames go by time, not by count: the rate may vary.
        if self._next_key is None or picture.pts >= self._next_key:
            picture.pict_type = PictureType.I
            self.key_tick = picture.pts
            self._next_key = picture.pts + self._key_ticks
        return self._packets(picture)

    def _packets(self, picture: av.VideoFrame | None) -> list[Packet[VideoStream]]:
        with encoder_named(self._encoder_name):
            packets = self.stream.encode(picture)
        for packet in packets:
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts, self._frame_ticks)
        return packets
