from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream.installed_packages import doubts_about_opencv, version_of
from tests.conftest import ROOT
from tests.waits import PROCESS_S

PAIR = ("opencv-python", "opencv-contrib-python")


def install(folder: Path, **versions: str) -> None:
    """Write what pip leaves of distributions: their metadata."""
    for name, version in versions.items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        )


def test_the_pair_that_is_tested_agrees() -> None:
    assert version_of(PAIR[0]) == version_of(PAIR[1])
    assert doubts_about_opencv() == []


def test_two_versions_in_one_folder_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, opencv_python="5.0.0.93", opencv_contrib_python="5.1.0.95")
    monkeypatch.syspath_prepend(str(tmp_path))
    (line,) = doubts_about_opencv()
    assert "opencv-python 5.0.0.93 and opencv-contrib-python 5.1.0.95" in line
    assert line.endswith("pip install opencv-python==5.0.0.93 opencv-contrib-python==5.0.0.93")


def test_the_program_says_so_first_and_goes_on(tmp_path: Path) -> None:
    install(tmp_path, opencv_python="4.9.0.80", opencv_contrib_python="4.10.0.84")
    run = subprocess.run(
        [sys.executable, ROOT / "run_live.py", "models"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
        check=True,
    )
    assert run.stderr.startswith("note: opencv-python 4.9.0.80 and")
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.endswith("opencv-contrib-python==4.9.0.80\n")
    assert "dino_hands8" in run.stdout
