"""MP4 files: exact times, unchanged sound, and something playable whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stream.errors import OutputError
from stream.sinks.mp4 import Mp4Sink
from stream.sources.file import FileSource
from tests.clips import (
    TIME_BASE,
    audio_packets,
    irregular_times,
    make_clip,
    number_in,
    numbered,
    patches,
    regular_times,
    video_times,
)
from tests.conftest import ROOT


def write_numbers(sink: Mp4Sink, times: Iterable[int], time_base: Fraction = TIME_BASE) -> None:
    for number, pts in enumerate(times):
        sink.write(numbered(number), pts, time_base)


def copy_video(
    source_path: Path,
    target: Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    max_frames: int | None = None,
) -> list[str]:
    """Encode every frame again beside the source's sound; return the sink's warnings."""
    with FileSource(source_path, start_s=start_s, end_s=end_s, max_frames=max_frames) as source:
        sink = Mp4Sink(
            target,
            frame_rate=source.info.frame_rate,
            audio_from=source_path,
            start_s=start_s,
            end_s=end_s,
        )
        with sink:
            while (frame := source.read()) is not None:
                sink.write(frame.image, frame.pts, frame.time_base)
    return sink.warnings


def numbers_of(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [
            number_in(np.asarray(picture.to_ndarray(format="rgb24"), np.uint8))
            for picture in container.decode(video=0)
        ]


def boxes_of(path: Path) -> list[str]:
    """Return the types of a file's top-level boxes (ISO/IEC 14496-12)."""
    content, at, boxes = path.read_bytes(), 0, []
    while at + 8 <= len(content):
        boxes.append(content[at + 4 : at + 8].decode("latin-1"))
        size = int.from_bytes(content[at : at + 4], "big")
        at += int.from_bytes(content[at + 8 : at + 16], "big") if size == 1 else size
    return boxes


