"""Files whose times begin anew, jump, stand still or are missing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from stream.frames import Frame
from stream.sinks.mp4 import Mp4Sink
from stream.sources.clock import clock_of
from stream.sources.file import FileSource
from tests.clips import make_clip, number_in, numbered

TS = Fraction(1, 90_000)
SECOND = 90_000


def frames_of(
    path: Path, start_s: float | None = None, end_s: float | None = None
) -> tuple[list[Frame], list[str]]:
    with FileSource(path, start_s=start_s, end_s=end_s) as source:
        frames = []
        while (frame := source.read()) is not None:
            frames.append(frame)
        return frames, source.warnings


def part(path: Path, *, first: int = 0, begin_s: float = 0, sound_s: float | None = None) -> Path:
    """Write an MPEG-TS of thirty numbered pictures in a second, and its sound."""
    return make_clip(
        path,
        [numbered(first + index) for index in range(30)],
        times=[round(begin_s * SECOND) + 3_000 * index for index in range(30)],
        time_base=TS,
        audio_codec=None if sound_s is None else "mp2",
        audio_s=sound_s,
        audio_delay_s=Fraction(begin_s),
    )


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(each.read_bytes() for each in parts))
    return path


def times_by_stream(path: Path) -> dict[str, list[Fraction]]:
    """Return the times of a file's packets as its clock moves them, by the kind of stream."""
    times: dict[str, list[Fraction]] = {"video": [], "audio": []}
    with av.open(str(path)) as container:
        clock = clock_of(path, container)
        for packet in container.demux():
            clock.move(packet)
            if packet.pts is not None:
                times[packet.stream.type].append(packet.pts * packet.time_base)
    return times


class TestJoinedRecordings:
    def test_picture_and_sound_of_the_second_begin_together(self, tmp_path: Path) -> None:
        first = part(tmp_path / "first.ts", sound_s=2.5)  # its sound outlasts its pictures
        second = part(tmp_path / "second.ts", first=30, sound_s=1.0)
        times = times_by_stream(joined(tmp_path / "both.ts", first, second))
        pictures = sorted(times["video"])
        alone = times_by_stream(second)
        apart = min(alone["video"]) - min(alone["audio"])
        sound_of_second = times["audio"][-len(alone["audio"])]
        assert pictures[30] - sound_of_second == apart
        assert pictures[30] - pictures[0] == pytest.approx(2.5, abs=0.05)
        assert times["audio"] == sorted(times["audio"])

    def test_every_picture_comes_in_order_and_once(self, tmp_path: Path) -> None:
        parts = [part(tmp_path / f"{n}.ts", first=30 * n, sound_s=1.0) for n in range(3)]
        frames, warnings = frames_of(joined(tmp_path / "all.ts", *parts))
        assert [number_in(frame.image) for frame in frames] == list(range(90))
        assert len(warnings) == 2
        assert all("begin anew" in line for line in warnings)

    def test_parts_whose_streams_have_other_numbers_are_one_video(self, tmp_path: Path) -> None:
        parts = [
            make_clip(
                tmp_path / f"{number}.ts",
                [numbered(30 * number + index) for index in range(30)],
                times=[3_000 * index for index in range(30)],
                time_base=TS,
                audio_codec="mp2",
                audio_s=1.0,
                muxer_options={"mpegts_start_pid": str(256 + 50 * number)},
            )
            for number in range(2)
        ]
        frames, _ = frames_of(joined(tmp_path / "both.ts", *parts))
        found = [number_in(frame.image) for frame in frames]
        # FFmpeg drops what it has of a picture when the numbers change.
        assert set(range(60)) - set(found) <= {28, 29}
        assert found == sorted(found)

    def test_a_span_is_found_behind_a_joint(self, tmp_path: Path) -> None:
        parts = [part(tmp_path / f"{n}.ts", first=30 * n) for n in range(3)]
        frames, _ = frames_of(joined(tmp_path / "all.ts", *parts), start_s=1.5, end_s=2.5)
        assert [number_in(frame.image) for frame in frames] == list(range(45, 75))

    def test_a_jump_of_an_hour_is_left_out_and_told(self, tmp_path: Path) -> None:
        first = part(tmp_path / "first.ts", sound_s=1.0)
        second = part(tmp_path / "second.ts", first=30, begin_s=3600, sound_s=1.0)
        frames, warnings = frames_of(joined(tmp_path / "both.ts", first, second))
        assert [number_in(frame.image) for frame in frames] == list(range(60))
        assert frames[-1].time_s < 2.1
        assert len(warnings) == 1
        assert "jump forward by 3599 s" in warnings[0]

    def test_a_standing_picture_is_no_jump_while_the_sound_goes_on(self, tmp_path: Path) -> None:
        path = make_clip(
            tmp_path / "slides.ts",
            [numbered(index) for index in range(3)],
            times=[0, 80 * SECOND, 160 * SECOND],
            time_base=TS,
            audio_codec="mp2",
            audio_s=161,
        )
        frames, warnings = frames_of(path)
        assert [round(frame.time_s) for frame in frames] == [0, 80, 160]
        assert warnings == []

    def test_one_recording_is_left_alone(self, tmp_path: Path) -> None:
        path = part(tmp_path / "one.ts", sound_s=1.0)
        with av.open(str(path)) as container:
            clock = clock_of(path, container)
        assert not clock.has_jumps
        assert clock.warnings == []


