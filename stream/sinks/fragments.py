"""An MP4 file that can be played while it is written: fragments, each complete in itself."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType
from av.video.stream import VideoStream

from stream.sinks.audio import AudioCopy
from stream.sinks.captions import Captions
from stream.sinks.encoders import EncoderSettings, encoder_named
from stream.sinks.remux import Amounts, amount_in
from stream.sinks.trial import FRAGMENTS

__all__ = ["MAX_TIMESCALE", "FragmentedMp4"]

_KEYFRAME_EVERY_S = 2
"""A fragment ends before each key frame, so this much is in memory only."""
_BT709 = 1
"""Primaries, transfer function and matrix of BT.709 in ITU-T H.273."""
_LIMITED_RANGE = 1
"""Black is 16 and white 235; AVCOL_RANGE_MPEG."""
MAX_TIMESCALE = 10_000_000
"""Most ticks per second of a track: a picture's length has 32 bits, here seven minutes."""
_REORDERABLE_TIME_BASE = Fraction(1, 1_000_000)
"""In finer ticks pictures are encoded in the order in which they are shown. Else one behind a pause
of half a minute would be decoded 2 ** 28 ticks before it is shown, and FFmpeg up to 5 then forgets
the order."""
_MAX_MOVIE_TIMESCALE = 2**31 - 1


class FragmentedMp4:
    """Encodes pictures into a file of fragments and copies sound in between.

    Args:
        path: File to write.
        size_wh: Width and height of the pictures, both even.
        time_base: Seconds per tick of the picture times; the numerator is 1.
        encoder: How to encode.
        audio_from: File to copy the sound of; a string is the URL of one.
        zero_s: Moment of ``audio_from`` that is time 0.
        end_s: Moment of ``audio_from`` to stop at.
        playlists: Open what ``audio_from`` names, where it is a playlist.
        comment: Text for the file's comment field.

    Raises:
        OutputError: The encoder cannot be opened, or fails; what was at ``path`` is still there
            where it cannot be opened.
        FFmpegError: The file cannot be written. All methods raise the same.
    """

    def __init__(
        self,
        path: Path,
        *,
        size_wh: tuple[int, int],
        time_base: Fraction,
        encoder: EncoderSettings,
        audio_from: str | Path | None,
        zero_s: Fraction,
        end_s: Fraction | None,
        playlists: bool = False,
        comment: str,
    ) -> None:
        self.time_base = time_base
        self.ticks = array("q")
        """When each picture is shown; 8 bytes each, a megabyte in an hour."""
        self._length = 0
        self._frame_ticks = max(1, round(1 / (encoder.frame_rate * time_base)))
        self._key_ticks = math.floor(_KEYFRAME_EVERY_S / time_base)
        self._next_key = 0
        self._held: av.VideoFrame | None = None
        self._durations: dict[int, int] = {}
        self._container = av.open(
            f"file:{path}",
            "w",
            format="mp4",
            container_options={
                "movflags": FRAGMENTS,
                "flush_packets": "1",
                # Sound that ends first must not make the pictures wait in memory.
                "max_interleave_delta": "1000000",
            },
        )
        self._container.metadata["comment"] = comment
        self.written: Amounts = Counter()
        """What was handed over to be written."""
        self._stream = self._add_video(size_wh, encoder)
        self._audio = (
            AudioCopy(audio_from, self._container, zero_s=zero_s, end_s=end_s, playlists=playlists)
            if audio_from
            else None
        )
        self.timescales = exact_timescales(
            time_base, [stream.time_base for stream in self._container.streams.audio]
        )
        self._container.container_options.update(self.timescales)
        self._container.start_encoding()

    @property
    def warnings(self) -> list[str]:
        """What could not be copied, one line each."""
        return self._audio.warnings if self._audio else []

    @property
    def captions(self) -> list[Captions]:
        """What is shown as text beside, for the finished file; complete after :meth:`finish`."""
        return self._audio.captions if self._audio else []

    @property
    def last_tick(self) -> int:
        """Time of the newest picture; -1 before the first."""
        return self.ticks[-1] if self.ticks else -1

    @property
    def end(self) -> int:
        """Tick up to which the newest picture is shown, as far as one knows before the next."""
        return self.last_tick + self._length

    def write(self, picture: av.VideoFrame, tick: int, length: int | None = None) -> None:
        """Encode ``picture`` as shown from ``tick`` on, which is later than the one before.

        It is shown until the next one comes, or for ``length`` ticks, by default a frame's time.
        """
        self._encode_held(until=tick)
        picture.pts, picture.time_base = tick, self.time_base
        self._held, self._length = picture, length or self._frame_ticks
        self.ticks.append(tick)
        if self._audio:
            for packet in self._audio.packets_until(tick * self.time_base):
                self._mux(packet)

    def finish(self) -> None:
        """Encode what is left, copy the rest of the sound and close the file."""
        try:
            self._encode_held(until=self.end)
            self._mux_video(None)
            if self._audio:
                for packet in self._audio.packets_after(
                    self.last_tick * self.time_base, self.end * self.time_base
                ):
                    self._mux(packet)
        finally:
            if self._audio:
                self._audio.close()
            self._container.close()

    def _add_video(self, size_wh: tuple[int, int], encoder: EncoderSettings) -> VideoStream:
        self._encoder_name = encoder.name
        stream = self._container.add_stream(encoder.name, rate=encoder.frame_rate)
        assert isinstance(stream, VideoStream)
        stream.time_base = stream.codec_context.time_base = self.time_base
        stream.color_range = _LIMITED_RANGE
        stream.colorspace = stream.color_primaries = stream.color_trc = _BT709
        if self.time_base < _REORDERABLE_TIME_BASE:
            stream.codec_context.max_b_frames = 0
        # By itself it would be opened with the file, whose faults are others.
        encoder.apply(stream.codec_context, size_wh)
        return stream

    def _encode_held(self, *, until: int) -> None:
        # A picture's length is known only when the next one comes.
        picture, self._held = self._held, None
        if picture is None or picture.pts is None:
            return
        self._durations[picture.pts] = until - picture.pts
        # Key frames go by time, not by count: the rate may vary.
        if picture.pts >= self._next_key:
            picture.pict_type = PictureType.I
            self._next_key = picture.pts + self._key_ticks
        self._mux_video(picture)

    def _mux(self, packet: Packet[Stream]) -> None:
        self.written[packet.stream.index] += amount_in(packet)
        self._container.mux(packet)

    def _mux_video(self, picture: av.VideoFrame | None) -> None:
        with encoder_named(self._encoder_name):
            packets = self._stream.encode(picture)
        for packet in packets:
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts, self._frame_ticks)
            self._mux(packet)


def exact_timescales(
    video_time_base: Fraction, audio_time_bases: list[Fraction | None]
) -> dict[str, str]:
    """Return muxer options with which no time has to be rounded, as far as numbers go.

    The track keeps the pictures' own ticks; the movie, in whose ticks a track's late beginning is
    stored, gets a common multiple of all.
    """
    track = video_time_base.denominator
    movie = math.lcm(track, *(base.denominator for base in audio_time_bases if base))
    return {
        "video_track_timescale": str(track),
        "movie_timescale": str(movie if movie <= _MAX_MOVIE_TIMESCALE else track),
    }
