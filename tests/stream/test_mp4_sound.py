"""MP4 files: the sound of another file, packet by packet."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stream.sinks.mp4 import Mp4Sink
from tests.clips import (
    audio_packets,
    irregular_times,
    make_clip,
    regular_times,
    video_times,
)
from tests.stream.mp4_files import copy_video, numbers_of, probe, write_numbers
from tests.waits import PROCESS_S


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
            timeout=PROCESS_S,
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

    @pytest.mark.parametrize("suffix", ["avi", "mkv"])
    @pytest.mark.parametrize("num_channels", [1, 2, 4, 6])
    def test_channels_that_are_only_counted_are_kept_and_can_be_read(
        self, tmp_path: Path, suffix: str, num_channels: int
    ) -> None:
        """AVI and Matroska count the channels of PCM and do not say where they stand."""
        clip = _make_pcm(tmp_path / f"clip.{suffix}", f"-ac {num_channels}")
        assert copy_video(clip, tmp_path / "out.mp4") == []
        sound = b"".join(content for _, content in audio_packets(clip))
        assert b"".join(content for _, content in audio_packets(tmp_path / "out.mp4")) == sound
        assert probe(tmp_path / "out.mp4", "-show_streams")["streams"][1]["channels"] == (
            num_channels
        )

    def test_sound_whose_header_is_damaged_costs_no_picture(self, tmp_path: Path) -> None:
        clip = make_clip(
            tmp_path / "clip.mkv", audio_codec="libopus", muxer_options={"write_crc32": "0"}
        )
        content = clip.read_bytes()
        # The mark of CodecPrivate (RFC 9559, 5.1.4.1.22), before its length and the header.
        at = content.index(b"OpusHead") - 3
        assert content[at : at + 2] == b"\x63\xa2"
        clip.write_bytes(content[: at + 1] + b"\xa6" + content[at + 2 :])
        warnings = copy_video(clip, tmp_path / "out.mp4")
        assert warnings == [
            "the opus sound of clip.mkv is left out: an MP4 file cannot hold it as it is (48000 Hz)"
        ]
        assert numbers_of(tmp_path / "out.mp4") == list(range(12))

    def test_a_track_without_sound_is_said_to_be_empty(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", audio_codec="aac", audio_s=0.0001)
        empty = _without_packets(clip, tmp_path / "empty.mp4")
        assert copy_video(empty, tmp_path / "out.mp4") == [
            "the aac sound of empty.mp4 is left out: nothing can be read of its track 1"
        ]

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

    @pytest.mark.parametrize("codec", ["ac3", "eac3", "aac"])
    def test_a_part_without_sound_is_whole(self, tmp_path: Path, codec: str) -> None:
        clip = make_clip(tmp_path / "clip.mkv", num_frames=90, audio_codec=codec, audio_s=1.0)
        assert copy_video(clip, tmp_path / "out.mp4", start_s=2.0) == []
        assert numbers_of(tmp_path / "out.mp4") == list(range(60, 90))

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


def _make_pcm(path: Path, options: str) -> Path:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg, which writes channels without places, is not installed")
    subprocess.run(
        "ffmpeg -v error -f lavfi -i testsrc=s=64x64:r=25:d=1 -f lavfi -i sine=r=48000:d=1"
        f" -c:v mpeg4 -c:a pcm_s16le {options} {path}".split(),
        check=True,
        timeout=PROCESS_S,
    )
    return path


def _without_packets(clip: Path, target: Path) -> Path:
    """Copy a clip without the packets of its sound, whose track stays."""
    with (
        av.open(str(clip)) as source,
        av.open(
            str(target), "w", container_options={"movflags": "frag_keyframe+empty_moov"}
        ) as output,
    ):
        streams = [output.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = streams[0]
                output.mux(packet)
    return target
