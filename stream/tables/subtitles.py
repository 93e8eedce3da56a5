"""Stretches as subtitles, for any player: WebVTT and SubRip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from stream.annotation.moments import Stretch, TierKind
from stream.tables.elan.tiers import milliseconds
from stream.whole_files import told_of, written_whole

__all__ = ["write_srt", "write_vtt"]

_WORDS: dict[TierKind, str] = {
    "phase": "{}",
    "not seen": "not seen ({})",
    "most focused head": "head {}",
    "dominant hand": "{}",
}
"""What is said of a stretch, in this order. In view is what has a phase; marks last a frame, and
nobody could read them."""


def write_vtt(path: Path, stretches: Iterable[Stretch]) -> None:
    """Write what both hands do as WebVTT (https://www.w3.org/TR/webvtt1/), whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    cues = (
        f"{_clock(start_ms, '.')} --> {_clock(end_ms, '.')}\n{_escaped(text)}\n"
        for start_ms, end_ms, text in _cues(stretches)
    )
    _write(path, ["WEBVTT\n", *cues])


def write_srt(path: Path, stretches: Iterable[Stretch]) -> None:
    """Write the same as SubRip.

    Raises:
        OutputError: It cannot be written.
    """
    cues = (
        f"{number}\n{_clock(start_ms, ',')} --> {_clock(end_ms, ',')}\n{text}\n"
        for number, (start_ms, end_ms, text) in enumerate(_cues(stretches), start=1)
    )
    _write(path, cues)


def _cues(stretches: Iterable[Stretch]) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and text of cues that do not overlap: a new one wherever a word changes."""
    waiting = sorted(
        (
            (milliseconds(each.start_s), milliseconds(each.end_s), each)
            for each in stretches
            if each.tier in _WORDS
        ),
        key=lambda entry: entry[0],
    )
    edges_ms = sorted({edge for start_ms, end_ms, _ in waiting for edge in (start_ms, end_ms)})
    on: list[tuple[int, Stretch]] = []
    place = 0
    said: tuple[int, int, str] | None = None
    for start_ms, end_ms in pairwise(edges_ms):
        while place < len(waiting) and waiting[place][0] <= start_ms:
            on.append((waiting[place][1], waiting[place][2]))
            place += 1
        on = [entry for entry in on if entry[0] > start_ms]
        text = _text([stretch for _, stretch in on])
        if said and said[1] == start_ms and said[2] == text:
            said = (said[0], end_ms, text)
            continue
        if said and said[2]:
            yield said
        said = (start_ms, end_ms, text)
    if said and said[2]:
        yield said


def _text(on: list[Stretch]) -> str:
    """Return a line for each hand, and one of what both hands do together."""
    lines = []
    for hand in ("right", "left", None):
        words = [
            words.format(each.value)
            for tier, words in _WORDS.items()
            for each in on
            if each.tier == tier and each.hand == hand
        ]
        subject = f"{hand} hand" if hand else "picture"
        if hand is None and any(each.tier == "dominant hand" for each in on):
            subject = "dominant hand"
        if words:
            lines.append(f"{subject}: {', '.join(words)}")
    return "\n".join(lines)


def _clock(time_ms: int, point: str) -> str:
    seconds, rest_ms = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{rest_ms:03d}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _write(path: Path, blocks: Iterable[str]) -> None:
    with told_of(path), written_whole(path) as unfinished:
        unfinished.write_text("\n".join(blocks), encoding="utf-8")
