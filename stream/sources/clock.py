"""One clock for pictures and sound of a file that was joined of several recordings.

MPEG streams may be joined end to end (``cat a.ts b.ts``), and their times then begin anew, or jump,
in the middle of the file. The file is read through once, without decoding, to find its parts. Each
part follows on where the longest stream of the part before ends, for all streams alike, so that
sound and picture of one moment stay together.
"""

from __future__ import annotations

from bisect import bisect_right
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from stream.sources.media import PLAYLISTS, open_file

__all__ = ["Clock", "clock_of"]

_TIMES_MAY_JUMP = 0x0200
"""AVFMT_TS_DISCONT of FFmpeg: what it says of formats such as MPEG-TS."""
_BACK_S = Fraction(1, 2)
"""A step back longer than this begins another part; a shorter one is disorder."""
_FORWARD_S = Fraction(60)
"""A step forward longer than this, in which no stream has anything, begins another part. A shorter
one is a standing picture, or a moment without reception."""
_NEAR_S = Fraction(10)
"""Streams of one part begin no further apart than this."""


@dataclass(slots=True)
class _Part:
    """A recording: when it begins and ends by its own clock, and where that moment goes."""

    begin_s: Fraction
    end_s: Fraction
    shift_s: Fraction = Fraction(0)


@dataclass(slots=True)
class _StreamParts:
    """Which parts a stream has packets in, by the place in the file where each begins."""

    places: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    last_s: Fraction = Fraction(0)
    length_s: Fraction = Fraction(0)
    place: int = 0


class Clock:
    """Moves the times of packets, in the order of the file, onto one timeline without jumps.

    A clock that knows of no parts leaves all times alone. Used by one thread at a time.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        """What was done to times that a person may not expect, one line each."""
        self._parts: list[_Part] = []
        self._streams: dict[int, _StreamParts] = {}

    @property
    def has_jumps(self) -> bool:
        """Whether times have to be moved: such a file can be read from its beginning only."""
        return len(self._parts) > 1

    @property
    def duration_s(self) -> float | None:
        """Length of all parts in seconds; None where they are not known."""
        if not self._parts:
            return None
        return float(sum((part.end_s - part.begin_s for part in self._parts), Fraction(0)))

    def move(self, packet: Packet[Any]) -> bool:
        """Move the packet's own times, ``pts`` and ``dts``, in place.

        Returns:
            False for a packet that comes too late: where the numbers of streams change, FFmpeg
            keeps the last one before until the end of the file.
        """
        if not self.has_jumps or packet.stream_index not in self._streams:
            return True
        stream = self._streams[packet.stream_index]
        # The parser of a stream cuts packets up, and only the first of them knows its place.
        if packet.pos is not None:
            if packet.pos < stream.place:
                return False
            stream.place = packet.pos
        at = max(0, bisect_right(stream.places, stream.place) - 1)
        ticks = round(self._parts[stream.parts[at]].shift_s / packet.time_base)
        if packet.dts is not None:
            packet.dts += ticks
        if packet.pts is not None:
            packet.pts += ticks
        return True

    def learn(self, container: InputContainer) -> None:
        """Read a container to its end, and find the parts that it was joined of."""
        try:
            for packet in container.demux():
                if packet.dts is not None:
                    self._note(packet)
        except FFmpegError:
            pass  # what is broken is told by who reads it in earnest
        for stream in self._streams.values():
            stream.place = 0
        for before, part in zip(self._parts, self._parts[1:], strict=False):
            part.shift_s = before.end_s + before.shift_s - part.begin_s
            at_s = float(before.end_s + before.shift_s - self._parts[0].begin_s)
            jump_s = float(part.begin_s - before.end_s)
            step = f"jump forward by {jump_s:.0f} s" if jump_s > 0 else "begin anew"
            self.warnings.append(f"times {step} at {at_s:.2f} s: what follows was joined on there")

    def _note(self, packet: Packet[Stream]) -> None:
        assert packet.dts is not None
        time_base = packet.time_base
        begin_s = (packet.dts if packet.pts is None else packet.pts) * time_base
        dts_s = packet.dts * time_base
        stream = self._streams.setdefault(packet.stream_index, _StreamParts())
        if packet.pos is not None and packet.pos < stream.place:
            return
        if packet.duration:
            stream.length_s = packet.duration * time_base
        elif stream.parts and 0 < dts_s - stream.last_s < _BACK_S:
            # No lengths, or none of the last packet before a joint: as far as the last step.
            stream.length_s = dts_s - stream.last_s
        end_s = begin_s + stream.length_s
        stream.place = packet.pos if packet.pos is not None else stream.place
        if not stream.parts:
            self._enter(stream, self._part_for(begin_s, 0), begin_s)
        elif dts_s < stream.last_s - _BACK_S or self._is_beyond(stream, dts_s):
            self._enter(stream, self._part_for(begin_s, stream.parts[-1] + 1), begin_s)
        stream.last_s = dts_s
        part = self._parts[stream.parts[-1]]
        part.begin_s, part.end_s = min(part.begin_s, begin_s), max(part.end_s, end_s)

    def _is_beyond(self, stream: _StreamParts, dts_s: Fraction) -> bool:
        return dts_s > self._parts[stream.parts[-1]].end_s + _FORWARD_S

    def _part_for(self, begin_s: Fraction, first: int) -> int:
        """Return the part, from number ``first`` on, to which a stream's new times belong."""
        for number in range(len(self._parts) - 1, first - 1, -1):
            part = self._parts[number]
            if part.begin_s - _NEAR_S < begin_s < part.end_s + _FORWARD_S:
                return number
        return len(self._parts)

    def _enter(self, stream: _StreamParts, number: int, begin_s: Fraction) -> None:
        if number == len(self._parts):
            self._parts.append(_Part(begin_s, begin_s))
        stream.places.append(stream.place if stream.parts else 0)
        stream.parts.append(number)


def clock_of(path: Path, container: InputContainer) -> Clock:
    """Return the clock of a file; its packets are read once, where its format may jump in time.

    Args:
        path: The file.
        container: The same, open; it is not read.
    """
    is_playlist = container.format.name in PLAYLISTS  # FFmpeg sets its parts in order
    if is_playlist or not container.format.flags & _TIMES_MAY_JUMP or not path.is_file():
        return Clock()
    status = path.stat()
    # A copy: each reader stands at a place of its own.
    return deepcopy(_learnt(path.resolve(), status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=2)  # picture and sound are read by two readers
def _learnt(path: Path, _changed_ns: int, _size: int) -> Clock:
    clock = Clock()
    with open_file(path) as container:
        clock.learn(container)
    return clock
