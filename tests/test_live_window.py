"""The live view in a real window on a virtual screen, driven by real key presses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import av
import pytest

from stream.frames import RgbImage
from tests.conftest import ROOT
from tests.waits import PROCESS_S, until

pytestmark = pytest.mark.needs_display


class LiveProcess:
    """A live view in a process of its own, in a folder of its own."""

    def __init__(self, display: str, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._environment = {**os.environ, "DISPLAY": display}
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "run_live.py"), *arguments],
            cwd=folder,
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.window = ""

    def wait_for(self, what: Callable[[], bool], *, to: str) -> None:
        """Return once ``what`` holds; fails when the process ends first or nothing happens."""

        def is_so() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"ended before {to}: {self.process.communicate()[1]}")
            return what()

        until(is_so, to, between=self._pause)

    def find_window(self) -> None:
        self.wait_for(self._has_window, to="a window")

    def _has_window(self) -> bool:
        found = self._xdotool("search", "--onlyvisible", "--name", "^Signlight$").split()
        self.window = found[0] if found else ""
        return bool(found)

    def _pause(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.1)

    def press(self, key: str) -> None:
        self._xdotool("key", "--window", self.window, key)

    def screenshot(self) -> RgbImage:
        """Return the screen as uint8 (H, W, 3) RGB."""
        path = self.folder / "screen.png"
        grab = ["-f", "x11grab", "-i", self._environment["DISPLAY"], "-frames:v", "1"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", *grab, str(path)], check=True, timeout=PROCESS_S
        )
        with av.open(str(path)) as container:
            picture: RgbImage = next(container.decode(video=0)).to_ndarray(format="rgb24")
            return picture

    def _xdotool(self, *arguments: str) -> str:
        return subprocess.run(
            ["xdotool", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PROCESS_S,
            check=False,  # a search that finds nothing yet is no failure
        ).stdout

    def end(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=PROCESS_S)
        return self.process.returncode, stderr


@pytest.fixture
def live(display: str, tmp_path: Path, long_clip: Path) -> Iterator[LiveProcess]:
    """A live view of a long clip whose every frame differs, its window open."""
    look = ["--no-hud", "--random-weights", "--crop-size", "32"]
    live = LiveProcess(display, tmp_path, str(long_clip), *look)
    try:
        live.find_window()
        live.wait_for(lambda: live.screenshot().std() > 4, to="a picture on the screen")
        yield live
    finally:
        live.process.kill()
        live.process.communicate(timeout=PROCESS_S)


def test_snapshot_recording_and_quitting(live: LiveProcess) -> None:
    live.press("s")
    live.wait_for(lambda: bool(list(live.folder.glob("signlight-*.png"))), to="a snapshot")
    live.press("r")
    live.wait_for(lambda: bool(list(live.folder.glob("signlight-*.mp4"))), to="a recording")
    live.press("q")
    code, stderr = live.end()
    assert code == 0, stderr
    assert "frames shown" in stderr
    for pattern in ("signlight-*.png", "signlight-*.mp4"):
        (path,) = live.folder.glob(pattern)
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).width == 64


def test_freezing_holds_the_picture_and_keys_still_change_it(live: LiveProcess) -> None:
    before = live.screenshot()
    live.wait_for(lambda: bool((live.screenshot() != before).any()), to="a clip that plays")
    live.press("space")
    live.wait_for(
        lambda: bool((live.screenshot() == live.screenshot()).all()), to="a frozen picture"
    )
    frozen = live.screenshot()
    live.press("f")
    live.wait_for(lambda: bool((live.screenshot() != frozen).any()), to="a mirrored picture")
    live.press("Escape")
    code, stderr = live.end()
    assert code == 0, stderr
