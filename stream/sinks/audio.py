"""Sound and captions of a file, copied packet by packet beside pictures that are made anew."""

from __future__ import annotations

import math
from collections import deque
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
from stream.sinks.silence import silence_like
from stream.sinks.trial import add_sound, first_sound, mp4_holds, unwrapper_of
from stream.sources.clock import Clock, clock_of
from stream.sources.media import open_file
from stream.sources.network import hide_password, open_url
from stream.sources.tracks import main_video_stream

__all__ = ["AudioCopy"]

_TAIL_S = 10
"""Sound that goes on for longer than this without a picture shows that the pictures are over."""
_MAX_BEHIND_S = 5
"""Sound is stored no further behind the pictures of its time."""
_SAME_TIME_S = Fraction(1, 1000)
"""Picture times closer than this are one: the output's ticks may round the file's."""
_MAX_GAPS_S = Fraction(1, 10)
"""Gaps in sound that are longer in all are told of: somebody sees that lips and voice differ."""

_NETWORK_TIMEOUTS_S = (10.0, 30.0)
"""Longest waits for a server to answer, and to go on: it sends only when pictures are done."""


class AudioCopy:
    """Hands out the audio packets of a file, unchanged, as the pictures advance.

    Where pictures go on with another moment of the file, their sound does: the file is opened
    anew for each such turn, of which the first is at time 0. Sound before time 0 is left out.
    Captions that are text are gathered on the way; what is lost beside is told.

    Holds one packet at a time (at the very end those of ten seconds) and all captions, which are
    short, however long the file. All audio streams that an MP4 can hold are copied. Times are in
    seconds of the output.

    Args:
        path: The file; a string is the URL of one.
        output: MP4 that the packets are for; its header is not written yet.
        turns: From which time on what follows is of which moment of the file, None for silence;
            in order. Each is taken as the pictures come to it.
        end_s: Moment of the file to stop at; None for its end.
        playlists: Open what it names, where it is a playlist.
        is_sound_alone: Silence is packets, too; captions are not wanted, nor a word of what else is
            left out.
    """

    def __init__(
        self,
        path: str | Path,
        output: OutputContainer,
        *,
        turns: deque[tuple[Fraction, Fraction | None]],
        end_s: Fraction | None,
        playlists: bool = False,
        is_sound_alone: bool = False,
    ) -> None:
        self.warnings: list[str] = []
        """What could not be copied, one line each."""
        self._path = path
        self._playlists = playlists
        self._name = hide_password(path) if isinstance(path, str) else path.name
        self._turns = turns
        self._end_s = math.inf if end_s is None else end_s
        self._is_sound_alone = is_sound_alone
        self._newest_picture_s: Fraction | float = -math.inf
        self._tracks: dict[int, _Track] = {}
        self._captions: dict[int, Captions] = {}
        self._packets: Iterator[tuple[Fraction, Packet[Stream] | None]] = iter(())
        self._next: tuple[Fraction, Packet[Stream] | None] | None = None
        self._container: InputContainer | None = None
        try:
            with self._open() as container:
                self._add_tracks(container, output)
                if not is_sound_alone:
                    self._look_beside(container)
        except (FFmpegError, OSError) as exc:
            self._warn(f"the sound of {self._name} is left out ({exc.strerror})")

    @property
    def captions(self) -> list[Captions]:
        """What is shown as text; complete after the last packet."""
        return list(self._captions.values())

    def _open(self) -> InputContainer:
        if isinstance(self._path, str):
            return open_url(self._path, timeouts_s=_NETWORK_TIMEOUTS_S, playlists=self._playlists)
        return open_file(self._path, playlists=self._playlists)

    def _add_tracks(self, container: InputContainer, output: OutputContainer) -> None:
        """Add to the output the tracks that it can hold; say of others why they are left out.

        What cannot be read again would take the whole file with it.
        """
        packets, is_whole = first_sound(container) if container.streams.audio else ({}, True)
        for stream in container.streams.audio:
            codec = stream.codec_context
            name = codec.codec.canonical_name if codec else "unknown"
            what = f"the {name} sound of {self._name} is left out"
            if is_whole and not packets[stream.index]:
                self._warn(f"{what}: nothing can be read of its track {stream.index}")
            elif mp4_holds(stream, packets[stream.index]):
                self._tracks[stream.index] = _Track(stream, add_sound(output, stream))
            else:
                rate = f" ({codec.sample_rate} Hz)" if codec else ""
                self._warn(f"{what}: an MP4 file cannot hold it as it is{rate}")

    def _look_beside(self, container: InputContainer) -> None:
        """Take note of captions, and tell what else a file holds that an MP4 of ours does not."""
        at_s, to_s = self._turns[0]
        zero_s = _start_of(container) + (to_s or 0) - at_s
        for captions in container.streams.subtitles:
            if captions.codec_context and captions.codec_context.name in TEXT_CODECS:
                self._captions[captions.index] = Captions(captions, zero_s)
        if lost := _names_of_lost(container):
            self._warn(f"of {self._name} is left out: {', '.join(lost)}")

    def _warn(self, line: str) -> None:
        if line not in self.warnings:  # it may be so at every turn
            self.warnings.append(line)

    def packets_until(self, time_s: Fraction) -> Iterator[Packet[Stream]]:
        """Yield the packets that begin before ``time_s`` and were not handed out before."""
        while self._turns and self._turns[0][0] <= time_s:
            at_s, to_s = self._turns.popleft()
            yield from self._packets_before(at_s, at_most_behind_s=_MAX_BEHIND_S)
            yield from self._silence(at_s)
            self._turn(at_s, to_s)
        yield from self._packets_before(time_s)
        yield from self._silence(time_s)

    def _packets_before(
        self, time_s: Fraction, *, at_most_behind_s: int = 0
    ) -> Iterator[Packet[Stream]]:
        """Yield packets that begin before a time; some may be stored behind what is later."""
        while self._next is not None and self._next[0] < time_s + at_most_behind_s:
            if self._next[1] is not None and self._next[0] < time_s:
                yield self._placed(self._next[1])
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
        yield from self.packets_until(last_picture_s)
        tail: list[Packet[Stream]] = []
        while self._next is not None:
            time_s, packet = self._next
            if packet is None:
                if not self._tracks and self._has_picture_after(last_picture_s):
                    break
            elif time_s < picture_end_s:
                yield self._placed(packet)
            elif self._has_picture_after(last_picture_s):
                break
            elif time_s < picture_end_s + _TAIL_S:
                tail.append(packet)
            else:
                yield from map(self._placed, tail)
                tail.clear()
                yield self._placed(packet)
            self._next = next(self._packets, None)
        if not self._has_picture_after(last_picture_s):
            yield from map(self._placed, tail)
        yield from self._silence(picture_end_s)
        for track in self._tracks.values():
            if track.is_empty:  # of some codecs there could be no header, and so no file
                yield from track.silence(picture_end_s)

    def close(self) -> None:
        """Close the file; harmless when called again."""
        self._next, self._packets = None, iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    def _placed(self, packet: Packet[Stream]) -> Packet[Stream]:
        track = self._tracks[packet.stream_index]
        track.place(packet)
        if self._is_sound_alone and track.gaps_s > _MAX_GAPS_S:
            self._warn(
                f"the sound of {self._name} may drift from the picture in some players: it has "
                f"gaps, as no silence can be made in {track.codec}"
            )
        return packet

    def _has_picture_after(self, time_s: Fraction) -> bool:
        return self._newest_picture_s > time_s + _SAME_TIME_S

    def _silence(self, until_s: Fraction) -> Iterator[Packet[Stream]]:
        """Yield silence where a recording of a view has no sound.

        Browsers play what a track has without a gap, whatever its times. Nor has a file of
        fragments a header before each of its tracks has begun.
        """
        if not self._is_sound_alone:
            return
        if self._next is not None:  # there may be some, stored behind its pictures
            until_s -= _MAX_BEHIND_S
        for track in self._tracks.values():
            yield from track.silence(until_s)

    def _turn(self, at_s: Fraction, to_s: Fraction | None) -> None:
        """Read on, for what is at a time of the output, from a moment of the file."""
        self.close()
        self._newest_picture_s = -math.inf
        if to_s is None or not (self._tracks or self._captions):
            return
        try:
            self._container = self._open()
        except (FFmpegError, OSError) as exc:
            self._warn(f"the sound of {self._name} breaks off ({exc.strerror})")
            return
        self._packets = self._read(self._container, at_s, to_s)
        self._next = next(self._packets, None)

    def _read(
        self, container: InputContainer, at_s: Fraction, to_s: Fraction
    ) -> Iterator[tuple[Fraction, Packet[Stream] | None]]:
        """Yield packets for the output with their times, and None for pictures that pass by."""
        # Of the whole file even the run-up of a decoder is kept.
        first_s = at_s if at_s or to_s else -math.inf
        zero_s = _start_of(container) + to_s - at_s
        try:
            clock = Clock() if isinstance(self._path, str) else clock_of(self._path, container)
            if to_s and not clock.has_jumps:
                # Somewhat earlier: sound and picture of one moment may be stored apart.
                container.seek(math.floor((zero_s + at_s - 1) * av.time_base))
            for stream in container.streams.audio:
                if stream.index in self._tracks:
                    self._tracks[stream.index].turn(stream, zero_s)
            pictures = _pictures_in(container, self._name)
            for packet in container.demux(*pictures, *self._tracks, *self._captions):
                if packet.dts is None:  # the empty one that ends the stream
                    continue
                if not clock.move(packet):
                    continue
                if packet.stream_index in self._captions:
                    self._captions[packet.stream_index].gather(packet)
                    continue
                track = self._tracks.get(packet.stream_index)
                if track is None:
                    if packet.pts is not None:
                        time_s = packet.pts * packet.time_base - zero_s
                        self._newest_picture_s = max(self._newest_picture_s, time_s)
                        yield time_s, None
                    continue
                if packet.is_discard and track.has_begun:
                    continue  # cut out by an edit list
                for ready in track.unwrap(packet):
                    begin_s, end_s = track.span_of(ready)
                    is_asked_for = begin_s + zero_s < self._end_s and end_s > first_s
                    if is_asked_for and begin_s >= track.free_from_s:
                        yield begin_s, ready
        except FFmpegError as exc:
            self._warn(f"the sound of {self._name} breaks off ({exc.strerror})")


