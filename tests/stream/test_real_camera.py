"""A real V4L2 camera: PipeWire shows a clip as one, without a kernel module."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.clips import make_clip, numbered
from tests.conftest import ROOT
from tests.waits import PROCESS_S

PROGRAMS = ("pipewire", "wireplumber", "pw-v4l2", "pw-cli", "gst-launch-1.0", "dbus-run-session")
MISSING = [name for name in PROGRAMS if not shutil.which(name)]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0,
        reason="PipeWire's session needs folders that only root may make",
    ),
]

READ = """
import json, os, signal, sys
from stream.errors import SourceLostError
from stream.sources.camera import CameraSource
from tests.clips import number_in

numbers, times, fault = [], [], None
with CameraSource(0, first_frame_within_s=30) as source:
    details = source.info.details
    try:
        while (frame := source.read()) is not None:
            numbers.append(number_in(frame.image))
            times.append(frame.pts)
            if len(numbers) == int(sys.argv[1]):
                break
            if len(numbers) == int(sys.argv[2]):
                os.kill(int(os.environ["CAMERA_PID"]), signal.SIGKILL)  # unplugged
    except SourceLostError as error:
        fault = str(error)
print(json.dumps({"numbers": numbers, "times": times, "details": details, "fault": fault}))
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of numbered pictures of the size that cameras are asked for."""
    return make_clip(
        tmp_path_factory.mktemp("camera") / "clip.avi",
        [numbered(index, 1280, 720) for index in range(240)],
        time_base=Fraction(1, 30),
        codec="mjpeg",
        pix_fmt="yuvj420p",
    )


MAX_SESSIONS = 6
"""PipeWire's camera gives nothing, or stops, in one session of four, whoever reads it."""


def read_camera(clip: Path, *, num_frames: int, unplug_after: int = -1) -> dict[str, Any]:
    """Return what was read in the first session in which the camera works."""
    found: dict[str, Any] = {}
    for _ in range(MAX_SESSIONS):
        found = _read_in_a_session(clip, num_frames, unplug_after)
        if len(found.get("numbers", [])) >= (num_frames if unplug_after < 0 else unplug_after):
            return found
    pytest.fail(f"the camera worked in none of {MAX_SESSIONS} sessions; in the last: {found}")


def _run_in_a_session(clip: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python beside the camera."""
    return subprocess.run(
        [
            "dbus-run-session", "--", "sh", ROOT / "tests/stream/camera_session.sh", clip,
            "pw-v4l2", sys.executable, *arguments,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )  # fmt: skip


def _read_in_a_session(clip: Path, num_frames: int, unplug_after: int) -> dict[str, Any]:
    run = _run_in_a_session(clip, "-c", READ, str(num_frames), str(unplug_after))
    if run.returncode:
        return {"fault": run.stderr}
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_frames_of_a_camera_come_with_rising_times(clip: Path) -> None:
    """Which picture a buffer holds is PipeWire's doing: plain OpenCV sees some swapped, too."""
    found = read_camera(clip, num_frames=60)
    times = found["times"]
    assert found["fault"] is None
    assert len(times) == 60
    assert all(before < after for before, after in pairwise(times))
    assert len(set(found["numbers"])) > 30, "a busy machine may repeat or lose some, not most"
    assert str(found["details"]).startswith("1280 x 720, 30 fps")


def test_a_camera_that_is_unplugged_is_told_in_one_line(clip: Path) -> None:
    found = read_camera(clip, num_frames=10_000, unplug_after=10)
    assert "unplugged" in str(found["fault"])
    assert "\n" not in str(found["fault"])


def test_the_camera_is_listed_with_its_size(clip: Path) -> None:
    for _ in range(MAX_SESSIONS):
        run = _run_in_a_session(clip, "run_live.py", "cameras")
        if run.returncode == 0:
            break
    assert run.returncode == 0, run.stderr
    name, size = run.stdout.splitlines()[:2]
    assert name.startswith("0  gst-launch")
    assert size.split() == ["1280", "x", "720", "YUYV"]  # PipeWire tells no rates
