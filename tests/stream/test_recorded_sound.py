"""The sound of a file in recordings of its view: of the same moments, whatever is pressed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.audio.stream import AudioStream

from stream.frames import Frame
from stream.jobs.working_folder import WorkingFolder
from stream.sinks.encoders import choose_encoder
from stream.sinks.mp4 import Mp4Sink
from stream.sinks.pre_roll import EncodedPreRoll
from stream.sources import open_source
from stream.sources.playing import PlayedSource
from stream.standby import Standby
from stream.takes import RecordedFrame, Takes
from tests.clips import audio_packets, make_clip, video_times

RATE_HZ = 48_000
FRAME_S = Fraction(1, 25)
LENGTH_S = 6
Samples = npt.NDArray[np.float32]


def noise() -> Samples:
    """Noise below 4 kHz, of which no two moments sound alike."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=LENGTH_S * RATE_HZ))
    spectrum[4_000 * LENGTH_S :] = 0
    samples = np.fft.irfft(spectrum)
    return np.asarray(0.3 * samples / np.abs(samples).max(), np.float32)


def make_noisy(path: Path, audio_codec: str = "aac") -> Path:
    """Write six seconds of numbered pictures and noise."""
    ticks = round(FRAME_S * 90_000)
    return make_clip(
        path,
        times=[ticks * number for number in range(round(LENGTH_S / FRAME_S))],
        time_base=Fraction(1, 90_000),
        sound=np.tile(noise(), (2, 1)),
        audio_codec=audio_codec,
        gop_size=25,
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_noisy(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def folder_for(clip: Path) -> WorkingFolder:
    """Return what records beside the sound of a clip, and may begin two seconds earlier."""
    encoder = choose_encoder("libx264", crf=30, preset="ultrafast", frame_rate=Fraction(25))
    return WorkingFolder(
        lambda path, **more: Mp4Sink(path, audio_from=clip, preset="ultrafast", **more),
        lambda: EncodedPreRoll(2.0, encoder),
    )


def recorded(
    takes: Takes | Standby, frame: Frame, later: int = 0, *, is_frozen: bool = False
) -> None:
    """Record a frame, so many frames' time later than its own."""
    sound_s = None if is_frozen else frame.file_s
    pts = frame.pts + round(later * FRAME_S / frame.time_base)
    takes.write(RecordedFrame(frame.image, frame.image, sound_s=sound_s), pts, frame.time_base)


def frames_of(source: PlayedSource, count: int) -> Iterator[Frame]:
    return islice(iter(source.read, None), count)


def played(clip: Path) -> PlayedSource:
    return PlayedSource(lambda start_s: open_source(clip, start_s=start_s), loops=True)


def heard_in(path: Path) -> Samples:
    """Return a file's sound as it is played: by its own times, silence where there is none."""
    samples = np.zeros(4 * LENGTH_S * RATE_HZ, np.float32)
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        assert isinstance(track, AudioStream)
        begin_s = video_times(path)[0]
        for block in container.decode(track):
            assert block.pts is not None
            assert block.time_base is not None
            at = round((block.pts * block.time_base - begin_s) * RATE_HZ)
            values = block.to_ndarray()[0, max(0, -at) :]
            samples[max(0, at) : max(0, at) + len(values)] = values
    return samples


def moment_heard(sound: Samples, time_s: float) -> float | None:
    """Return which moment of the noise is heard in the 0.2 s after a time; None: silence."""
    begin = round(time_s * RATE_HZ)
    piece = sound[begin : begin + RATE_HZ // 5]
    if np.abs(piece).max() < 0.01:
        return None
    whole, size = noise(), 2 * LENGTH_S * RATE_HZ
    likeness = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(piece, size)), size)
    return int(np.argmax(likeness[: len(whole)])) / RATE_HZ


def check_in_sync(folder: WorkingFolder, times_s: dict[float, float | None]) -> None:
    """Make sure that both takes have the sound of these moments at these times, to a sample."""
    overlay, clean = folder.recordings
    assert folder.warnings == []
    assert audio_packets(overlay) == audio_packets(clean)
    assert video_times(overlay) == video_times(clean)
    sound = heard_in(clean)
    found = {time_s: moment_heard(sound, time_s) for time_s in times_s}
    assert found == {
        time_s: None if moment_s is None else pytest.approx(moment_s, abs=0.001)
        for time_s, moment_s in times_s.items()
    }


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_recording_has_the_sound_of_its_stretch(tmp_path: Path, suffix: str) -> None:
    clip = make_noisy(tmp_path / f"clip.{suffix}")
    folder = folder_for(clip)
    with played(clip) as source:
        list(frames_of(source, 40))
        with folder.open_recording()[0] as takes:
            for frame in frames_of(source, 60):
                recorded(takes, frame)
    check_in_sync(folder, {0.1: 1.7, 1.0: 2.6, 2.1: 3.7})
    last_s, content = audio_packets(folder.recordings[0])[-1]
    assert content
    assert float(last_s) == pytest.approx(2.4, abs=0.04)


def test_sound_goes_where_the_pictures_go(clip: Path) -> None:
    """On, back, and to the beginning again at the end."""
    folder = folder_for(clip)
    with played(clip) as source, folder.open_recording()[0] as takes:
        for by_s in (0, 2, -2.5, 4):
            source.seek(by_s)
            for frame in frames_of(source, 25):
                recorded(takes, frame)
    moments = {0.1: 0.1, 0.7: 0.7, 1.1: 3.06, 1.7: 3.66, 2.1: 1.54, 2.7: 2.14, 3.1: 0.1, 3.7: 0.7}
    check_in_sync(folder, dict(moments))


def test_the_second_turn_of_a_loop_sounds_again(clip: Path) -> None:
    folder = folder_for(clip)
    with played(clip) as source, folder.open_recording()[0] as takes:
        for frame in frames_of(source, 330):
            recorded(takes, frame)
    early = 1 / 25 - 1 / 30  # the clip's last picture is shown for a thirtieth of a second
    moments = {0.1: 0.1, 5.7: 5.7, 6.1: 0.1 + early, 11.7: 5.7 + early, 12.1: 0.1 + 2 * early}
    check_in_sync(folder, dict(moments))


@pytest.mark.parametrize("holds", [[20], [0, 20]], ids=["within", "from_the_first"])
def test_what_is_frozen_is_silent(clip: Path, holds: list[int]) -> None:
    """For two seconds, after which the sound goes on with the picture."""
    folder, later = folder_for(clip), 0
    with played(clip) as source, folder.open_recording()[0] as takes:
        for number, frame in enumerate(frames_of(source, 50)):
            recorded(takes, frame, later, is_frozen=number in holds and number == 0)
            for _ in range(50 if number in holds else 0):
                later += 1
                recorded(takes, frame, later, is_frozen=True)
    expected: dict[float, float | None] = {
        20: {0.1: 0.1, 0.5: 0.5, 0.9: None, 2.5: None, 2.9: 0.9, 3.5: 1.5},
        0: {0.1: None, 1.7: None, 2.1: 0.1, 2.5: 0.5, 2.9: None, 4.5: None, 4.9: 0.9, 5.5: 1.5},
    }[holds[0]]
    check_in_sync(folder, expected)


@pytest.mark.parametrize("codec", ["flac", "alac"])
@pytest.mark.parametrize("is_gap", [True, False], ids=["gap", "no_gap"])
def test_gaps_are_told_of_where_no_silence_can_be_made(
    tmp_path: Path, codec: str, *, is_gap: bool
) -> None:
    folder = folder_for(make_noisy(tmp_path / "clip.mkv", codec))
    with played(tmp_path / "clip.mkv") as source, folder.open_recording()[0] as takes:
        for number, frame in enumerate(frames_of(source, 60)):
            recorded(takes, frame, is_frozen=is_gap and number in range(20, 40))
    told = (
        "the sound of clip.mkv may drift from the picture in some players: it has gaps, as no "
        f"silence can be made in {codec}"
    )
    assert folder.warnings == ([told] if is_gap else [])


def test_silence_is_sound_as_browsers_play_on_over_gaps(clip: Path) -> None:
    folder = folder_for(clip)
    with played(clip) as source, folder.open_recording()[0] as takes:
        for number, frame in enumerate(frames_of(source, 60)):
            recorded(takes, frame, is_frozen=number < 15 or 35 < number < 45)
        for by_s in (2, -3):
            source.seek(by_s)
            for frame in frames_of(source, 30):
                recorded(takes, frame)
    (overlay, _), length_s = folder.recordings, 1024 / RATE_HZ
    times_s = [float(time_s) for time_s, _ in audio_packets(overlay)]
    assert times_s[0] == pytest.approx(0, abs=length_s)
    steps_s = [after - before for before, after in pairwise(times_s)]
    assert max(steps_s) <= 1.6 * length_s
    assert len(times_s) * length_s == pytest.approx(times_s[-1] - times_s[0], abs=0.1)


@pytest.mark.parametrize("codec", ["aac", "ac3", "eac3", "libopus", "flac"])
def test_what_is_frozen_throughout_is_whole(tmp_path: Path, codec: str) -> None:
    clip = make_clip(tmp_path / "clip.mkv", audio_codec=codec)
    folder = folder_for(clip)
    with played(clip) as source, folder.open_recording()[0] as takes:
        for frame in frames_of(source, 10):
            recorded(takes, frame, is_frozen=True)
    assert folder.warnings == []
    assert [len(video_times(path)) for path in folder.recordings] == [10, 10]


def test_the_seconds_before_the_key_have_their_sound(clip: Path) -> None:
    """Also where the file was gone on with elsewhere meanwhile."""
    folder = folder_for(clip)
    assert folder.open_standby is not None
    with played(clip) as source, folder.open_standby() as standby:
        for frame in frames_of(source, 100):
            recorded(standby, frame)
        source.seek(-3)
        for frame in frames_of(source, 25):  # from 0.96 s on
            recorded(standby, frame)
        _, begin_s = standby.begin(folder.open_recording)
        for frame in frames_of(source, 25):
            recorded(standby, frame)
    assert begin_s == 2
    check_in_sync(folder, {0.1: 2.1, 1.7: 3.7, 2.1: 1.06, 3.7: 2.66})


def test_the_whole_run_has_its_sound_to_the_end(clip: Path, tmp_path: Path) -> None:
    folder = folder_for(clip)
    source = PlayedSource(lambda start_s: open_source(clip, start_s=start_s or 4.0))
    with source, folder.open_whole(tmp_path / "run.mp4") as takes:
        for frame in frames_of(source, 100):
            recorded(takes, frame)
    assert moment_heard(heard_in(tmp_path / "run.mp4"), 0.5) == pytest.approx(4.5, abs=0.001)
    assert audio_packets(tmp_path / "run.mp4")[-1][1] == audio_packets(clip)[-1][1]


def test_a_file_without_sound_stays_without(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "silent.mp4", num_frames=10)
    folder = folder_for(silent)
    with played(silent) as source, folder.open_recording()[0] as takes:
        for frame in frames_of(source, 10):
            recorded(takes, frame)
    assert folder.warnings == []
    with av.open(str(folder.recordings[0])) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_sound_that_an_mp4_does_not_hold_is_said_once(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mov", audio_codec="pcm_mulaw")
    folder = folder_for(clip)
    with played(clip) as source, folder.open_recording()[0] as takes:
        for frame in frames_of(source, 20):
            recorded(takes, frame)
    (warning,) = folder.warnings
    assert "pcm_mulaw sound of clip.mov is left out" in warning
