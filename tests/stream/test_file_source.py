"""Files of every kind that people have: their times, spans and names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from stream.errors import SourceFormatError
from stream.sources.file import FileSource
from tests.clips import (
    irregular_times,
    make_clip,
    number_in,
    regular_times,
    video_times,
)
from tests.stream.reading import frames_of, read_all


class TestTimes:
    def test_every_frame_comes_in_the_order_of_display_with_b_frames(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=40, options={"bf": "3"})
        frames = frames_of(clip)
        assert [number_in(frame.image) for frame in frames] == list(range(40))
        assert [frame.pts for frame in frames] == regular_times(40)
        assert [frame.index for frame in frames] == list(range(40))

    @pytest.mark.parametrize("suffix", ["mp4", "mov"])
    def test_variable_rate_stays_variable(self, tmp_path: Path, suffix: str) -> None:
        times = irregular_times(40)
        frames = frames_of(make_clip(tmp_path / f"clip.{suffix}", times=times))
        assert [frame.pts for frame in frames] == times

    def test_matroska_milliseconds_are_kept(self, tmp_path: Path) -> None:
        times = [0, 33, 67, 150, 151, 400]
        clip = make_clip(tmp_path / "clip.mkv", times=times, time_base=Fraction(1, 1000))
        frames = frames_of(clip)
        assert [frame.pts for frame in frames] == times
        assert frames[0].time_base == Fraction(1, 1000)

    def test_a_picture_that_begins_after_the_sound_is_late(self, tmp_path: Path) -> None:
        clip = make_clip(
            tmp_path / "clip.mkv",
            times=[500, 533, 567],
            time_base=Fraction(1, 1000),
            audio_codec="flac",
        )
        assert [frame.pts for frame in frames_of(clip)] == [500, 533, 567]

    def test_a_timeline_that_does_not_begin_at_zero_is_moved_there(self, tmp_path: Path) -> None:
        times = [900_000 + 3_000 * index for index in range(10)]
        clip = make_clip(tmp_path / "clip.ts", times=times, time_base=Fraction(1, 90_000))
        assert [frame.pts for frame in frames_of(clip)] == [3_000 * index for index in range(10)]

    def test_an_appended_recording_goes_on_where_the_first_ended(self, tmp_path: Path) -> None:
        first = make_clip(
            tmp_path / "first.ts", num_frames=60, time_base=Fraction(1, 90_000), options={"bf": "0"}
        )
        twice = tmp_path / "twice.ts"
        twice.write_bytes(first.read_bytes() * 2)
        with FileSource(twice) as source:
            pts = [frame.pts for frame in read_all(source)]
            assert source.warnings == [
                f"{twice}: times begin anew at 2.00 s: what follows was joined on there"
            ]
        assert pts == [3_000 * index for index in range(120)]

    def test_info_tells_what_to_expect(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=30)
        with FileSource(clip) as source:
            info = source.info
        assert info.name == str(clip)
        assert info.size_wh == (192, 128)
        assert info.frame_rate == 30
        assert info.num_frames == 30
        assert info.duration_s == pytest.approx(1.0)
        assert not info.is_live
        assert "h264" in info.details


class TestSpan:
    @pytest.fixture(scope="class")
    @staticmethod
    def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("span")
        return make_clip(folder / "clip.mp4", num_frames=120, gop_size=24, options={"bf": "3"})

    @pytest.mark.parametrize("start", [0, 1, 23, 24, 25, 47, 60, 119])
    def test_start_is_exact_wherever_the_key_frames_lie(self, clip: Path, start: int) -> None:
        with FileSource(clip, start_s=start / 30) as source:
            frames = read_all(source)
        assert [number_in(frame.image) for frame in frames] == list(range(start, 120))
        assert [frame.pts for frame in frames] == regular_times(120)[start:]
        assert frames[0].index == 0

    def test_end_is_left_out(self, clip: Path) -> None:
        with FileSource(clip, start_s=1, end_s=2) as source:
            assert source.info.num_frames == 30
            assert source.info.duration_s == pytest.approx(1.0)
            assert [number_in(frame.image) for frame in read_all(source)] == list(range(30, 60))

    def test_max_frames(self, clip: Path) -> None:
        with FileSource(clip, max_frames=7) as source:
            assert source.info.num_frames == 7
            assert len(read_all(source)) == 7

    @pytest.mark.parametrize("suffix", ["mkv", "ts", "avi"])
    def test_start_is_exact_in_other_containers(self, tmp_path: Path, suffix: str) -> None:
        clip = make_clip(
            tmp_path / f"clip.{suffix}",
            num_frames=90,
            gop_size=30,
            time_base=Fraction(1, 30),
            options={"bf": "0"},
        )
        with FileSource(clip, start_s=1.5) as source:
            frames = read_all(source)
        assert [number_in(frame.image) for frame in frames] == list(range(45, 90))
        assert frames[0].time_s == pytest.approx(1.5)

    def test_nothing_in_the_span_names_the_length(self, clip: Path) -> None:
        with pytest.raises(
            SourceFormatError, match=r"no frame from 9 s to its end; it is 4.0\d+ s"
        ):
            FileSource(clip, start_s=9)

    @pytest.mark.parametrize(
        ("start_s", "end_s", "max_frames"),
        [(-1, None, None), (2, 1, None), (None, 0, None), (0, 1, 0)],
    )
    def test_impossible_spans_are_refused(
        self, clip: Path, start_s: float | None, end_s: float | None, max_frames: int | None
    ) -> None:
        with pytest.raises(ValueError, match="got"):
            FileSource(clip, start_s=start_s, end_s=end_s, max_frames=max_frames)


def test_a_heic_picture_is_called_one(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "IMG_1.HEIC.mp4", num_frames=1)
    content = bytearray(clip.read_bytes())
    content[8:12] = b"heic"  # major brand (ISO/IEC 14496-12, 4.3)
    clip.write_bytes(content)
    with pytest.raises(SourceFormatError, match="is a HEIC picture; save it as JPEG or PNG"):
        FileSource(clip)


def test_a_name_that_looks_like_a_protocol_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "http:clip %03d.mp4"
    make_clip(tmp_path / "clip.mp4").rename(path)
    assert len(frames_of(path)) == 12


def test_real_footage(shared: Path) -> None:
    for name, num_frames, size_wh in [
        ("isl_fingerspelling.mp4", 312, (640, 480)),
        ("webcam_sign.mp4", 58, (540, 720)),
    ]:
        frames = frames_of(shared / "clips" / name)
        assert len(frames) == num_frames
        assert {frame.size_wh for frame in frames} == {size_wh}
        times = [frame.pts * frame.time_base for frame in frames]
        assert times == video_times(shared / "clips" / name)
