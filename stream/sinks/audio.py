"""Sound and captions of a file, copied packet by packet beside pictures that are made anew."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from stream.errors import SourceFormatError
from stream.sinks.captions import TEXT_CODECS, Captions
from stream.sinks.trial import add_sound, first_sound, mp4_holds, unwrapper_of
from stream.sources.clock import Clock, clock_of
from stream.sources.media import open_file
from stream.sources.network import hide_password, open_url
from stream.sources.tracks import main_video_stream

__all__ = ["AudioCopy"]

_TAIL_S = 10
"""Sound that goes on for longer than this without a picture shows that the pictures are over."""
_SAME_TIME_S = Fraction(1, 1000)
"""Picture times closer than this are one: the output's ticks may round the file's."""

_NETWORK_TIMEOUTS_S = (10.0, 30.0)
"""Longest waits for a server to answer, and to go on: it sends only when pictures are done."""


class AudioCopy:
    """Hands out the audio packets of a file, unchanged, as the pictures advance.

    Captions that are text are gathered on the way; what is lost beside is told.

    Holds one packet at a time (at the very end those of ten seconds) and all captions, which are
    short, however long the file. All
    audio streams that an MP4 can hold are copied. Times are in seconds since ``zero_s``.

    Args:
        path: The file; a string is the URL of one.
        output: MP4 that the packets are for; its header is not written yet.
        zero_s: Moment of the file that is time 0 in the output; earlier sound is left out.
        end_s: Moment of the file to stop at; None for its end.
        playlists: Open what it names, where it is a playlist.
    """

    def __init__(
        self,
        path: str | Path,
        output: OutputContainer,
        *,
        zero_s: Fraction,
        end_s: Fraction | None,
        playlists: bool = False,
    ) -> None:
        self.warnings: list[str] = []
        """What could not be copied, one line each."""
        self.captions: list[Captions] = []
        """What is shown as text; complete after the last packet."""
        self._name = hide_password(path) if isinstance(path, str) else path.name
        self._end_s = math.inf if end_s is None else end_s - zero_s
        self._newest_picture_s: Fraction | float = -math.inf
        self._tracks: dict[int, _Track] = {}
        self._packets: Iterator[tuple[Fraction, Packet[Stream] | None]] = iter(())
        self._next: tuple[Fraction, Packet[Stream] | None] | None = None
        self._container: InputContainer | None = None
        try:
            with _open(path, playlists=playlists) as first_look:
                held = self._held_tracks(first_look)
            self._container = _open(path, playlists=playlists)
        except (FFmpegError, OSError) as exc:
            self.warnings.append(f"the sound of {self._name} is left out ({exc.strerror})")
            return
        self._file_zero_s = Fraction(self._container.start_time or 0, av.time_base) + zero_s
        self._is_cut = zero_s > 0
        try:
            self._clock = Clock() if isinstance(path, str) else clock_of(path, self._container)
            self._begin(self._container, output, held)
        except BaseException:
            self._container.close()
            raise

    def _begin(self, container: InputContainer, output: OutputContainer, held: set[int]) -> None:
        """Make the tracks of the output, and read up to the first packet."""
        self._pictures = _pictures_in(container, self._name)
        for stream in container.streams.audio:
            if stream.index in held:
                target = add_sound(output, stream)
                self._tracks[stream.index] = _Track(stream, target, self._file_zero_s)
        for captions in container.streams.subtitles:
            if captions.codec_context and captions.codec_context.name in TEXT_CODECS:
                self.captions.append(Captions(captions, self._file_zero_s))
        if lost := _names_of_lost(container):
            self.warnings.append(f"of {self._name} is left out: {', '.join(lost)}")
        if self._tracks or self.captions:
            self._packets = self._read(container)
            self._next = next(self._packets, None)

    def _held_tracks(self, container: InputContainer) -> set[int]:
        """Return which tracks an MP4 can hold, by index; say of the others why they are left out.

        What cannot be read again would take the whole file with it.
        """
        held = set()
        packets, is_whole = first_sound(container) if container.streams.audio else ({}, True)
        for stream in container.streams.audio:
            codec = stream.codec_context
            name = codec.codec.canonical_name if codec else "unknown"
            what = f"the {name} sound of {self._name} is left out"
            if is_whole and not packets[stream.index]:
                self.warnings.append(f"{what}: nothing can be read of its track {stream.index}")
            elif mp4_holds(stream, packets[stream.index]):
                held.add(stream.index)
            else:
                rate = f" ({codec.sample_rate} Hz)" if codec else ""
                self.warnings.append(f"{what}: an MP4 file cannot hold it as it is{rate}")
        return held

    def packets_until(self, time_s: Fraction) -> Iterator[Packet[Stream]]:
        """Yield the packets that begin up to ``time_s`` and were not handed out before."""
        while self._next is not None and self._next[0] <= time_s:
            if self._next[1] is not None:
                yield self._next[1]
            self._next = next(self._packets, None)

    def packets_after(
        self, last_picture_s: Fraction, picture_end_s: Fraction
    ) -> Iterator[Packet[Stream]]:
        """Yield the remaining packets once the last picture is written.

        Sound that outlasts the file's last picture belongs to it. Where the file has pictures
        later than ``last_picture_s``, somebody stopped early, and the sound stops too.

        Args:
            last_picture_s: Time of the last picture that was written.
            picture_end_s: When that picture ends.
        """
        tail: list[Packet[Stream]] = []
        while self._next is not None:
            time_s, packet = self._next
            if packet is None:
                if not self._tracks and self._has_picture_after(last_picture_s):
                    return
            elif time_s < picture_end_s:
                yield packet
            elif self._has_picture_after(last_picture_s):
                return
            elif time_s < picture_end_s + _TAIL_S:
                tail.append(packet)
            else:
                yield from tail
                tail.clear()
                yield packet
            self._next = next(self._packets, None)
        if not self._has_picture_after(last_picture_s):
            yield from tail

    def close(self) -> None:
        """Close the file; harmless when called again."""
        self._next = None
        self._packets = iter(())
        if self._container is not None:
            self._container.close()

    def _has_picture_after(self, time_s: Fraction) -> bool:
        return self._newest_picture_s > time_s + _SAME_TIME_S

    def _read(self, container: InputContainer) -> Iterator[tuple[Fraction, Packet[Stream] | None]]:
        """Yield packets for the output with their times, and None for pictures that pass by."""
        try:
            if self._is_cut and not self._clock.has_jumps:
                # Somewhat earlier: sound and picture of one moment may be stored apart.
                container.seek(math.floor((self._file_zero_s - 1) * av.time_base))
            texts = {captions.source.index: captions for captions in self.captions}
            streams = [
                *self._pictures,
                *(track.source for track in self._tracks.values()),
                *(captions.source for captions in self.captions),
            ]
            for packet in container.demux(*streams):
                if packet.dts is None:  # the empty one that ends the stream
                    continue
                if not self._clock.move(packet):
                    continue
                if packet.stream_index in texts:
                    texts[packet.stream_index].gather(packet)
                    continue
                track = self._tracks.get(packet.stream_index)
                if track is None:
                    if packet.pts is not None:
                        time_s = packet.pts * packet.time_base - self._file_zero_s
                        self._newest_picture_s = max(self._newest_picture_s, time_s)
                        yield time_s, None
                    continue
                if packet.is_discard and track.has_begun:
                    continue  # cut out by an edit list
                for ready in track.unwrap(packet):
                    begin_s, end_s = track.place(ready)
                    if begin_s < self._end_s and (end_s > 0 or not self._is_cut):
                        yield begin_s, ready
        except FFmpegError as exc:
            self.warnings.append(f"the sound of {self._name} breaks off ({exc.strerror})")


class _Track:
    """Moves the packets of one audio stream to their places in the output."""

    def __init__(
        self,
        source: AudioStream,
        target: AudioStream,
        zero_s: Fraction,
    ) -> None:
        self.source = source
        self._target = target
        self._time_base = source.time_base or Fraction(1, 48_000)
        self._shift = -round(zero_s / self._time_base)
        self.has_begun = False
        """Whether sound has come that is heard; what precedes it is the run-up of the decoder."""
        self._earliest: int | None = None
        self.unwrap = unwrapper_of(source)

    def place(self, packet: Packet[Stream]) -> tuple[Fraction, Fraction]:
        """Set the packet's stream and times, strictly increasing; return its begin and end in s."""
        assert packet.dts is not None
        self.has_begun = self.has_begun or not packet.is_discard
        dts = packet.dts + self._shift
        delay = 0 if packet.pts is None else packet.pts - packet.dts
        if self._earliest is not None:
            dts = max(dts, self._earliest)
        duration = packet.duration or 0
        self._earliest = dts + 1
        packet.dts, packet.pts = dts, dts + delay
        packet.stream = self._target
        return dts * self._time_base, (dts + delay + duration) * self._time_base


def _pictures_in(container: InputContainer, name: str) -> list[VideoStream]:
    """Return the track whose pictures are shown; none where there is none."""
    try:
        return [main_video_stream(container, name)]
    except SourceFormatError:
        return []


def _names_of_lost(container: InputContainer) -> list[str]:
    """Return what a file holds beside pictures, sound and text: an MP4 of ours has none of it."""
    lost = [
        f"captions that are pictures ({captions.codec_context.name})"
        for captions in container.streams.subtitles
        if captions.codec_context and captions.codec_context.name not in TEXT_CODECS
    ]
    if chapters := container.chapters():
        lost.append(f"chapters ({len(chapters)})")
    others = [*container.streams.data, *container.streams.attachments]
    if others:
        lost.append(f"tracks of data or attached files ({len(others)})")
    return lost


def _open(path: str | Path, *, playlists: bool) -> InputContainer:
    if isinstance(path, str):
        return open_url(path, timeouts_s=_NETWORK_TIMEOUTS_S, playlists=playlists)
    return open_file(path, playlists=playlists)
