"""A real RTSP server: nothing is lost, and what goes wrong is told in one line."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import av
import pytest

from stream.errors import SourceLostError, SourceRefusedError
from stream.frames import STALE_S, Frame
from stream.sources import open_source
from stream.sources.network import NetworkSource
from stream.sources.returning import ReturningSource
from tests.clips import make_clip, number_in, numbered
from tests.conftest import ROOT
from tests.program import QUICK, fails
from tests.stream.mp4_files import probe
from tests.waits import PROCESS_S, WAIT_S, until

SYSTEM_PYTHON = "/usr/bin/python3"
"""The Python that Debian's bindings of GStreamer belong to."""
NUM_FRAMES = 60
PROGRAM = str(ROOT / "run_live.py")


def sent_pictures(width: int = 192, height: int = 128) -> str:
    """Return the pipeline that sends 30 of that size a second."""
    return (
        f"( videotestsrc is-live=true ! video/x-raw,width={width},height={height},framerate=30/1 "
        "! x264enc tune=zerolatency key-int-max=30 ! rtph264pay name=pay0 pt=96 config-interval=1 )"
    )


TEST_PICTURES = sent_pictures()


def _has_server() -> bool:
    ask = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); "
        "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
        "names = ('x264enc', 'rtph264pay', 'qtdemux', 'h264parse'); "
        "raise SystemExit(not all(map(Gst.ElementFactory.find, names)))"
    )
    try:
        return subprocess.run([SYSTEM_PYTHON, "-c", ask], capture_output=True).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(
    not _has_server(),
    reason="not installed: gir1.2-gst-rtsp-server-1.0, python3-gi and GStreamer's plugins",
)


