"""Subtitles, read back by other programs."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
import webvtt

from stream.annotation.moments import Stretch
from stream.errors import OutputError
from stream.tables.subtitles import write_srt, write_vtt

THIRTIETH = Fraction(1001, 30000)


def _stretch(tier: str, hand: str | None, start: int, end: int, value: str) -> Stretch:
    return Stretch(
        tier=tier,  # type: ignore[arg-type]
        hand=hand,  # type: ignore[arg-type]
        start_s=start * THIRTIETH,
        end_s=end * THIRTIETH,
        value=value,
    )


STRETCHES = [
    _stretch("most focused head", "right", 0, 20, "3"),
    _stretch("phase", "right", 0, 10, "hold"),
    _stretch("phase", "right", 10, 20, "movement"),
    _stretch("not seen", "left", 5, 20, "left the picture <&>"),
    _stretch("dominant hand", None, 30, 120_000, "right"),
    _stretch("handshape change", "right", 3, 4, ""),
]
EXPECTED = [
    ("00:00:00.000", "00:00:00.167", "right hand: hold, head 3"),
    (
        "00:00:00.167",
        "00:00:00.334",
        "right hand: hold, head 3\nleft hand: not seen (left the picture <&>)",
    ),
    (
        "00:00:00.334",
        "00:00:00.668",
        "right hand: movement, head 3\nleft hand: not seen (left the picture <&>)",
    ),
    ("00:00:01.001", "01:06:44.000", "dominant hand: right"),
]


def test_webvtt_reads_the_words_of_both_hands(tmp_path: Path) -> None:
    path = tmp_path / "b.vtt"
    write_vtt(path, STRETCHES)
    found = [
        (
            cue.start,
            cue.end,
            cue.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        )
        for cue in webvtt.read(str(path)).captions
    ]
    assert found == EXPECTED


def test_ffmpeg_reads_both_alike(tmp_path: Path) -> None:
    def read(path: Path) -> str:
        command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "webvtt", "-"]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    write_vtt(tmp_path / "b.vtt", STRETCHES[:3] + STRETCHES[4:])
    write_srt(tmp_path / "b.srt", STRETCHES[:3] + STRETCHES[4:])
    assert "right hand: hold, head 3" in read(tmp_path / "b.vtt")
    assert read(tmp_path / "b.vtt") == read(tmp_path / "b.srt")


def test_webvtt_reads_subrip_too(tmp_path: Path) -> None:
    write_srt(tmp_path / "b.srt", STRETCHES)
    found = [
        (cue.start, cue.end, cue.text) for cue in webvtt.from_srt(str(tmp_path / "b.srt")).captions
    ]
    without = [(start, end, text.replace("<&>", "")) for start, end, text in EXPECTED]
    assert found == without  # it takes <&> for a mark, and SubRip has no way to say that it is none


def test_without_a_stretch_there_is_a_file_without_cues(tmp_path: Path) -> None:
    write_vtt(tmp_path / "b.vtt", [])
    assert len(webvtt.read(str(tmp_path / "b.vtt"))) == 0


def test_what_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write it"):
        write_vtt(tmp_path / "no" / "b.vtt", STRETCHES)
