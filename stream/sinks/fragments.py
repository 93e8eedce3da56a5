"""An MP4 file that can be played while it is written: fragments, each complete in itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from stream.sinks.audio import AudioCopy
from stream.sinks.captions import Captions
from stream.sinks.encoders import EncoderSettings
from stream.sinks.picture_encoder import PictureEncoder
from stream.sinks.pre_roll import EncodedPreRoll
from stream.sinks.remux import Amounts, amount_in
from stream.sinks.trial import FRAGMENTS

__all__ = ["FragmentedMp4"]

_MAX_MOVIE_TIMESCALE = 2**31 - 1


class FragmentedMp4:
    """Encodes pictures into a file of fragments and copies sound in between.

    Args:
        path: File to write.
        size_wh: Width and height of the pictures, both even.
        time_base: Seconds per tick of the picture times; the numerator is 1.
        encoder: How to encode.
        open_audio: Returns what copies sound into the file; None leaves it silent.
        comment: Text for the file's comment field.
        pre_roll: Pictures that the file begins with: its time 0 is when they begin.

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
        open_audio: Callable[[OutputContainer], AudioCopy] | None,
        comment: str,
        pre_roll: EncodedPreRoll | None = None,
    ) -> None:
        self.time_base = time_base
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
        self._pre_roll = pre_roll
        self._video, self._zero_tick = self._open_video(size_wh, encoder)
        self._audio = open_audio(self._container) if open_audio else None
        self.timescales = exact_timescales(
            time_base, [stream.time_base for stream in self._container.streams.audio]
        )
        self._container.container_options.update(self.timescales)
        self._container.start_encoding()
        if pre_roll is not None:
            self._mux_pictures(pre_roll.take())

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
        return self._video.last_tick - self._zero_tick

    @property
    def times(self) -> list[int]:
        """When each picture is shown, and when the newest ends, as far as is known yet; ticks."""
        return [tick - self._zero_tick for tick in (*self._video.ticks, self._video.end)]

    def write(self, picture: av.VideoFrame, tick: int, length: int | None = None) -> None:
        """Encode ``picture`` as shown from ``tick`` on, which is later than the one before.

        It is shown until the next one comes, or for ``length`` ticks, by default a frame's time.
        """
        self._mux_pictures(self._video.encode(picture, tick + self._zero_tick, length))
        if self._audio:
            for packet in self._audio.packets_until(tick * self.time_base):
                self._mux(packet)

    def finish(self) -> None:
        """Encode what is left, copy the rest of the sound and close the file."""
        try:
            end = self._video.end - self._zero_tick
            self._mux_pictures(self._video.finish())
            if self._audio:
                for packet in self._audio.packets_after(
                    self.last_tick * self.time_base, end * self.time_base
                ):
                    self._mux(packet)
        finally:
            if self._audio:
                self._audio.close()
            self._container.close()

    def _open_video(
        self, size_wh: tuple[int, int], encoder: EncoderSettings
    ) -> tuple[PictureEncoder, int]:
        """Return what encodes, and the time at which it calls the file's beginning."""
        if self._pre_roll is None:
            video = PictureEncoder(
                self._container, size_wh=size_wh, time_base=self.time_base, encoder=encoder
            )
            return video, 0
        video = self._pre_roll.video
        # "opaque" copies the parameters without looking for an encoder to go with them.
        self._stream = self._container.add_stream_from_template(video.stream, opaque=True)
        self._stream.time_base = video.time_base
        return video, self._pre_roll.begin_tick

    def _mux_pictures(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            if self._pre_roll is not None:  # its times go on, and its packets are of its own stream
                packet.stream = self._stream
                packet.pts = None if packet.pts is None else packet.pts - self._zero_tick
                packet.dts = None if packet.dts is None else packet.dts - self._zero_tick
            self._mux(packet)

    def _mux(self, packet: Packet[Any]) -> None:
        self.written[packet.stream.index] += amount_in(packet)
        self._container.mux(packet)


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
