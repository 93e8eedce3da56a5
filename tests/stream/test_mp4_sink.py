"""MP4 files: exact times, right colours, any size, in a place that can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stream.errors import OutputError
from stream.sinks.mp4 import Mp4Sink
from stream.sources.file import FileSource
from tests.clips import (
    TIME_BASE,
    irregular_times,
    make_clip,
    number_in,
    numbered,
    patches,
    regular_times,
    video_times,
)
from tests.stream.mp4_files import boxes_of, numbers_of, probe, write_numbers
from tests.waits import PROCESS_S


class TestTimes:
    @pytest.mark.parametrize("first_s", [0, Fraction(1, 2)])
    @pytest.mark.parametrize(
        "time_base",
        [
            Fraction(1, 25),
            Fraction(1, 600),
            Fraction(1, 1000),
            TIME_BASE,
            Fraction(1, 90_000),
            Fraction(1001, 30_000),
            Fraction(1, 1_000_000),
        ],
        ids=str,
    )
    def test_every_tick_is_kept(
        self, tmp_path: Path, time_base: Fraction, first_s: Fraction
    ) -> None:
        """Irregular times, in the tick of cameras, containers, films and image folders."""
        scale = max(1, int(Fraction(1, 600) / time_base))
        gaps = np.random.default_rng(0).integers(1 * scale, 40 * scale, 30)
        times = (int(first_s / time_base) + np.cumsum(gaps)).tolist()
        with Mp4Sink(tmp_path / "out.mp4") as sink:
            write_numbers(sink, times, time_base)
        expected = [pts * time_base for pts in times]
        assert video_times(tmp_path / "out.mp4") == expected
        assert numbers_of(tmp_path / "out.mp4") == list(range(30))
        seen = probe(tmp_path / "out.mp4", "-show_frames", "-show_streams")
        tick = Fraction(seen["streams"][0]["time_base"])
        assert [frame["pts"] * tick for frame in seen["frames"]] == expected

    def test_a_tick_too_fine_for_mp4_is_rounded_to_microseconds(self, tmp_path: Path) -> None:
        time_base = Fraction(1, 10**12)
        times = [0, 1, 33_333_333_333, 66_666_666_667]
        with Mp4Sink(tmp_path / "out.mp4") as sink:
            write_numbers(sink, times, time_base)
        assert video_times(tmp_path / "out.mp4") == [
            Fraction(us, 1_000_000) for us in (0, 1, 33_333, 66_667)
        ]

    def test_time_that_stands_still_is_refused(self, tmp_path: Path) -> None:
        with Mp4Sink(tmp_path / "out.mp4") as sink:
            sink.write(numbered(0), 5, TIME_BASE)
            with pytest.raises(ValueError, match="times must increase"):
                sink.write(numbered(1), 5, TIME_BASE)
            sink.write(numbered(2), 512, TIME_BASE)
        assert video_times(tmp_path / "out.mp4") == [5 * TIME_BASE, 512 * TIME_BASE]

    @pytest.mark.parametrize("frame_rate", [Fraction(25), Fraction(30_000, 1001)])
    def test_the_last_picture_lasts_one_frame(self, tmp_path: Path, frame_rate: Fraction) -> None:
        time_base = Fraction(1, 90_000)
        times = [round(index / frame_rate / time_base) for index in range(20)]
        with Mp4Sink(tmp_path / "out.mp4", frame_rate=frame_rate) as sink:
            write_numbers(sink, times, time_base)
        length_s = float(times[-1] * time_base + 1 / frame_rate)
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert container.duration is not None
            assert container.duration / av.time_base == pytest.approx(length_s, abs=2e-5)

    def test_key_frames_go_by_time_when_the_rate_varies(self, tmp_path: Path) -> None:
        times = irregular_times(200)
        with Mp4Sink(tmp_path / "out.mp4") as sink:
            write_numbers(sink, times)
        with av.open(str(tmp_path / "out.mp4")) as container:
            keys = [
                float(packet.pts * packet.time_base)
                for packet in container.demux(video=0)
                if packet.is_keyframe and packet.pts is not None
            ]
        assert len(keys) >= 4
        # Two seconds, and up to the one frame that comes after.
        assert np.diff(keys).max() < 2.1


class TestPicture:
    def test_plays_everywhere(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        with Mp4Sink(path, comment="made in a test") as sink:
            write_numbers(sink, regular_times(70))
        # A plain file with its index in front; no trace of the fragments it grew in.
        assert [box for box in boxes_of(path) if box != "free"] == ["ftyp", "moov", "mdat"]
        assert [item.name for item in tmp_path.iterdir()] == ["out.mp4"]
        seen = probe(path, "-show_streams", "-show_format")
        stream = seen["streams"][0]
        assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
        assert stream["color_range"] == "tv"
        assert {stream[f"color_{what}"] for what in ("space", "transfer", "primaries")} == {"bt709"}
        assert stream["nb_frames"] == "70"
        assert seen["format"]["tags"]["comment"] == "made in a test"

    @pytest.mark.parametrize(("width", "height"), [(192, 128), (1280, 720)])
    def test_colours_come_back(self, tmp_path: Path, width: int, height: int) -> None:
        image = patches(width, height)
        with Mp4Sink(tmp_path / "out.mp4", crf=10) as sink:
            for index in range(3):
                sink.write(image, index, Fraction(1, 25))
        with FileSource(tmp_path / "out.mp4") as source:
            frame = source.read()
        assert frame is not None
        assert np.median(np.abs(frame.image.astype(int) - image)) <= 2
        if shutil.which("ffmpeg"):
            raw = subprocess.run(
                f"ffmpeg -v error -i {tmp_path / 'out.mp4'} -frames:v 1"
                " -f rawvideo -pix_fmt rgb24 -".split(),
                check=True,
                capture_output=True,
                timeout=PROCESS_S,
            ).stdout
            seen = np.frombuffer(raw, np.uint8).reshape(image.shape)
            assert np.median(np.abs(seen.astype(int) - image)) <= 2

    @pytest.mark.parametrize(("width", "height"), [(191, 128), (192, 127), (191, 127), (1, 1)])
    def test_odd_sides_repeat_their_last_column_and_row(
        self, tmp_path: Path, width: int, height: int
    ) -> None:
        image = np.full((height, width, 3), 60, np.uint8)
        image[:, -1] = image[-1] = 200
        with Mp4Sink(tmp_path / "out.mp4", crf=5) as sink:
            for index in range(3):
                sink.write(image, index, Fraction(1, 25))
        with FileSource(tmp_path / "out.mp4") as source:
            frame = source.read()
        assert frame is not None
        assert frame.size_wh == (width + width % 2, height + height % 2)
        expected = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        assert np.abs(frame.image.astype(int) - expected).max() <= 12

    def test_a_later_size_is_fitted_into_the_first(self, tmp_path: Path) -> None:
        tall = np.full((256, 128, 3), 220, np.uint8)
        with Mp4Sink(tmp_path / "out.mp4", crf=5) as sink:
            sink.write(numbered(0), 0, Fraction(1, 25))
            sink.write(tall, 1, Fraction(1, 25))
        with FileSource(tmp_path / "out.mp4") as source:
            source.read()
            frame = source.read()
        assert frame is not None
        assert frame.size_wh == (192, 128)
        # 128 x 256 becomes 64 x 128 in the middle of 192 x 128.
        assert frame.image[:, 66:126].min() > 200
        assert frame.image[:, :62].max() < 20
        assert frame.image[:, 130:].max() < 20

    def test_the_canvas_may_be_a_view(self, tmp_path: Path) -> None:
        image = numbered(0b0001_0111)
        with Mp4Sink(tmp_path / "out.mp4") as sink:
            sink.write(image[:, ::-1], 0, Fraction(1, 25))
        assert numbers_of(tmp_path / "out.mp4") == [0b1110_1000]

    def test_what_is_no_picture_is_refused(self, tmp_path: Path) -> None:
        with Mp4Sink(tmp_path / "out.mp4") as sink, pytest.raises(ValueError, match="uint8"):
            sink.write(np.zeros((4, 4), np.uint8), 0, Fraction(1, 25))
        assert not (tmp_path / "out.mp4").exists()

    def test_two_runs_give_the_same_packets(self, tmp_path: Path) -> None:
        files = []
        for run in range(2):
            with Mp4Sink(tmp_path / f"{run}.mp4") as sink:
                write_numbers(sink, irregular_times(60))
            with av.open(str(tmp_path / f"{run}.mp4")) as container:
                files.append([(packet.pts, bytes(packet)) for packet in container.demux(video=0)])
        assert files[0] == files[1]

    def test_eight_thousand_columns(self, tmp_path: Path) -> None:
        with Mp4Sink(tmp_path / "out.mp4", preset="ultrafast") as sink:
            sink.write(numbered(0b1010_0110, 7680, 4320), 0, Fraction(1, 25))
        with FileSource(tmp_path / "out.mp4") as source:
            frame = source.read()
        assert frame is not None
        assert frame.size_wh == (7680, 4320)
        assert number_in(frame.image) == 0b1010_0110


class TestPlace:
    def test_a_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="there is no folder"):
            Mp4Sink(tmp_path / "missing" / "out.mp4")

    def test_a_folder_instead_of_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="is a folder"):
            Mp4Sink(tmp_path)

    @pytest.mark.skipif(
        sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
    )
    def test_a_folder_that_may_not_be_written(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(OutputError, match="may not be written"):
            Mp4Sink(tmp_path / "out.mp4")

    @pytest.mark.parametrize("how", ["same", "symlink", "hardlink"])
    def test_the_output_is_never_the_input(self, tmp_path: Path, how: str) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=2)
        content = clip.read_bytes()
        output = clip if how == "same" else tmp_path / "other.mp4"
        if how == "symlink":
            output.symlink_to(clip)
        elif how == "hardlink":
            output.hardlink_to(clip)
        with pytest.raises(OutputError, match="is the input itself"):
            Mp4Sink(output, audio_from=clip)
        assert clip.read_bytes() == content
