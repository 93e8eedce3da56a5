"""What happens where there is no screen for the window."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from tests.conftest import ROOT
from tests.stream.displays import Display
from tests.waits import PROCESS_S

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="X servers without a screen are of the Unix world"
)


def open_window(display: str | None) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    if display is not None:
        environment["DISPLAY"] = display
    code = (
        "from stream.errors import DisplayError\n"
        "from stream.screens.window import Window\n"
        "try:\n    Window()\n"
        "except DisplayError as exc:\n    print(exc)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )


@pytest.mark.parametrize(
    ("display", "fault"),
    [
        (None, "there is no display to open a window on"),
        (":4242", "the display :4242 does not answer"),
        ("nonsense", "the display nonsense does not answer"),
    ],
)
def test_one_line_names_the_way_out(display: str | None, fault: str) -> None:
    run = open_window(display)
    assert run.returncode == 0, f"OpenCV ended the process: {run.stderr}"
    assert run.stdout.startswith(fault)
    assert "--no-window --save FILE" in run.stdout
    assert run.stdout.count("\n") == 1


@pytest.mark.needs_display
def test_a_display_that_refuses_access(tmp_path: Path) -> None:
    # One entry of Xauthority(5): for every host and display, a cookie that only we know.
    fields = [b"", b"", b"MIT-MAGIC-COOKIE-1", bytes(range(16))]
    entry = b"\xff\xff" + b"".join(len(item).to_bytes(2, "big") + item for item in fields)
    cookies = tmp_path / "cookies"
    cookies.write_bytes(entry)
    with Display("-auth", str(cookies)) as display:
        run = open_window(display.name)
    assert run.returncode == 0, f"OpenCV ended the process: {run.stderr}"
    assert f"the display {display.name} does not answer or refuses access" in run.stdout


def test_an_opencv_without_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    from stream.errors import DisplayError
    from stream.screens.window import Window

    no_toolkit: Callable[[], str] = lambda: ""  # noqa: E731
    monkeypatch.setattr(cv2, "currentUIFramework", no_toolkit)
    with pytest.raises(DisplayError, match="install opencv-python"):
        Window()