def probe(path: Path, *what: str) -> dict[str, Any]:
    """Return what ffprobe, the second reader, says of a file."""
    if not shutil.which("ffprobe"):
        pytest.skip("ffprobe is not installed, so there is no second reader to ask")
    run = subprocess.run(
        ["ffprobe", "-v", "error", *what, "-of", "json", str(path)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert run.stderr == b""
    result: dict[str, Any] = json.loads(run.stdout)
    return result


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
                timeout=60,
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


class TestSound:
    @pytest.mark.parametrize(
        ("name", "codec"),
        [
            ("clip.mp4", "aac"),
            ("clip.mov", "alac"),
            ("clip.mkv", "ac3"),
            ("clip.mkv", "flac"),
            ("clip.mkv", "libmp3lame"),
            ("clip.mp4", "libopus"),
        ],
    )
    def test_packets_are_copied_bit_for_bit(self, tmp_path: Path, name: str, codec: str) -> None:
        clip = make_clip(tmp_path / name, times=irregular_times(60), audio_codec=codec)
        assert copy_video(clip, tmp_path / "out.mp4") == []
        before, after = audio_packets(clip), audio_packets(tmp_path / "out.mp4")
        assert [content for _, content in after] == [content for _, content in before]
        np.testing.assert_allclose(
            [float(time_s) for time_s, _ in after],
            [float(time_s) for time_s, _ in before],
            atol=0.0006 if name.endswith("mkv") else 1e-9,
        )
        assert video_times(tmp_path / "out.mp4") == video_times(clip)

    @pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
    @pytest.mark.parametrize("delay_s", [Fraction(1, 4), Fraction(-1, 4)], ids=["late", "early"])
    def test_sound_and_picture_stay_together(
        self, tmp_path: Path, suffix: str, delay_s: Fraction
    ) -> None:
        """Sound that begins before or after the picture does so in the copy, by the same time."""
        nothing = Fraction(0)
        picture_first_s, sound_first_s = max(-delay_s, nothing), max(delay_s, nothing)
        time_base = Fraction(1, 90_000)
        clip = make_clip(
            tmp_path / f"clip.{suffix}",
            times=[int(picture_first_s / time_base) + 3_000 * index for index in range(60)],
            time_base=time_base,
            audio_codec="aac",
            audio_delay_s=sound_first_s,
            audio_s=2.0,
        )
        copy_video(clip, tmp_path / "out.mp4")

        def lead_s(path: Path) -> float:
            return float(audio_packets(path)[0][0] - video_times(path)[0])

        assert abs(lead_s(clip)) > 0.2
        assert lead_s(tmp_path / "out.mp4") == pytest.approx(lead_s(clip), abs=0.001)
        assert len(audio_packets(tmp_path / "out.mp4")) == len(audio_packets(clip))

    def test_an_mpeg_ts_loses_only_its_packet_headers(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.ts", time_base=Fraction(1, 90_000), audio_codec="aac")
        copy_video(clip, tmp_path / "out.mp4")
        # ADTS headers (7 bytes) have no place in an MP4; the sound behind them is the same.
        before = [content[7:] for _, content in audio_packets(clip)]
        assert [content for _, content in audio_packets(tmp_path / "out.mp4")] == before

    def test_all_tracks_come_along(self, tmp_path: Path) -> None:
        if not shutil.which("ffmpeg"):
            pytest.skip("ffmpeg, which makes the clip with two tracks, is not installed")
        one = make_clip(tmp_path / "one.mp4", num_frames=60, audio_codec="aac")
        two = tmp_path / "two.mp4"
        subprocess.run(
            f"ffmpeg -v error -i {one} -map 0:v -map 0:a -map 0:a -c copy"
            f" -metadata:s:a:1 language=gle {two}".split(),
            check=True,
            timeout=60,
        )
        copy_video(two, tmp_path / "out.mp4")
        for track in range(2):
            assert audio_packets(tmp_path / "out.mp4", track) == audio_packets(two, track)
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert container.streams.audio[1].metadata["language"] == "gle"

    def test_a_codec_that_mp4_cannot_hold_is_left_out_with_a_word(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mov", audio_codec="pcm_mulaw")
        warnings = copy_video(clip, tmp_path / "out.mp4")
        assert len(warnings) == 1
        assert "pcm_mulaw sound of clip.mov is left out" in warnings[0]
        assert len(video_times(tmp_path / "out.mp4")) == 12

    def test_sound_that_outlasts_the_picture_is_kept(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=30, audio_codec="aac", audio_s=14.0)
        copy_video(clip, tmp_path / "out.mp4")
        assert audio_packets(tmp_path / "out.mp4") == audio_packets(clip)

    def test_sound_stops_where_the_pictures_were_stopped(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=120, audio_codec="aac")
        copy_video(clip, tmp_path / "out.mp4", max_frames=30)
        copied = audio_packets(tmp_path / "out.mp4")
        assert copied == audio_packets(clip)[: len(copied)]
        assert copied[-1][0] == pytest.approx(1.0, abs=0.03)

    def test_a_part_takes_its_own_sound(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=150, audio_codec="aac", gop_size=30)
        copy_video(clip, tmp_path / "out.mp4", start_s=2.5, end_s=4.0)
        assert numbers_of(tmp_path / "out.mp4") == list(range(75, 120))
        assert video_times(tmp_path / "out.mp4") == video_times(clip)[:45]
        whole = {content: time_s for time_s, content in audio_packets(clip)}
        part = audio_packets(tmp_path / "out.mp4")
        for time_s, content in part:
            assert whole[content] - time_s == pytest.approx(2.5, abs=1e-4)
        assert part[0][0] <= 0
        assert part[-1][0] == pytest.approx(1.5, abs=0.03)

    def test_a_sound_file_that_is_gone_is_told(self, tmp_path: Path) -> None:
        with Mp4Sink(tmp_path / "out.mp4", audio_from=tmp_path / "gone.mp4") as sink:
            write_numbers(sink, regular_times(3))
        assert "the sound of gone.mp4 is left out" in sink.warnings[0]
        assert len(video_times(tmp_path / "out.mp4")) == 3

    def test_real_footage(self, shared: Path, tmp_path: Path) -> None:
        clip = shared / "clips" / "isl_fingerspelling.mp4"
        assert copy_video(clip, tmp_path / "out.mp4") == []
        assert video_times(tmp_path / "out.mp4") == video_times(clip)
        assert audio_packets(tmp_path / "out.mp4") == audio_packets(clip)
        assert (
            probe(tmp_path / "out.mp4", "-show_format")["format"]["duration"]
            == probe(clip, "-show_format")["format"]["duration"]
        )


class TestInterruption:
    def test_killed_it_plays_up_to_the_last_seconds(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=300, audio_codec="aac")
        path = tmp_path / "out.mp4"
        run = subprocess.run(
            [sys.executable, "-c", _KILLED, str(clip), str(path)], cwd=ROOT, timeout=60
        )
        assert run.returncode == -9
        assert boxes_of(path)[:3] == ["ftyp", "moov", "moof"]
        times = video_times(path)
        # 10 s were written; x264 looks ahead, and the last fragment was not complete.
        assert times == video_times(clip)[: len(times)]
        assert times[-1] > 6.5
        sound = audio_packets(path)
        assert sound == audio_packets(clip)[: len(sound)]
        assert sound[-1][0] > 6.5

    def test_an_exception_finishes_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"

        def stop_early() -> None:
            with Mp4Sink(path) as sink:
                write_numbers(sink, regular_times(20))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stop_early()
        assert numbers_of(path) == list(range(20))
        assert "moof" not in boxes_of(path)

    def test_closing_twice_is_harmless_and_writing_then_is_an_error(self, tmp_path: Path) -> None:
        sink = Mp4Sink(tmp_path / "out.mp4")
        write_numbers(sink, regular_times(3))
        sink.close()
        content = (tmp_path / "out.mp4").read_bytes()
        sink.close()
        assert (tmp_path / "out.mp4").read_bytes() == content
        with pytest.raises(ValueError, match="closed"):
            sink.write(numbered(0), 10**6, TIME_BASE)

    def test_without_a_canvas_there_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "kept.mp4").write_bytes(b"what was there")
        for name in ("out.mp4", "kept.mp4"):
            with Mp4Sink(tmp_path / name):
                pass
        assert not (tmp_path / "out.mp4").exists()
        assert (tmp_path / "kept.mp4").read_bytes() == b"what was there"

    @pytest.mark.skipif(sys.platform == "win32", reason="files have no size limit to set there")
    def test_a_full_disk_keeps_what_was_written(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        run = subprocess.run(
            [sys.executable, "-c", _LIMITED, str(path)],
            cwd=ROOT,
            timeout=60,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        lines = run.stdout.splitlines()
        assert lines[0].startswith(f"OutputError {path} cannot be written: ")
        assert lines[1:] == ["closed"]
        # The last picture is only half there.
        with FileSource(path) as source:
            frames = []
            while (frame := source.read()) is not None:
                frames.append(frame.pts)
        assert len(frames) >= 30
        assert frames == list(range(len(frames)))
        assert [item.name for item in tmp_path.iterdir()] == ["out.mp4"]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_no_space_left_is_named(self) -> None:
        sink = Mp4Sink("/dev/full")
        with pytest.raises(OutputError, match="the disk is full") as caught:
            write_numbers(sink, regular_times(400))
        assert "\n" not in str(caught.value)
        with pytest.raises(ValueError, match="closed"):
            sink.write(numbered(0), 10**9, TIME_BASE)
        sink.close()

    def test_memory_does_not_grow(self, tmp_path: Path) -> None:
        if not Path("/proc/self/statm").exists():
            pytest.skip("/proc tells the resident size on Linux only")
        clip = make_clip(tmp_path / "clip.mp4", num_frames=700, audio_codec="aac")
        sizes = []
        with FileSource(clip) as source, Mp4Sink(tmp_path / "out.mp4", audio_from=clip) as sink:
            while (frame := source.read()) is not None:
                sink.write(frame.image, frame.pts, frame.time_base)
                if frame.index % 100 == 99:
                    pages = int(Path("/proc/self/statm").read_text().split()[1])
                    sizes.append(pages * os.sysconf("SC_PAGE_SIZE"))
        # 400 frames of this size are 29 MB of pixels.
        assert max(sizes[3:]) - sizes[2] < 8_000_000


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

    def test_an_unknown_encoder(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="no encoder 'h265_magic'"):
            Mp4Sink(tmp_path / "out.mp4", encoder="h265_magic")

    def test_an_unknown_preset(self, tmp_path: Path) -> None:
        sink = Mp4Sink(tmp_path / "out.mp4", preset="warp")
        with pytest.raises(OutputError, match="cannot be written"):
            sink.write(numbered(0), 0, TIME_BASE)
        sink.close()


_KILLED = """
import os, signal, sys
from stream.sinks.mp4 import Mp4Sink
from stream.sources.file import FileSource

source = FileSource(sys.argv[1])
sink = Mp4Sink(sys.argv[2], audio_from=sys.argv[1])
while (frame := source.read()) is not None:
    sink.write(frame.image, frame.pts, frame.time_base)
os.kill(os.getpid(), signal.SIGKILL)
"""

_LIMITED = """
import resource, signal, sys
from fractions import Fraction
import numpy as np
from stream.errors import OutputError
from stream.sinks.mp4 import Mp4Sink

# A write beyond the limit fails like one to a full disk: with an error, not with a signal.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
noise = np.random.default_rng(0).integers(0, 256, (128, 192, 3), dtype=np.uint8)
try:
    with Mp4Sink(sys.argv[1], crf=10) as sink:
        for index in range(300):
            sink.write(np.roll(noise, 7 * index, axis=1), index, Fraction(1, 30))
except OutputError as exc:
    print("OutputError", exc)
sink.close()
print("closed")
"""
