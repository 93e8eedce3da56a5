"""Files that are cut short, damaged, or no videos at all."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stream.errors import SourceFormatError, SourceNotFoundError
from stream.frames import RgbImage
from stream.sources.file import FileSource
from tests.clips import cut_off, make_audio_only, make_clip
from tests.stream.reading import read_all


def noise(num: int) -> list[RgbImage]:
    """Return pictures that cannot be compressed, so that a cut in the file hits one of them."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (128, 192, 3), dtype=np.uint8) for _ in range(num)]


def noisy_clip(path: Path, num_frames: int) -> Path:
    """Write a clip at 30 frames per second; an MP4 with its index in front."""
    options = {"movflags": "faststart"} if path.suffix == ".mp4" else None
    return make_clip(
        path,
        noise(num_frames),
        time_base=Fraction(1, 30),
        options={"bf": "0"},
        muxer_options=options,
    )


class TestDamage:
    @pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
    def test_a_file_cut_short_yields_what_it_has_and_says_so(
        self, tmp_path: Path, suffix: str
    ) -> None:
        whole = noisy_clip(tmp_path / f"whole.{suffix}", 30)
        with FileSource(cut_off(whole, tmp_path / f"cut.{suffix}", 0.6)) as source:
            frames = read_all(source)
            assert source.read() is None
        assert 15 <= len(frames) <= 20
        assert [round(frame.time_s * 30) for frame in frames] == list(range(len(frames)))
        assert any("damaged" in line or "cut short" in line for line in source.warnings)

    @pytest.mark.parametrize("keep", [0.5, 0.9])
    @pytest.mark.parametrize(
        ("suffix", "words"), [("mp4", "index goes on to"), ("avi", "header tells of")]
    )
    def test_a_file_cut_short_tells_how_long_the_video_was(
        self, tmp_path: Path, keep: float, suffix: str, words: str
    ) -> None:
        whole = noisy_clip(tmp_path / f"whole.{suffix}", 60)
        cut = tmp_path / f"cut.{suffix}"
        with FileSource(cut_off(whole, cut, keep)) as source:
            last = read_all(source)[-1]
        end_s = last.time_s + 1 / 30
        assert source.warnings[-1] == (
            f"{cut} ends at {end_s:.2f} s, though its {words} 2.00 s: the file is cut short"
        )
        with FileSource(whole) as source:
            assert len(read_all(source)) == 60
        assert source.warnings == []

    @pytest.mark.parametrize("tag", [b"00:00:0x.000000000", b"never::"])
    def test_a_length_that_nobody_can_read_is_no_damage(self, tmp_path: Path, tag: bytes) -> None:
        clip = make_clip(tmp_path / "clip.mkv", num_frames=30, time_base=Fraction(1, 1000))
        content = clip.read_bytes()
        assert content.count(b"00:00:01.033000000") + content.count(b"00:00:01.000000000") == 1
        clip.write_bytes(re.sub(rb"00:00:01\.0\d\d000000", tag.ljust(18, b"\0"), content))
        with FileSource(clip) as source:
            assert len(read_all(source)) == 30
            assert source.warnings == []

    def test_only_matroska_tells_its_length_in_a_tag(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mkv", num_frames=30, options={"bf": "0"})
        copy = tmp_path / "copy.nut"
        with av.open(str(clip)) as source, av.open(str(copy), "w") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            stream.metadata["DURATION"] = "01:00:00.000000000"
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        with av.open(str(copy)) as container:
            assert container.streams.video[0].metadata["DURATION"] == "01:00:00.000000000"
        with FileSource(copy) as reader:
            assert len(read_all(reader)) == 30
            assert reader.warnings == []

    def test_a_damaged_packet_is_skipped_and_counted(self, tmp_path: Path) -> None:
        clip = make_clip(
            tmp_path / "clip.avi",
            noise(10),
            codec="mjpeg",
            pix_fmt="yuvj420p",
            time_base=Fraction(1, 30),
        )
        content = bytearray(clip.read_bytes())
        starts = [match.start() for match in re.finditer(b"\xff\xd8\xff", content)]
        length = starts[6] - 8 - starts[5]
        content[starts[5] : starts[5] + length] = bytes(length)
        clip.write_bytes(content)
        with FileSource(clip) as source:
            frames = read_all(source)
            assert len(source.warnings) == 1
        assert "damaged packets were skipped: 1" in source.warnings[0]
        assert [frame.pts for frame in frames] == [0, 1, 2, 3, 4, 6, 7, 8, 9]

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"", "is empty"),
            (b"hello\n" * 100, "not a video"),
            (bytes(range(256)) * 40, "not a video"),
        ],
        ids=["empty", "text", "bytes"],
    )
    def test_what_is_no_video_is_refused(self, tmp_path: Path, content: bytes, fault: str) -> None:
        path = tmp_path / "clip.mp4"
        path.write_bytes(content)
        with pytest.raises(SourceFormatError, match=fault) as caught:
            FileSource(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_text_file_is_no_film_of_a_terminal(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("hello\n" * 100)
        with pytest.raises(SourceFormatError, match="is a text file"):
            FileSource(path)

    def test_sound_alone_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceFormatError, match="no video stream"):
            FileSource(make_audio_only(tmp_path / "clip.mp4"))

    def test_an_index_that_is_cut_off_is_told(self, tmp_path: Path) -> None:
        whole = make_clip(tmp_path / "whole.mp4", noise(5))
        with pytest.raises(SourceFormatError, match="cut short"):
            FileSource(cut_off(whole, tmp_path / "cut.mp4", 0.6))

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(SourceNotFoundError, match=r"there is no file .*missing\.mp4"):
            FileSource(tmp_path / "missing.mp4")
