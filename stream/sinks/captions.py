"""Captions of a file as an MP4 holds them: timed text (3GPP TS 26.245), whatever they were."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

__all__ = ["TEXT_CODECS", "Captions"]

TEXT_CODECS = frozenset({"mov_text", "srt", "subrip", "text", "webvtt", "ass", "ssa"})
"""FFmpeg's names of captions that are text; the others are pictures, which an MP4 does not hold."""

_MARKS = re.compile(r"\{\\[^}]*\}|</?[a-zA-Z][^<>]*>")
"""Of italics, colours and places, in SubStation Alpha and in SubRip and WebVTT."""
_TEXT_FIELD = 8
"""Commas before the text of a SubStation Alpha event in Matroska."""
_TIME_BASE = Fraction(1, 1000)
_PLAIN = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n" + (
    b"Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\n"
    b"Style: Default,Arial,16,&Hffffff,2\n\n"
    b"[Events]\nFormat: Layer, Start, End, Style, Text\n"
)
"""How FFmpeg wants to be told of white letters at the bottom."""


class Captions:
    """One track of captions, gathered while a file is read, and written when that is done.

    They are short enough for memory. As timed text has one caption at a time, those that overlap
    are shown together; italics, colours and places are lost.

    Args:
        source: The track; its file may be closed then.
        zero_s: Moment of the file that is time 0 in the output.
    """

    def __init__(self, source: SubtitleStream, zero_s: Fraction) -> None:
        self._codec = source.codec_context.name
        self._metadata = dict(source.metadata)
        self._zero_s = zero_s
        self._shown: list[tuple[Fraction, Fraction, str]] = []

    def gather(self, packet: Packet[Stream]) -> None:
        """Take note of a caption."""
        if packet.pts is None or not (text := _text_in(bytes(packet), self._codec)):
            return
        begin_s = packet.pts * packet.time_base - self._zero_s
        self._shown.append((begin_s, begin_s + (packet.duration or 0) * packet.time_base, text))

    def add_to(self, output: OutputContainer) -> SubtitleStream:
        """Add a track for the captions to an MP4."""
        target = output.add_stream("mov_text")
        assert isinstance(target, SubtitleStream)
        target.codec_context.subtitle_header = _PLAIN
        target.time_base = target.codec_context.time_base = _TIME_BASE
        target.metadata.update(self._metadata)
        return target

    def packets(self, target: SubtitleStream, end_s: Fraction) -> Iterator[Packet[Stream]]:
        """Yield the captions from 0 to ``end_s``, without gaps: between them are empty ones."""
        waiting = sorted(
            (max(0, round(begin_s / _TIME_BASE)), round(min(until_s, end_s) / _TIME_BASE), text)
            for begin_s, until_s, text in self._shown
        )
        waiting = [caption for caption in waiting if caption[0] < caption[1]]
        changes = {0, *(time for begin, until, _ in waiting for time in (begin, until))}
        shown: list[tuple[int, int, str]] = []
        for time, following in pairwise(sorted(changes)):
            shown = [caption for caption in shown if caption[1] > time]
            while waiting and waiting[0][0] <= time:
                shown.append(waiting.pop(0))
            text = "\n".join(text for _, until, text in shown if until > time)
            content = text.encode()[:0xFFFF].decode(errors="ignore").encode()  # whole letters
            # TS 26.245, 5.17: the length in bytes, then UTF-8.
            packet: Packet[Stream] = Packet(struct.pack(">H", len(content)) + content)
            packet.stream, packet.time_base = target, _TIME_BASE
            packet.pts = packet.dts = time
            packet.duration = following - time
            yield packet


def _text_in(content: bytes, codec: str) -> str:
    if codec == "mov_text":
        content = content[2 : 2 + int.from_bytes(content[:2], "big")]
    text = content.decode("utf-8", errors="replace").rstrip("\0")
    if codec in ("ass", "ssa"):
        text = text.split(",", _TEXT_FIELD)[-1].replace(r"\N", "\n").replace(r"\n", "\n")
    return _MARKS.sub("", text).replace("\r\n", "\n").strip()
