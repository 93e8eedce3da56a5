"""A fragmented MP4 counted again and made into a plain one that starts fast, without encoding."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from stream.errors import OutputError
from stream.sinks.captions import Captions
from stream.sinks.trial import keep_disposition
from stream.whole_files import written_whole

if TYPE_CHECKING:
    from av.container.core import Chapter

__all__ = ["Amounts", "amount_in", "check_whole", "finish_mp4"]

Amounts = Counter[int]
"""What the tracks of a file hold, by their index: pictures, or bytes of sound."""


def amount_in(packet: Packet[Stream]) -> int:
    """Return what a packet adds to the :data:`Amounts` of its track.

    Sound is counted in bytes, as MP4s divide it into packets in their own way.
    """
    if packet.stream.type == "video":
        return 0 if packet.is_corrupt else 1
    return packet.size


def finish_mp4(
    path: Path,
    target: Path,
    *,
    timescales: dict[str, str],
    times: Sequence[int],
    written: Amounts,
    captions: Sequence[Captions] = (),
    chapters: Sequence[tuple[Fraction, str]] = (),
) -> None:
    """Make of the fragmented file ``path`` a plain MP4 with the same packets and times.

    It is written under a name of its own and takes the place of ``target`` in one step, so that at
    every moment what is there is whole.

    Args:
        path: The file.
        target: Where the plain one goes: ``path`` itself, or an earlier recording.
        timescales: Muxer options that hold its times exactly.
        times: When each picture is shown, and when the last one ends, in ticks of its track.
        written: What was handed over to be written to it.
        captions: What to show as text beside; a file of fragments has none.
        chapters: When each begins, in seconds, and what it is called; in order.

    Raises:
        OutputError: ``path`` holds less than was handed over; it is untouched.
        FFmpegError, OSError: The new file could not be written; the old one is untouched.
    """
    with written_whole(target) as finished:
        found = _copy(path, finished, timescales, times, captions, chapters)
        _compare(path, found, written)
        _check_index(finished, found)


def check_whole(path: Path, written: Amounts) -> None:
    """Make sure that a file holds what was handed over to be written to it.

    FFmpeg drops without a word what it cannot write while it closes a file of fragments.

    Raises:
        OutputError: It holds less; the message says how many frames are whole.
    """
    found: Amounts = Counter()
    try:
        with av.open(f"file:{path}") as container:
            for packet in container.demux():
                found[packet.stream_index] += amount_in(packet) if packet.dts is not None else 0
    except (FFmpegError, OSError):
        pass  # what could be read until then counts
    _compare(path, found, written)


def _compare(path: Path, found: Amounts, written: Amounts) -> None:
    if not written - found:
        return
    num_whole, num_written = found[0], written[0]
    if num_whole < num_written:
        fault = f"only {num_whole} of its {num_written} frames are whole"
    else:
        fault = f"its {num_whole} frames are whole, but some of its sound is missing"
    raise OutputError(
        f"{path}: {fault}: the rest never reached the disk, which may be full; "
        "free some space or write elsewhere"
    )


def _check_index(path: Path, expected: Amounts) -> None:
    """Make sure that a plain MP4 lists the pictures that it should, and ends where its boxes do."""
    with av.open(f"file:{path}") as container:
        num_listed = container.streams.video[0].frames
    if num_listed != expected[0] or _end_of_boxes(path) != path.stat().st_size:
        raise OSError(0, "the finished file is not whole", str(path))


def _end_of_boxes(path: Path) -> int:
    """Return where the last top-level box ends by its own words (ISO/IEC 14496-12, 4.2)."""
    end, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while end < size:
            file.seek(end)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:], "big")
            end += max(length, 8)
    return end


def _copy(
    source: Path,
    target: Path,
    timescales: dict[str, str],
    times: Sequence[int],
    captions: Sequence[Captions],
    chapters: Sequence[tuple[Fraction, str]],
) -> Amounts:
    found: Amounts = Counter()
    first_dts: int | None = None
    with (
        av.open(f"file:{source}") as fragmented,
        av.open(
            f"file:{target}",
            "w",
            format="mp4",
            container_options={"movflags": "faststart", **timescales},
        ) as plain,
    ):
        plain.metadata.update(fragmented.metadata)
        streams = {}
        for stream in fragmented.streams:
            # "opaque" copies the parameters without looking for an encoder to go with them.
            streams[stream.index] = plain.add_stream_from_template(stream, opaque=True)
            streams[stream.index].metadata.update(stream.metadata)
            keep_disposition(streams[stream.index], stream)
        texts = [(track, track.add_to(plain)) for track in captions]
        end_s = times[-1] * (fragmented.streams.video[0].time_base or Fraction())
        if chapters:
            plain.set_chapters(_as_chapters(chapters, end_s))
        for track, text in texts:
            plain.mux(track.packets(text, end_s))
        for packet in fragmented.demux():
            if packet.dts is None:  # the empty one that ends a stream
                continue
            found[packet.stream_index] += amount_in(packet)
            if packet.stream.type == "video":
                first_dts = packet.dts if first_dts is None else first_dts
                is_last = found[packet.stream_index] == len(times) - 1
                packet.duration = _length_of(packet, times, first_dts if is_last else None)
            packet.stream = streams[packet.stream_index]
            plain.mux(packet)
    return found


def _as_chapters(chapters: Sequence[tuple[Fraction, str]], end_s: Fraction) -> list[Chapter]:
    if chapters[0][0] > 0:  # an MP4 has its first chapter begin with it
        chapters = [(Fraction(), "beginning"), *chapters]
    starts_ms = [round(1000 * start_s) for start_s, _ in chapters]
    return [
        {
            "id": number,
            "start": start_ms,
            "end": max(start_ms, end_ms),
            "time_base": Fraction(1, 1000),
            "metadata": {"title": title},
        }
        for number, ((_, title), start_ms, end_ms) in enumerate(
            zip(chapters, starts_ms, [*starts_ms[1:], round(1000 * end_s)], strict=True)
        )
    ]


def _length_of(packet: Packet[Stream], times: Sequence[int], first_dts: int | None) -> int:
    """Return for how many ticks a picture is shown, or what an MP4 stores of the last one.

    Fragments tell the distance to the next packet, which is not the picture's length where packets
    are not in the order of display.

    Args:
        packet: The picture's packet.
        times: When each picture is shown, and when the last one ends.
        first_dts: Of the packet that is decoded last, the time at which the first one is decoded:
            the lengths of all add up to the time from there to the end.
    """
    assert packet.pts is not None
    assert packet.dts is not None
    following = min(bisect_right(times, packet.pts), len(times) - 1)
    length = times[following] - packet.pts
    if first_dts is None:
        return length
    return max(length, times[-1] - times[0] + first_dts - packet.dts)
