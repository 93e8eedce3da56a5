"""Captions that come along as timed text, at the times at which they were."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import av
import pytest

from tests.clips import make_clip
from tests.stream.mp4_files import copy_video
from tests.waits import PROCESS_S

_CAPTIONS = """\
1
00:00:00,200 --> 00:00:01,000
<i>one</i> & < two

2
00:00:00,600 --> 00:00:01,500
over
lap \u00e4\u00f6

3
00:00:02,500 --> 00:00:09,000
beyond the end
"""
_SHOWN = [
    (200, 600, "one & < two"),
    (600, 1000, "one & < two\nover\nlap \u00e4\u00f6"),
    (1000, 1500, "over\nlap \u00e4\u00f6"),
    (2500, 3000, "beyond the end"),
]


@pytest.mark.parametrize("codec", ["srt", "ass", "webvtt"])
def test_text_is_kept_with_its_times_and_language(tmp_path: Path, codec: str) -> None:
    clip = with_captions(tmp_path / "clip.mkv", codec)
    assert copy_video(clip, tmp_path / "out.mp4") == []
    assert shown_in(tmp_path / "out.mp4") == _SHOWN
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.subtitles[0].metadata["language"] == "isl"
        assert container.streams.video[0].frames == 90
        assert len(container.streams.audio) == 1


def test_of_an_mp4_and_without_sound(tmp_path: Path) -> None:
    clip = with_captions(tmp_path / "clip.mp4", "mov_text", sound=False)
    copy_video(clip, tmp_path / "out.mp4")
    # Timed text has one at a time: the first ends where the second begins.
    assert shown_in(tmp_path / "out.mp4") == [
        (200, 600, "one & < two"),
        (600, 1500, "over\nlap \u00e4\u00f6"),
        (2500, 3000, "beyond the end"),
    ]


def test_a_part_takes_its_own(tmp_path: Path) -> None:
    clip = with_captions(tmp_path / "clip.mkv", "srt")
    copy_video(clip, tmp_path / "out.mp4", start_s=0.8, end_s=2.0)
    assert shown_in(tmp_path / "out.mp4") == [
        (0, 200, "one & < two\nover\nlap \u00e4\u00f6"),
        (200, 700, "over\nlap \u00e4\u00f6"),
    ]


def test_a_second_reader_finds_them(tmp_path: Path) -> None:
    clip = with_captions(tmp_path / "clip.mkv", "srt")
    copy_video(clip, tmp_path / "out.mp4")
    found = ffmpeg(f"-i {tmp_path / 'out.mp4'} -map 0:s -f srt -").replace("\r\n", "\n")
    assert "00:00:02,500 --> 00:00:03,000" in found
    assert "over\nlap \u00e4\u00f6" in found


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=one\n")
    clip = make_clip(tmp_path / "plain.mp4", num_frames=60, audio_codec="aac")
    ffmpeg(f"-i {clip} -i {chapters} -map 0 -map_metadata 1 -c copy {tmp_path / 'clip.mkv'}")
    assert copy_video(tmp_path / "clip.mkv", tmp_path / "out.mp4") == [
        "of clip.mkv is left out: chapters (1)"
    ]


def with_captions(path: Path, codec: str, *, sound: bool = True) -> Path:
    """Write three seconds with captions that overlap and go on too long."""
    texts = path.with_suffix(".srt")
    texts.write_text(_CAPTIONS, encoding="utf-8")
    clip = path.with_name(f"plain-{path.name}")
    make_clip(clip, num_frames=90, audio_codec="flac" if sound else None)
    ffmpeg(
        f"-i {clip} -i {texts} -map 0 -map 1 -c copy -c:s {codec} -metadata:s:s:0 language=isl"
        f" {path}"
    )
    return path


def shown_in(path: Path) -> list[tuple[int, int, str]]:
    """Return begin and end in ms and text of what is shown."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        assert stream.time_base is not None
        ms = 1000 * stream.time_base
        return [
            (
                round(packet.pts * ms),
                round((packet.pts + (packet.duration or 0)) * ms),
                bytes(packet)[2:].decode("utf-8"),
            )
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size > 2
        ]


def ffmpeg(words: str) -> str:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg, which puts captions into a clip, is not installed")
    run = subprocess.run(
        ["ffmpeg", "-v", "error", *words.split()],
        check=True,
        capture_output=True,
        timeout=PROCESS_S,
    )
    return run.stdout.decode("utf-8")