class TestStart:
    @pytest.mark.parametrize("start", [0, 1, 10, 29, 31, 59])
    @pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4", "avi", "flv", "mpg"])
    def test_a_span_begins_at_its_first_picture(
        self, tmp_path: Path, suffix: str, start: int
    ) -> None:
        path = make_clip(
            tmp_path / f"clip.{suffix}",
            [numbered(index) for index in range(60)],
            codec={"avi": "mpeg4", "flv": "flv", "mpg": "mpeg2video"}.get(suffix, "libx264"),
            time_base=TS if suffix == "ts" else Fraction(1, 30),
            gop_size=40,
        )
        frames, _ = frames_of(path)
        late_s = frames[0].time_s
        found, _ = frames_of(path, start_s=max(0, late_s + start / 30 - 0.001))
        assert [number_in(frame.image) for frame in found] == list(range(start, 60))


class TestStandingPictures:
    @pytest.fixture
    def clip(self, tmp_path: Path) -> Path:
        """Ten pictures a thirtieth apart, the last of them for five seconds, then ten more."""
        times = [512 * index for index in range(10)]
        times += [times[-1] + 5 * 15_360 + 512 * index for index in range(10)]
        path = tmp_path / "clip.mp4"
        return make_clip(path, [numbered(index) for index in range(20)], times=times)

    def test_each_frame_tells_how_long_it_is_shown(self, clip: Path) -> None:
        frames, _ = frames_of(clip)
        ticks = [512] * 9 + [5 * 15_360] + [512] * 9
        assert [frame.duration for frame in frames[:-1]] == ticks

    def test_a_span_inside_shows_what_stands_there(self, clip: Path) -> None:
        (frame,), _ = frames_of(clip, start_s=2, end_s=4)
        assert number_in(frame.image) == 9
        assert frame.time_s == 2
        assert frame.duration == 2 * 15_360

    def test_a_span_that_begins_inside_goes_on_behind(self, clip: Path) -> None:
        frames, _ = frames_of(clip, start_s=2)
        assert [number_in(frame.image) for frame in frames] == list(range(9, 20))

    def test_a_span_between_two_neighbours_begins_with_the_second(self, clip: Path) -> None:
        frames, _ = frames_of(clip, start_s=0.11)
        assert number_in(frames[0].image) == 4

    @pytest.mark.parametrize("suffix", ["mp4", "mov"])
    def test_the_last_picture_lasts_as_long_as_the_file_says(
        self, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / f"clip.{suffix}"
        with Mp4Sink(path, frame_rate=Fraction(30)) as sink:
            for index in range(10):
                sink.write(
                    numbered(index), index, Fraction(1, 30), duration=150 if index == 9 else 1
                )
        frames, warnings = frames_of(path)
        assert [frame.duration for frame in frames] == [1] * 9 + [150]
        assert warnings == []

    def test_the_last_picture_of_a_gif_lasts_as_long_as_it_says(self, tmp_path: Path) -> None:
        path = make_clip(
            tmp_path / "clip.gif",
            [numbered(index) for index in range(4)],
            times=[0, 10, 20, 320],
            time_base=Fraction(1, 100),
            codec="gif",
            pix_fmt="gray",
        )
        frames, warnings = frames_of(path, end_s=3)
        assert [frame.duration for frame in frames] == [10, 10, 280]
        assert warnings == []


class TestRates:
    def test_a_raw_stream_goes_by_the_rate_of_its_header(self, tmp_path: Path) -> None:
        path = make_clip(tmp_path / "clip.h264", num_frames=60, time_base=Fraction(1, 30))
        frames, warnings = frames_of(path)
        assert [frame.time_s for frame in frames] == pytest.approx([n / 30 for n in range(60)])
        assert len(warnings) == 1
        assert "has no times" in warnings[0]
        found, _ = frames_of(path, start_s=1)
        assert [number_in(frame.image) for frame in found] == list(range(30, 60))

    def test_a_rate_that_cannot_be_is_not_believed(self, tmp_path: Path) -> None:
        times = [0, 1, 2, 40, 80]
        path = make_clip(
            tmp_path / "clip.mkv",
            [numbered(index) for index in range(5)],
            times=times,
            time_base=Fraction(1, 1000),
        )
        with FileSource(path) as source:
            assert source.info.frame_rate is None or source.info.frame_rate <= 240
