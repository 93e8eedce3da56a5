"""Files of the live view's keys."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.jobs.working_folder import WorkingFolder
from stream.sinks.mp4 import Mp4Sink


def test_files_go_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = WorkingFolder(Mp4Sink)
    notice = folder.save_snapshot(np.zeros((4, 6, 3), np.uint8))
    assert Path(notice.removeprefix("saved ")).is_file()
    empty, _ = folder.open_recording()
    empty.close()
    assert folder.recordings == []
    sink, name = folder.open_recording()
    sink.write(np.zeros((32, 32, 3), np.uint8), 0, Fraction(1, 30))
    sink.close()
    assert name.endswith(".mp4")
    assert folder.recordings == [Path(name)]
    assert folder.warnings == []
