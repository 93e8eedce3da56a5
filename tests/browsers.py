"""A real browser, for what is written for one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest

from stream.sinks.jpeg import encode_jpeg

__all__ = ["opened_chromium", "write_camera"]

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def write_camera(path: Path, clip: Path) -> None:
    """Write what Chromium shows as a camera: two seconds of a clip, 640 x 360, as JPEGs."""
    with av.open(str(clip)) as source, path.open("wb") as file:
        for frame in islice(source.decode(video=0), 60):
            small = frame.reformat(640, 360, "rgb24")
            file.write(encode_jpeg(small.to_ndarray()))


@contextmanager
def opened_chromium(camera: Path) -> Iterator[Any]:
    """Chromium without a window; skips where it, or Playwright, is not there.

    Args:
        camera: Shown as the only camera; a page needs the permission ``camera`` to see it.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    # Root may not use its sandbox; the other switches keep it from looking up hosts.
    switches = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=program, args=switches + quiet + fake)
        yield browser
        browser.close()
