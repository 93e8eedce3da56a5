"""MP4 files: times as every reader sees them, and the one clock of picture and sound."""

from __future__ import annotations

import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from stream.sinks.mp4 import Mp4Sink
from stream.sources.file import FileSource
from tests.clips import audio_packets, make_clip, numbered, regular_times, video_times
from tests.stream.mp4_files import copy_video, numbers_of, probe

PAUSES = {
    "5 s": (Fraction(1, 15_360), 5),
    "40 s in ticks of a ten-millionth": (Fraction(1, 10_000_000), 40),
    "20 minutes": (Fraction(1, 90_000), 1_200),
}


def times_with_pause(time_base: Fraction, pause_s: int) -> list[int]:
    """Return times at 30 a second with a pause after the thirtieth picture."""
    seconds = [Fraction(n, 30) + (pause_s if n >= 30 else 0) for n in range(60)]
    return [round(time_s / time_base) for time_s in seconds]


class TestPauses:
    @pytest.mark.parametrize(("time_base", "pause_s"), PAUSES.values(), ids=list(PAUSES))
    def test_every_reader_finds_all_pictures_and_the_length(
        self, tmp_path: Path, time_base: Fraction, pause_s: int
    ) -> None:
        path = tmp_path / "out.mp4"
        with Mp4Sink(path, frame_rate=Fraction(60, 7)) as sink:
            for number, pts in enumerate(times_with_pause(time_base, pause_s)):
                length = round(Fraction(1, 30) / time_base)
                sink.write(numbered(number), pts, time_base, length)
        assert numbers_of(path) == list(range(60))
        capture = cv2.VideoCapture(str(path))
        num_frames = 0
        while capture.read()[0]:
            num_frames += 1
        capture.release()
        assert num_frames == 60
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            assert video.duration is not None
            assert video.time_base is not None
            assert float(video.duration * video.time_base) == pytest.approx(2 + pause_s, abs=1e-3)
            assert container.duration is not None
            assert container.duration / av.time_base == pytest.approx(2 + pause_s, abs=1e-3)

    @pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
    @pytest.mark.parametrize(("time_base", "pause_s"), PAUSES.values(), ids=list(PAUSES))
    def test_another_ffmpeg_finds_them_too(
        self, tmp_path: Path, time_base: Fraction, pause_s: int
    ) -> None:
        path = tmp_path / "out.mp4"
        with Mp4Sink(path, frame_rate=Fraction(30)) as sink:
            for number, pts in enumerate(times_with_pause(time_base, pause_s)):
                sink.write(numbered(number), pts, time_base)
        found = probe(path, "-count_frames", "-show_entries", "stream=nb_read_frames,duration")
        (stream,) = found["streams"]
        assert stream["nb_read_frames"] == "60"
        assert float(stream["duration"]) == pytest.approx(2 + pause_s, abs=0.01)

    def test_the_last_picture_is_shown_as_long_as_it_was_in_the_source(
        self, tmp_path: Path
    ) -> None:
        clip, copy = tmp_path / "clip.mp4", tmp_path / "copy.mp4"
        with Mp4Sink(clip, frame_rate=Fraction(30)) as sink:
            for number in range(30):
                sink.write(numbered(number), number, Fraction(1, 30), 150 if number == 29 else 1)
        assert copy_video(clip, copy) == []
        with av.open(str(copy)) as container:
            assert container.duration == round((29 + 150) / 30 * av.time_base)


