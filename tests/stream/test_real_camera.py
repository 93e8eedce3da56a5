"""A real V4L2 camera: PipeWire shows one, without a kernel module."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.program import QUICK, decoded
from tests.stream.camera_session import MISSING, CameraSession
from tests.stream.displays import Display
from tests.waits import PROCESS_S, until

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0,
        reason="PipeWire's session needs folders that only root may make",
    ),
]

READ = """
import json
from stream.sources.camera import CameraSource

pictures, times = set(), []
with CameraSource(0, max_frames=60, first_frame_within_s=30) as source:
    while (frame := source.read()) is not None:
        pictures.add(frame.image.tobytes())
        times.append(frame.pts)
    print(json.dumps({"distinct": len(pictures), "times": times, "told": source.info.details}))
"""
PROGRAM = str(ROOT / "run_live.py")
MAX_SESSIONS = 6
"""PipeWire's camera gives nothing, or stops, in some sessions, whoever reads it."""


@pytest.fixture
def session() -> Iterator[CameraSession]:
    """A session with nothing plugged in."""
    with CameraSession() as session:
        yield session


def run(session: CameraSession, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python beside the camera."""
    with session.start_python(*arguments) as process:
        out, err = process.communicate(timeout=PROCESS_S)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def run_with_camera(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python beside the camera, in the first session in which that works."""
    for _ in range(MAX_SESSIONS):
        with CameraSession() as session:
            session.plug()
            done = run(session, *arguments)
        if done.returncode == 0:
            return done
    pytest.fail(f"the camera worked in none of {MAX_SESSIONS} sessions: {done.stderr}")


def test_frames_of_a_camera_come_with_rising_times() -> None:
    """Which picture a buffer holds is PipeWire's doing: plain OpenCV sees some swapped, too."""
    found: dict[str, Any] = json.loads(run_with_camera("-c", READ).stdout)
    assert len(found["times"]) == 60
    assert all(before < after for before, after in pairwise(found["times"]))
    assert found["distinct"] > 30, "a busy machine may repeat or lose some, not most"
    assert found["told"].startswith("640 x 480, 30 fps")


def test_the_camera_is_listed_with_its_size() -> None:
    name, size = run_with_camera(PROGRAM, "cameras").stdout.splitlines()[:2]
    assert name.startswith("0  gst-launch")
    assert size.split() == ["640", "x", "480", "YUYV"]  # PipeWire tells no rates


def test_a_camera_that_is_gone_before_the_start_is_told_in_one_line(
    session: CameraSession,
) -> None:
    session.plug()
    session.unplug()
    done = run(session, PROGRAM, "0", "--no-window", "--save", "nothing.mp4")
    assert done.returncode == 1
    assert done.stderr.startswith("signlight: there is no camera 0")
    assert done.stderr.count("\n") == 1


class View:
    """The program in a window, on the camera."""

    def __init__(self, session: CameraSession, display: Display, folder: Path, *more: str) -> None:
        self.folder = folder
        self.display = display
        self.process = session.start_python(
            PROGRAM, "0", "--no-hud", *QUICK, *more, cwd=folder, DISPLAY=display.name
        )
        self._seen = display.screenshot()[:240, :320]

    def wait_for(self, is_so: Callable[[], bool], what: str) -> None:
        def holds() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"ended before {what}: {self.process.communicate()[1]}")
            return is_so()

        until(holds, what)

    def wait_until_it_plays(self) -> None:
        self.wait_for(self._plays, "a bright picture that moves")

    def wait_until_it_is_dim(self) -> None:
        self.wait_for(lambda: 5 < self.display.screenshot()[:240, :320].mean() < 60, "a loss")

    def files(self, ending: str) -> list[Path]:
        return sorted(self.folder.glob(f"signlight-*{ending}"))

    def end(self) -> tuple[int, str]:
        _, told = self.process.communicate(timeout=PROCESS_S)
        return self.process.returncode, told

    def _plays(self) -> bool:
        before, self._seen = self._seen, self.display.screenshot()[:240, :320]
        is_bright = min(before.mean(), self._seen.mean()) > 90
        return is_bright and bool((before != self._seen).any())


@pytest.fixture
def view(session: CameraSession, display: Display, tmp_path: Path) -> Iterator[View]:
    """A view that plays and records all, and a second recording that was begun by key."""
    session.plug()
    view = View(session, display, tmp_path, "--save", "all.mp4")
    try:
        view.wait_until_it_plays()
        view.display.press("r")
        view.wait_for(lambda: bool(view.files(".clean.mp4")), "a recording")
        yield view
    finally:
        view.process.kill()
        view.process.communicate(timeout=PROCESS_S)


def gaps_of(video: Path) -> list[float]:
    """Return how long, in seconds, pictures stand for two seconds or more; all times rise."""
    times, _ = decoded(video)
    assert times[0] == 0
    assert all(before < after for before, after in pairwise(times))
    steps = [float(after - before) for before, after in pairwise(times)]
    return [step for step in steps if step >= 2]


def signals_of(table: Path) -> list[str]:
    with table.open(newline="") as rows:
        return [row["value"] for row in csv.DictReader(rows) if row["setting"] == "signal"]


@pytest.mark.needs_display
def test_a_camera_comes_back_of_the_same_size_of_another_and_not_at_all(
    session: CameraSession, view: View
) -> None:
    """The picture is dimmed meanwhile, all goes on by itself, and every file is whole and named."""
    session.unplug()
    view.wait_until_it_is_dim()
    session.plug()
    view.wait_until_it_plays()
    session.unplug()
    view.wait_until_it_is_dim()
    session.plug(320, 240)
    view.wait_until_it_plays()
    session.unplug()
    view.wait_until_it_is_dim()
    view.display.press("q")
    code, told = view.end()
    assert code == 0, told
    assert "camera 0 was lost 3 times" in told
    whole, second = view.folder / "all.mp4", view.folder / "all-2.mp4"
    videos = [whole, second, *view.files(".clean.mp4"), *view.files(".overlay.mp4")]
    assert len(videos) == 6
    saved = [line.removeprefix("saved ") for line in told.splitlines() if line[:6] == "saved "]
    assert sorted(Path(name).name for name in saved) == sorted(path.name for path in videos)
    for path in videos:
        is_second = path.stem.removesuffix(".clean").removesuffix(".overlay").endswith("-2")
        assert len(gaps_of(path)) == (0 if is_second else 1), path.name
        assert decoded(path)[1][0].shape == ((240, 320, 3) if is_second else (480, 640, 3))
    events = {path.name[-13:]: signals_of(path) for path in view.files(".events.csv")}
    assert sorted(events.values()) == [["back", "lost"], ["lost", "back", "lost"]]


@pytest.mark.needs_display
def test_a_camera_that_is_unplugged_ends_a_view_that_shall_not_wait(
    display: Display, tmp_path: Path
) -> None:
    for _ in range(MAX_SESSIONS):
        with CameraSession() as session:
            session.plug()
            view = View(session, display, tmp_path, "--save", "all.mp4", "--no-reconnect")
            with suppress(pytest.fail.Exception):  # it stopped by itself
                view.wait_until_it_plays()
                session.unplug()
                code, told = view.end()
                break
    else:
        pytest.fail(f"the camera worked in none of {MAX_SESSIONS} sessions")
    assert code == 1, told
    saved, fault = told.splitlines()
    assert saved == "saved all.mp4"
    assert fault.startswith("signlight: camera 0 stopped: it was unplugged")
    assert gaps_of(tmp_path / "all.mp4") == []
