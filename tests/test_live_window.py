"""The live view in a real window on a virtual screen, driven by real key presses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import av
import pytest

from stream.frames import RgbImage
from tests.conftest import ROOT
from tests.stream.displays import Display
from tests.waits import PROCESS_S, until

pytestmark = pytest.mark.needs_display


class LiveProcess:
    """A live view in a process of its own, in a folder of its own."""

    def __init__(self, display: Display, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.press, self.screenshot = display.press, display.screenshot
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "run_live.py"), *arguments],
            cwd=folder,
            env={**os.environ, "DISPLAY": display.name},
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, what: Callable[[], bool], *, to: str) -> None:
        """Return once ``what`` holds; fails when the process ends first or nothing happens."""

        def is_so() -> bool:
            if self.process.poll() is not None:
                pytest.fail(f"ended before {to}: {self.process.communicate()[1]}")
            return what()

        until(is_so, to, between=self._pause)

    def wait_until_it_stands(self) -> RgbImage:
        """Return the picture once it has stayed the same for several looks."""
        looks: deque[RgbImage] = deque(maxlen=10)

        def stands() -> bool:
            looks.append(self.screenshot())
            return len(looks) == 10 and all((look == looks[0]).all() for look in looks)

        self.wait_for(stands, to="a frozen picture")
        return looks[0]

    def _pause(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.1)

    def end(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=PROCESS_S)
        return self.process.returncode, stderr


@pytest.fixture
def live(display: Display, tmp_path: Path, long_clip: Path) -> Iterator[LiveProcess]:
    """A live view of a long clip whose every frame differs, its window open."""
    look = ["--no-hud", "--random-weights", "--crop-size", "32"]
    live = LiveProcess(display, tmp_path, str(long_clip), *look)
    try:
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
    for pattern in ("signlight-*.png", "signlight-*.overlay.mp4", "signlight-*.clean.mp4"):
        (path,) = live.folder.glob(pattern)
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).width == 64
    assert len(list(live.folder.glob("signlight-*.events.csv"))) == 1


def test_freezing_holds_the_picture_and_keys_still_change_it(live: LiveProcess) -> None:
    before = live.screenshot()
    live.wait_for(lambda: bool((live.screenshot() != before).any()), to="a clip that plays")
    live.press("space")
    frozen = live.wait_until_it_stands()
    live.press("f")
    live.wait_for(lambda: bool((live.screenshot() != frozen).any()), to="a mirrored picture")
    live.press("Escape")
    code, stderr = live.end()
    assert code == 0, stderr