class TestOneClock:
    def test_sound_and_picture_of_a_joined_recording_stay_together(self, tmp_path: Path) -> None:
        parts = []
        for number, sound_s in enumerate([2.5, 1.0]):  # the first one's sound goes on alone
            parts.append(tmp_path / f"{number}.ts")
            make_clip(
                parts[-1],
                [numbered(30 * number + index) for index in range(30)],
                times=[3_000 * index for index in range(30)],
                time_base=Fraction(1, 90_000),
                audio_codec="mp2",
                audio_s=sound_s,
            )
        joined = tmp_path / "joined.ts"
        joined.write_bytes(b"".join(part.read_bytes() for part in parts))
        copy_video(joined, tmp_path / "out.mp4")
        assert numbers_of(tmp_path / "out.mp4") == list(range(60))
        num_sounds = len(audio_packets(parts[1]))
        apart_s = audio_packets(parts[1])[0][0] - video_times(parts[1])[0]
        sounds, pictures = audio_packets(tmp_path / "out.mp4"), video_times(tmp_path / "out.mp4")
        assert len(sounds) == num_sounds + len(audio_packets(parts[0]))
        assert float(sounds[-num_sounds][0] - pictures[30]) == pytest.approx(apart_s, abs=0.002)

    def test_sound_stops_with_the_pictures_that_are_shown_not_with_a_still(
        self, tmp_path: Path
    ) -> None:
        """A still as first picture track says nothing of when the moving pictures end."""
        clip = _with_still_first(tmp_path / "clip.mp4")
        with FileSource(clip) as source:
            assert source.warnings == [
                f"{clip}: of its 2 tracks of pictures that of 192 x 128 is used"
            ]
        copy_video(clip, tmp_path / "out.mp4", max_frames=30)
        assert numbers_of(tmp_path / "out.mp4") == list(range(30))
        assert audio_packets(tmp_path / "out.mp4")[-1][0] < 1.1

    def test_what_an_edit_list_cuts_out_stays_cut_out(self, tmp_path: Path) -> None:
        clip = make_clip(
            tmp_path / "clip.mp4", times=regular_times(60), audio_codec="aac", audio_s=2.0
        )
        _edit_sound(clip, [(0.5, 0.0), (1.0, 1.0)])
        copy_video(clip, tmp_path / "out.mp4")
        kept = [content for _, content in audio_packets(tmp_path / "out.mp4")]
        with av.open(str(clip)) as container:
            heard = [
                bytes(packet)
                for packet in container.demux(audio=0)
                if packet.size and not packet.is_discard
            ]
        assert kept == heard
        assert 60 < len(kept) < 80  # of 94

    def test_the_track_that_is_heard_by_default_stays_that(self, tmp_path: Path) -> None:
        clip = _with_second_track_default(tmp_path / "clip.mp4")
        copy_video(clip, tmp_path / "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as container:
            flags = [bool(s.disposition & Disposition.default) for s in container.streams.audio]
        assert flags == [False, True]


def _with_still_first(path: Path) -> Path:
    """Write two seconds of pictures and sound behind a track of a single small picture."""
    main = make_clip(path.with_name("main.mp4"), num_frames=60, audio_codec="aac", audio_s=2.0)
    still = make_clip(path.with_name("still.mp4"), [numbered(0, 64, 48)])
    with av.open(str(main)) as moving, av.open(str(still)) as small, av.open(path, "w") as output:
        first = output.add_stream_from_template(small.streams.video[0])
        first.disposition = Disposition(0)
        others = {s.index: output.add_stream_from_template(s) for s in moving.streams}
        for packet in small.demux(video=0):
            if packet.dts is not None:
                packet.stream = first
                output.mux(packet)
        for packet in moving.demux():
            if packet.dts is not None:
                packet.stream = others[packet.stream_index]
                output.mux(packet)
    return path


def _with_second_track_default(path: Path) -> Path:
    clip = make_clip(path.with_name("one.mp4"), num_frames=30, audio_codec="aac", audio_s=1.0)
    with av.open(str(clip)) as source, av.open(path, "w") as output:
        video, sound = source.streams.video[0], source.streams.audio[0]
        assert isinstance(video, VideoStream)
        assert isinstance(sound, AudioStream)
        picture = output.add_stream_from_template(video)
        tracks = [output.add_stream_from_template(sound) for _ in range(2)]
        tracks[0].disposition = Disposition(0)
        tracks[1].disposition = Disposition.default
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = picture
                output.mux(packet)
        for track in tracks:
            source.seek(0)
            for packet in source.demux(sound):
                if packet.dts is not None:
                    packet.stream = track
                    output.mux(packet)
    return path


def _edit_sound(path: Path, edits: list[tuple[float, float]]) -> None:
    """Have the sound of an MP4 played in parts: how long, and from where, in seconds each.

    The index is at the end of the file, so that it may grow. (ISO/IEC 14496-12, 8.6.6)
    """
    content = bytearray(path.read_bytes())
    moov = content.rindex(b"moov") - 4
    movie_scale = struct.unpack_from(">I", content, content.index(b"mvhd") + 16)[0]
    sound = content.index(b"soun")
    track = content.rindex(b"trak", 0, sound) - 4
    edts = content.index(b"edts", track) - 4
    old_size = struct.unpack_from(">I", content, edts)[0]
    entries = b"".join(
        struct.pack(">IiI", round(length_s * movie_scale), round(from_s * 48_000), 1 << 16)
        for length_s, from_s in edits
    )
    elst = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    content[edts : edts + old_size] = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
    growth = 8 + len(elst) - old_size
    for box in (moov, track):
        struct.pack_into(">I", content, box, struct.unpack_from(">I", content, box)[0] + growth)
    path.write_bytes(content)
