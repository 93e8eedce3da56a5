"""Files of the live view's keys."""

from __future__ import annotations

import csv
import json
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.jobs.working_folder import WorkingFolder
from stream.keys import Setting
from stream.sinks.mp4 import Mp4Sink
from stream.takes import Moment

TIME_BASE = Fraction(1, 25)


def moment(grey: int, head: str, size_wh: tuple[int, int] = (64, 48)) -> Moment:
    width, height = size_wh
    return Moment(
        clean=np.full((48, 64, 3), grey, np.uint8),
        overlay=np.full((height, width, 3), 255 - grey, np.uint8),
        settings=[Setting(name="head", words="Head", value=head)],
    )


def probed(path: Path) -> dict[str, list[dict[str, str]]]:
    """What FFmpeg's own program reads of packets and chapters."""
    command = ["ffprobe", "-v", "error", "-show_chapters", "-show_packets", "-of", "json", path]
    told = subprocess.run(command, capture_output=True, check=True)  # type: ignore[arg-type]
    found: dict[str, list[dict[str, str]]] = json.loads(told.stdout)
    return found


def test_a_snapshot_goes_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    notice = WorkingFolder(Mp4Sink).save_snapshot(np.zeros((4, 6, 3), np.uint8))
    assert Path(notice.removeprefix("saved ")).is_file()


def test_nothing_is_left_of_a_recording_without_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = WorkingFolder(Mp4Sink)
    takes, _ = folder.open_recording()
    takes.close()
    assert folder.recordings == []
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_two_films_with_the_same_times_and_a_table_of_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = WorkingFolder(Mp4Sink)
    takes, name = folder.open_recording()
    for pts in (0, 1, 3, 4, 30):  # a gap stays one
        if pts == 4:
            takes.mark("HOUSE", 1004 * TIME_BASE)
        takes.write(moment(40 + pts, "mean" if pts < 30 else "2"), 1000 + pts, TIME_BASE)
    takes.close()
    overlay, clean = Path(name), Path(name.replace(".overlay.", ".clean."))
    assert set(folder.recordings) == {overlay, clean}
    assert folder.warnings == []
    times = [
        [float(packet["pts_time"]) for packet in probed(path)["packets"]]
        for path in (overlay, clean)
    ]
    assert sorted(times[0]) == sorted(times[1]) == pytest.approx([0, 0.04, 0.12, 0.16, 1.2])
    chapters = [
        (float(chapter["start_time"]), chapter["tags"]["title"])  # type: ignore[index]
        for chapter in probed(overlay)["chapters"]
    ]
    assert chapters == [(0.0, "beginning"), (0.16, "HOUSE"), (1.2, "head 2")]
    with Path(name.replace(".overlay.mp4", ".events.csv")).open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["time_s", "setting", "value"],
        ["0.000", "head", "mean"],
        ["0.160", "mark", "HOUSE"],
        ["1.200", "head", "2"],
    ]


def test_the_whole_view_goes_where_it_was_asked_for_and_further_sizes_beside_it(
    tmp_path: Path,
) -> None:
    folder = WorkingFolder(Mp4Sink)
    with folder.open_whole(tmp_path / "view.mp4") as takes:
        for pts, size_wh in enumerate([(64, 48), (64, 48), (128, 48)]):
            takes.write(moment(90, "mean", size_wh), pts, TIME_BASE)
    assert folder.recordings == [tmp_path / "view.mp4", tmp_path / "view-2.mp4"]
    assert [len(probed(path)["packets"]) for path in folder.recordings] == [2, 1]
    assert len(list(tmp_path.iterdir())) == 2
