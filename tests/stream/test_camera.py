"""A camera that works, one that is not there, one that hangs, one that is unplugged."""

from __future__ import annotations

import sys
import threading
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import SourceLostError, SourceNotFoundError, SourceTimeoutError
from stream.frames import Frame, RgbImage
from stream.sources.camera import CameraSource
from stream.sources.v4l2 import camera_numbers
from tests.clips import number_in, numbered, patches
from tests.stream.captures import ScriptedCapture
from tests.waits import WAIT_S


def opened(capture: ScriptedCapture, first_frame_within_s: float = WAIT_S) -> CameraSource:
    return CameraSource(
        2, open_capture=lambda number: capture, first_frame_within_s=first_frame_within_s
    )


def read_until_lost(source: CameraSource) -> tuple[list[Frame], SourceLostError]:
    frames = []
    try:
        while (frame := source.read()) is not None:
            frames.append(frame)
    except SourceLostError as exc:
        return frames, exc
    raise AssertionError("a camera has no end")


def pictures(num: int) -> list[RgbImage | None]:
    return [numbered(index) for index in range(num)]


def test_what_was_agreed_on_is_told() -> None:
    capture = ScriptedCapture(
        [patches()],
        settings={
            cv2.CAP_PROP_FPS: 29.97002997,
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"MJPG")),
        },
    )
    with opened(capture) as source:
        assert source.info.name == "camera 2"
        assert source.info.is_live
        assert source.info.frame_rate == Fraction(30_000, 1001)
        assert source.info.details == "192 x 128, 29.97 fps, MJPG, SCRIPT"
    asked = dict(capture.asked)
    assert asked[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert asked[cv2.CAP_PROP_FRAME_HEIGHT] == 720
    assert asked[cv2.CAP_PROP_FPS] == 30
    assert cv2.CAP_PROP_BUFFERSIZE not in asked  # with a single one some drivers send nothing
    # The format comes first: drivers reset the size when it changes.
    assert capture.asked[0] == (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))


def test_a_camera_that_sends_it_so_already_is_left_alone() -> None:
    settings = {
        cv2.CAP_PROP_FRAME_WIDTH: 1280.0,
        cv2.CAP_PROP_FRAME_HEIGHT: 720.0,
        cv2.CAP_PROP_FPS: 30.0,
    }
    capture = ScriptedCapture([patches()], settings=settings)
    with opened(capture):
        assert capture.asked == []


def test_a_camera_that_tells_nothing() -> None:
    with opened(ScriptedCapture([patches()])) as source:
        assert source.info.frame_rate is None
        assert source.info.details == "192 x 128, SCRIPT"


def test_red_stays_red() -> None:
    with opened(ScriptedCapture([patches()])) as source:
        frame = source.read()
    assert frame is not None
    np.testing.assert_array_equal(frame.image, patches())


def test_times_are_microseconds_of_the_clock_from_the_first_frame_on() -> None:
    with opened(ScriptedCapture(pictures(5))) as source:
        frames = [frame for _ in range(5) if (frame := source.read()) is not None]
    assert source.info.time_base == Fraction(1, 1_000_000)
    for frame in frames:
        elapsed_us = (frame.captured_ns - frames[0].captured_ns) // 1000
        # Frames within one microsecond are put one tick apart.
        assert elapsed_us <= frame.pts <= elapsed_us + 5


def test_frames_that_arrive_damaged_are_passed_over() -> None:
    with opened(ScriptedCapture([None, numbered(1), None, None, numbered(2)])) as source:
        frames, _ = read_until_lost(source)
    assert [number_in(frame.image) for frame in frames] == [1, 2]


def test_nothing_but_damaged_frames_is_a_loss() -> None:
    with opened(ScriptedCapture([numbered(0), *[None] * 40])) as source:
        frames, error = read_until_lost(source)
    assert len(frames) == 1
    assert "sends damaged pictures only" in str(error)


def test_unplugging_ends_with_a_clear_line() -> None:
    capture = ScriptedCapture(pictures(3))
    with opened(capture) as source:
        frames, error = read_until_lost(source)
    assert [number_in(frame.image) for frame in frames] == [0, 1, 2]
    assert str(error).startswith("camera 2 stopped: it was unplugged")
    assert "\n" not in str(error)
    assert capture.num_released >= 1


def test_a_camera_that_is_not_there_is_given_back() -> None:
    capture = ScriptedCapture([], is_there=False)
    with pytest.raises(SourceNotFoundError, match="camera 2"):
        opened(capture)
    assert capture.num_released == 1


def test_a_camera_that_shows_nothing_is_given_up_and_given_back_later() -> None:
    gate = threading.Event()
    capture = ScriptedCapture(pictures(1), gate=gate)
    with pytest.raises(SourceTimeoutError, match=r"camera 2 showed no frame within 0\.2 s"):
        opened(capture, first_frame_within_s=0.2)
    assert capture.num_released == 0
    gate.set()
    assert capture.was_released.wait(WAIT_S)


def test_a_backend_that_fails_is_passed_on() -> None:
    def open_capture(number: int) -> ScriptedCapture:
        raise cv2.error("no such backend")

    with pytest.raises(cv2.error, match="no such backend"):
        CameraSource(0, open_capture=open_capture)


def test_closing_does_not_wait_for_a_camera_that_hangs() -> None:
    gate = threading.Event()
    gate.set()
    capture = ScriptedCapture(pictures(5), gate=gate)
    with opened(capture) as source:
        source.read()
        gate.clear()
        capture.is_waiting.clear()
        results: list[Frame | None] = []
        reader = threading.Thread(target=lambda: results.append(source.read()))
        reader.start()
        assert capture.is_waiting.wait(WAIT_S)
        source.close()  # returns, though the reader is still in the driver
        assert capture.num_released == 0
        gate.set()
        reader.join(WAIT_S)
    assert results == [None]
    assert capture.was_released.is_set()


def test_the_cameras_of_linux_are_those_with_pictures(tmp_path: Path) -> None:
    for device, index in [("video0", "0\n"), ("video1", "1\n"), ("video10", "0\n"), ("video2", "")]:
        (tmp_path / device).mkdir()
        if index:
            (tmp_path / device / "index").write_text(index)
    assert camera_numbers(tmp_path) == [0, 2, 10]
    assert camera_numbers(tmp_path / "missing") == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list their cameras")
def test_no_camera_at_all_is_told_on_this_machine(capfd: pytest.CaptureFixture[str]) -> None:
    if camera_numbers():
        pytest.skip("this machine has a camera")
    with pytest.raises(SourceNotFoundError, match="there is no camera 0, nor any other"):
        CameraSource(0)
    assert capfd.readouterr().err == ""  # OpenCV keeps quiet