@contextmanager
def serving(
    launch: str, port: str = "0", access: str = "open"
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a pipeline; give its address and the server's process."""
    command = [SYSTEM_PYTHON, str(ROOT / "tests/stream/rtsp_server.py"), launch, port, access]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"rtsp://127.0.0.1:{int(process.stdout.readline())}/clip", process
        finally:
            process.kill()
            process.wait(WAIT_S)


def recording(path: Path, *, sound: bool) -> str:
    """Write a clip with one key frame, its first; return the pipeline that sends it."""
    make_clip(
        path,
        [numbered(index) for index in range(NUM_FRAMES)],
        options={"bf": "0", "sc_threshold": "0"},
        gop_size=250,
        audio_codec="aac" if sound else None,
    )
    picture = "queue ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1"
    voice = "d.audio_0 ! queue ! aacparse ! rtpmp4apay name=pay1 pt=97" if sound else ""
    return f"( filesrc location={path} ! qtdemux name=d d.video_0 ! {picture} {voice} )"


@pytest.mark.parametrize("sound", [False, True], ids=["silent", "with sound"])
def test_every_frame_comes_from_the_first_key_frame_on(tmp_path: Path, sound: bool) -> None:
    """All but the first depend on the frames before, so none may be lost."""
    launch = recording(tmp_path / "clip.mp4", sound=sound)
    with serving(launch) as (url, _), NetworkSource(url) as source:
        assert source.info.is_live
        found: list[int] = []
        with suppress(SourceLostError):  # with sound, the server does not say how long it is
            found.extend(number_in(frame.image) for frame in iter(source.read, None))
    assert found == list(range(NUM_FRAMES))


def test_times_of_a_stream_begin_with_its_first_frame() -> None:
    with serving(TEST_PICTURES) as (url, _), NetworkSource(url, max_frames=30) as source:
        times_s = [frame.time_s for frame in iter(source.read, None)]
    assert times_s[0] == 0
    assert times_s[-1] == pytest.approx(29 / 30, abs=0.2)


@pytest.mark.parametrize(
    ("blow", "fault"),
    [(signal.SIGKILL, "stopped after"), (signal.SIGSTOP, "nothing came for 0.5 s")],
    ids=["killed", "frozen"],
)
def test_a_server_that_is_gone_is_told_in_one_line(blow: signal.Signals, fault: str) -> None:
    with serving(TEST_PICTURES) as (url, process), NetworkSource(url, read_timeout_s=0.5) as source:
        assert source.read() is not None
        process.send_signal(blow)
        with pytest.raises(SourceLostError, match=fault) as caught:
            list(iter(source.read, None))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_server_that_comes_back_is_read_on(blow: signal.Signals) -> None:
    """At once the second time it is tried; the time between is a gap, and all times go on."""

    def number_of_frames(source: ReturningSource, count: int) -> list[Frame]:
        return [frame for _ in range(count) if (frame := source.read()) is not None]

    with ExitStack() as servers:
        url, process = servers.enter_context(serving(TEST_PICTURES))
        port = str(urlsplit(url).port)
        tries: list[str] = []

        def reopen() -> NetworkSource:
            tries.append("try")
            if len(tries) == 2:
                process.kill()  # a frozen one still holds the port
                process.wait(WAIT_S)
                servers.enter_context(serving(TEST_PICTURES, port))
            return NetworkSource(url, open_timeout_s=5.0)

        with ReturningSource(NetworkSource(url), reopen, stale_s=1.0, waits_s=(0.0,)) as source:
            before = number_of_frames(source, 5)
            process.send_signal(blow)
            while not tries:
                before += number_of_frames(source, 1)
            after = number_of_frames(source, 5)
            assert len(after) == 5
            assert "was lost" in source.warnings[-1]
    every = [*before, *after]
    times_s = [frame.time_s for frame in every]
    assert all(earlier < later for earlier, later in pairwise(times_s))
    passed_s = (every[-1].captured_ns - every[0].captured_ns) / 1e9
    assert times_s[-1] - times_s[0] == pytest.approx(passed_s, abs=2.0)
    assert [frame.index for frame in every] == list(range(len(every)))


def test_a_server_that_freezes_and_goes_on_is_read_on() -> None:
    """It is left after three seconds without a picture, and answers when it can again."""
    tries_s: list[float] = []
    with serving(TEST_PICTURES) as (url, process):

        def reopen() -> NetworkSource:
            tries_s.append(time.monotonic())
            process.send_signal(signal.SIGCONT)
            return NetworkSource(url)

        with ReturningSource(NetworkSource(url), reopen, waits_s=(0.0,)) as source:
            before = [source.read() for _ in range(5)]
            process.send_signal(signal.SIGSTOP)
            while not tries_s:
                before.append(source.read())
            after = [before.pop(), *(source.read() for _ in range(5))]
    last, first = before[-1], after[0]
    assert last is not None
    assert first is not None
    assert tries_s[0] - last.captured_ns / 1e9 >= STALE_S
    passed_s = (first.captured_ns - last.captured_ns) / 1e9
    assert first.time_s - last.time_s == pytest.approx(passed_s, abs=1.0)  # they come in bursts
    assert (last.num_losses, first.num_losses) == (0, 1)


@pytest.mark.parametrize(
    ("access", "fault"), [("secret", "401"), ("empty", "404")], ids=["password", "address"]
)
def test_what_a_server_that_is_there_does_not_give_is_refused(access: str, fault: str) -> None:
    with (
        serving(TEST_PICTURES, access=access) as (url, _),
        pytest.raises(SourceRefusedError, match=fault) as caught,
    ):
        NetworkSource(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("num_kills", "access", "fault"),
    [(2, "secret", "401"), pytest.param(20, "empty", "404", marks=pytest.mark.slow)],
)
def test_a_recording_outlives_its_server(
    tmp_path: Path, num_kills: int, access: str, fault: str
) -> None:
    """Each kill is a gap, each fifth (of a few, the second) another size and so another part.

    A server that refuses in the end ends the view. The recording is looked at by ffprobe.
    """

    def has_breaks(num: int) -> bool:
        return num_breaks(tmp_path) == num

    sizes = [(192, 128), (128, 96)]
    every = min(5, num_kills)
    with ExitStack() as servers:
        url, server = servers.enter_context(serving(sent_pictures(*sizes[0])))
        port = str(urlsplit(url).port)
        program = servers.enter_context(
            subprocess.Popen(
                [sys.executable, PROGRAM, url, "--no-window", "--save", "all.mp4", *QUICK],
                cwd=tmp_path,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        servers.callback(program.kill)
        until(partial(has_breaks, 0), "a recording")
        for kill in range(1, num_kills + 1):
            server.kill()
            server.wait(WAIT_S)
            size_wh = sizes[kill // every % 2]
            _, server = servers.enter_context(serving(sent_pictures(*size_wh), port))
            until(partial(has_breaks, kill), f"{kill} breaks")
        server.kill()
        server.wait(WAIT_S)
        servers.enter_context(serving(TEST_PICTURES, port, access))
        _, told = program.communicate(timeout=PROCESS_S)
    assert program.returncode == 1
    *named, line = told.splitlines()
    assert line.startswith(f"signlight: {url} ")
    assert fault in line
    parts = parts_in(tmp_path)
    assert len(parts) == 1 + num_kills // every
    assert sorted(named) == sorted(f"saved {part.name}" for part in parts)
    for number, part in enumerate(parts):
        told_of = "stream=width,nb_frames,nb_read_frames"
        shown = probe(part, "-select_streams", "v", "-count_frames", "-show_entries", told_of)
        (stream,) = shown["streams"]
        assert stream["width"] == sizes[number % 2][0]
        assert stream["nb_frames"] == stream["nb_read_frames"]
    assert num_breaks(tmp_path) == num_kills


def parts_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("all*.mp4"), key=lambda part: (len(part.name), part.name))


def num_breaks(folder: Path) -> int:
    """Return how often a recording that may go on was interrupted; -1 where it cannot be read."""
    breaks = -1
    for part in parts_in(folder):
        with suppress(av.error.FFmpegError), av.open(str(part)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
            times_s = sorted(float(packet.pts * packet.time_base) for packet in packets)
            steps_s = [after - before for before, after in pairwise(times_s)]
            assert all(step_s > 0 for step_s in steps_s)
            breaks += 1 + sum(step_s >= 1 for step_s in steps_s)
    return breaks


def test_a_recording_behind_a_server_is_live_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It comes at its own pace and cannot be asked for every frame."""
    with serving(recording(tmp_path / "clip.mp4", sound=False)) as (url, _):
        line = fails(capsys, "export", url, tmp_path / "out.mp4", *QUICK)
        assert "is live" in line
        assert "--save" in line
        with pytest.raises(ValueError, match="has no moment"):
            open_source(url, start_s=1)
