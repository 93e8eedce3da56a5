"""MP4 files: something playable whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.sinks.mp4 import Mp4Sink
from stream.sources.file import FileSource
from tests.clips import (
    TIME_BASE,
    audio_packets,
    make_clip,
    numbered,
    regular_times,
    video_times,
)
from tests.conftest import ROOT
from tests.stream.mp4_files import boxes_of, numbers_of, write_numbers
from tests.waits import PROCESS_S


class TestInterruption:
    def test_killed_it_plays_up_to_the_last_seconds(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mp4", num_frames=300, audio_codec="aac")
        path = tmp_path / "out.mp4"
        run = subprocess.run(
            [sys.executable, "-c", _KILLED, str(clip), str(path)], cwd=ROOT, timeout=PROCESS_S
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
        # What is left of it can be written again, as no other file can.
        with Mp4Sink(path) as sink:
            write_numbers(sink, regular_times(3))
        assert numbers_of(path) == [0, 1, 2]

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
        with Mp4Sink(tmp_path / "kept.mp4") as sink:
            write_numbers(sink, regular_times(3))
        content = (tmp_path / "kept.mp4").read_bytes()
        for name in ("out.mp4", "kept.mp4"):
            with Mp4Sink(tmp_path / name):
                pass
        assert not (tmp_path / "out.mp4").exists()
        assert (tmp_path / "kept.mp4").read_bytes() == content

    @pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be deleted there")
    def test_a_file_that_somebody_took_away_is_not_called_complete(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        sink = Mp4Sink(path)
        write_numbers(sink, regular_times(3))
        path.unlink()
        with pytest.raises(OutputError, match=r"out\.mp4 is gone: .*; write it again"):
            sink.close()
        assert sink.warnings == []
        assert list(tmp_path.iterdir()) == []
        sink.close()

    @pytest.mark.skipif(sys.platform == "win32", reason="files have no size limit to set there")
    def test_a_full_disk_keeps_what_was_written(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        run = subprocess.run(
            [sys.executable, "-c", _LIMITED, str(path)],
            cwd=ROOT,
            timeout=PROCESS_S,
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

    @pytest.mark.skipif(sys.platform == "win32", reason="files have no size limit to set there")
    @pytest.mark.parametrize("is_there", [False, True], ids=["new", "earlier"])
    def test_wherever_the_disk_becomes_full_no_frame_is_missing_without_a_word(
        self, tmp_path: Path, is_there: bool
    ) -> None:
        """From before the first fragment to after the last, with sound and without an earlier."""
        clip = make_clip(tmp_path / "clip.mp4", num_frames=150, audio_codec="aac")
        path = tmp_path / "out.mp4"
        run = subprocess.run(
            [sys.executable, "-c", _EVERYWHERE_FULL, str(clip), str(path), str(is_there)],
            cwd=ROOT,
            timeout=PROCESS_S,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        outcomes = Counter(run.stdout.splitlines())
        assert set(outcomes) == {"told", "told how many", "whole"}

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

_EVERYWHERE_FULL = """
import re, resource, signal, sys
from pathlib import Path
import av
from stream.errors import OutputError
from tests.stream.mp4_files import copy_video

clip, path, is_there = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "True"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
copy_video(clip, path)
earlier, size = path.read_bytes(), path.stat().st_size


def amounts(path):
    try:
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux() if packet.size]
            packets = [packet for packet in packets if not packet.is_corrupt]
            sound = sum(packet.size for packet in packets if packet.stream_index == 1)
            return sum(packet.stream_index == 0 for packet in packets), sound
    except (av.FFmpegError, OSError):
        return 0, 0


whole = amounts(path)
for part in range(1, 26):
    if not is_there:
        path.unlink(missing_ok=True)
    limit = size * part // 20
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        copy_video(clip, path)
    except OutputError as error:
        if is_there:
            assert path.read_bytes() == earlier
            assert f"{path} is the earlier one, as it was" in str(error)
        told = re.search("only ([0-9]+) of its 150 frames are whole", str(error))
        if told is None:
            print("told")
        else:
            left = path.with_name("out.unfinished.mp4") if is_there else path
            assert amounts(left)[0] == int(told[1]) < 150, error
            assert left.exists() == (amounts(left)[0] > 0)
            print("told how many")
    else:
        print("whole" if amounts(path) == whole else f"lost with {limit} of {size}")
"""