class _Track:
    """Moves the packets of one audio stream to their places in the output."""

    def __init__(self, source: AudioStream, target: AudioStream) -> None:
        self._target = target
        self._time_base = source.time_base or Fraction(1, 48_000)
        self._silent = silence_like(source)
        self.codec = source.codec_context.codec.canonical_name
        self._length_s = Fraction(0)
        self._shift = 0
        self._earliest: int | None = None
        self._end_s: Fraction | float = -math.inf
        self.has_begun = False
        """Whether sound has come that is heard; what precedes it is the run-up of the decoder."""
        self.free_from_s: Fraction | float = -math.inf
        """Before this is sound of an earlier turn, in seconds."""
        self.gaps_s = Fraction(0)
        """How long there was nothing between packets, for want of silence, in seconds."""

    def turn(self, source: AudioStream, zero_s: Fraction) -> None:
        """Take packets of ``source`` from now on, in which ``zero_s`` is the output's time 0."""
        self.unwrap = unwrapper_of(source)
        self._shift = -round(zero_s / self._time_base)
        # Packets are not cut: one that begins by less than its half too early is the nearest.
        self.free_from_s = self._end_s - self._length_s / 2

    @property
    def is_empty(self) -> bool:
        """Whether nothing was placed."""
        return self._earliest is None

    def silence(self, until_s: Fraction) -> Iterator[Packet[Stream]]:
        """Yield silence from the last sound on, as far as it is over by a time in seconds."""
        if self._silent is None:
            return
        length = round(self._silent.length_s / self._time_base)
        begin = 0 if self._earliest is None else round(Fraction(self._end_s) / self._time_base)
        while (begin + length) * self._time_base <= until_s:
            packet: Packet[Stream] = Packet(self._silent.content)
            packet.time_base, packet.duration = self._time_base, length
            packet.dts = packet.pts = begin - self._shift
            self.place(packet)
            yield packet
            begin += length

    def span_of(self, packet: Packet[Stream]) -> tuple[Fraction, Fraction]:
        """Return when in the output a packet begins and ends, in seconds."""
        assert packet.dts is not None
        self.has_begun = self.has_begun or not packet.is_discard
        end = (packet.dts if packet.pts is None else packet.pts) + (packet.duration or 0)
        return (
            (packet.dts + self._shift) * packet.time_base,
            (end + self._shift) * packet.time_base,
        )

    def place(self, packet: Packet[Stream]) -> None:
        """Set the packet's stream and times, strictly increasing."""
        assert packet.dts is not None
        delay = 0 if packet.pts is None else packet.pts - packet.dts
        dts = packet.dts + self._shift
        if self._earliest is not None:
            dts = max(dts, self._earliest)
        self._earliest = dts + 1
        packet.dts, packet.pts = dts, dts + delay
        begin_s = dts * packet.time_base
        gap_s = begin_s - (0 if self._end_s == -math.inf else Fraction(self._end_s))
        # Begin and end may be rounded; of ALAC in Matroska nobody says how long a packet is.
        if self._silent is None and gap_s > (2 * _SAME_TIME_S if self._length_s else 0.5):
            self.gaps_s += gap_s
        self._length_s = (packet.duration or 0) * packet.time_base
        self._end_s = begin_s + (delay + (packet.duration or 0)) * packet.time_base
        packet.stream = self._target


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


def _start_of(container: InputContainer) -> Fraction:
    """Return what a file's clock shows at the moment 0 of it."""
    return Fraction(container.start_time or 0, av.time_base)
