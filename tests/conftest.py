"""Fixtures and rules that every test shares."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.stream.displays import Display

ROOT = Path(__file__).resolve().parents[1]

# The suite tries the same examples each time and keeps nothing; "long" looks for new ones.
settings.register_profile("suite", max_examples=40, derandomize=True, deadline=None, database=None)
settings.register_profile("long", max_examples=2500, deadline=None, database=None)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave the cache of whoever runs the tests alone, unless they name one for the tests."""
    with pytest.MonkeyPatch.context() as patch:
        if "SIGNLIGHT_CACHE" not in os.environ:
            patch.setenv("SIGNLIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _no_leaked_thread() -> Iterator[None]:
    """Fail a test whose threads outlive it: threads are joined, never abandoned."""
    before = set(threading.enumerate())
    yield
    # Threads that libraries keep in pools are daemons or carry no name of ours.
    leaked = [
        thread
        for thread in set(threading.enumerate()) - before
        if thread.is_alive() and thread.name.startswith("signlight-")
    ]
    assert not leaked, f"threads outlive the test: {[thread.name for thread in leaked]}"


@pytest.fixture(autouse=True)
def _no_error_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which our own code logs an error without the test asking for it."""
    yield
    errors = [
        record
        for record in caplog.get_records("call")
        if record.levelno >= logging.ERROR and record.name.split(".")[0] in PACKAGES
    ]
    assert not errors, f"logged as error: {[record.getMessage() for record in errors]}"


PACKAGES = ("stream", "models", "overlays", "run_live")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real footage and reference numbers that stands beside a developer's checkout."""
    folder = ROOT.parent / "shared"
    if not (folder / "clips").is_dir():
        pytest.skip("no ../shared folder with real footage beside this checkout")
    return folder


@pytest.fixture(scope="session")
def sample_clip() -> Path:
    """The rendered one-hand clip that ships with the project."""
    return ROOT / "samples" / "fingerspelling.mp4"


@pytest.fixture(scope="session")
def two_hands_clip() -> Path:
    """The rendered two-hand clip that ships with the project."""
    return ROOT / "samples" / "two_hands.mp4"


@pytest.fixture(scope="session")
def hand_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered right hand, 8 frames of 256 x 256 at times that vary."""
    from tests.program import write_hand_clip

    path = tmp_path_factory.mktemp("clips") / "hand.mp4"
    write_hand_clip(path)
    return path


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4000 small frames of noise: enough to be interrupted in the middle."""
    from tests.program import write_long_clip

    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    write_long_clip(path)
    return path


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    """A virtual X display that lives as long as the tests."""
    from tests.stream.displays import Display

    with Display() as display:
        yield display


@pytest.fixture(scope="session")
def chromium(sample_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser, whose camera shows the sample clip, for as long as the tests; skips without."""
    from tests.browsers import opened_chromium, write_camera

    camera = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    write_camera(camera, sample_clip)
    with opened_chromium(camera) as browser:
        yield browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, saying why."""
    for item in items:
        missing = [name for name in ("Xvfb", "xdotool", "ffmpeg") if not shutil.which(name)]
        if item.get_closest_marker("needs_display") and missing:
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))
        if item.get_closest_marker("needs_cuda") and not _cuda_is_wanted():
            item.add_marker(pytest.mark.skip(reason="no CUDA device on this machine"))


def _cuda_is_wanted() -> bool:
    if os.environ.get("FAIL_WITHOUT_CUDA") == "1":
        return True
    import torch

    return torch.cuda.is_available()
