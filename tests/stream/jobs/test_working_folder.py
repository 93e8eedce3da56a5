"""Files of the live view's keys."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stream.jobs.working_folder import WorkingFolder
from stream.keys import Setting
from stream.sinks.encoders import choose_encoder
from stream.sinks.mp4 import Mp4Sink
from stream.sinks.pre_roll import EncodedPreRoll
from stream.standby import Standby
from stream.takes import RecordedFrame

TIME_BASE = Fraction(1, 25)


def moment(grey: int, head: str, size_wh: tuple[int, int] = (64, 48)) -> RecordedFrame:
    width, height = size_wh
    return RecordedFrame(
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


@pytest.fixture
def folder_with_pre_roll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkingFolder:
    """Two seconds of pre-roll."""
    monkeypatch.chdir(tmp_path)
    encoder = choose_encoder("libx264", crf=20, frame_rate=Fraction(25))
    return WorkingFolder(Mp4Sink, lambda: EncodedPreRoll(2.0, encoder))


def written(keeper: Standby, times: Iterable[int], head: str) -> None:
    for pts in times:
        keeper.write(moment(pts % 200, head), pts, TIME_BASE)


def times_in(path: Path) -> list[float]:
    return sorted(float(packet["pts_time"]) for packet in probed(path)["packets"])


def first_grey(path: Path) -> int:
    with av.open(str(path)) as container:
        return int(next(container.decode(video=0)).to_ndarray(format="rgb24")[24, 32, 0])


@pytest.mark.parametrize("is_pressed_last", [False, True])
def test_a_recording_begins_with_the_seconds_before_it(
    folder_with_pre_roll: WorkingFolder, is_pressed_last: bool
) -> None:
    """From a key frame on, of which there is one a second; what was set then is known."""
    folder = folder_with_pre_roll
    assert folder.open_standby is not None
    keeper = folder.open_standby()
    written(keeper, range(1000, 1150), "mean")
    keeper.mark("too long ago", 1010 * TIME_BASE)
    written(keeper, range(1150, 1180), "3")
    keeper.mark("HOUSE", 1170 * TIME_BASE)
    assert list(Path().iterdir()) == []
    name, begin_s = keeper.begin(folder.open_recording)
    begin = 1125
    assert begin_s == begin * TIME_BASE  # 2.2 s before, a key frame every 25
    if not is_pressed_last:
        written(keeper, range(1185, 1200), "5")
    keeper.close()
    overlay, clean = Path(name), Path(name.replace(".overlay.", ".clean."))
    assert set(folder.recordings) == {overlay, clean}
    assert folder.warnings == []
    rest = [] if is_pressed_last else range(1185, 1200)
    due_s = [(pts - begin) / 25 for pts in (*range(begin, 1180), *rest)]
    assert times_in(overlay) == times_in(clean) == pytest.approx(due_s)
    assert first_grey(clean) == pytest.approx(begin % 200, abs=3)
    assert first_grey(overlay) == pytest.approx(255 - begin % 200, abs=3)
    with Path(name.replace(".overlay.mp4", ".events.csv")).open(newline="") as file:
        _, *rows = csv.reader(file)
    assert rows == [
        ["0.000", "head", "mean"],
        ["1.000", "head", "3"],
        ["1.800", "mark", "HOUSE"],
        *([] if is_pressed_last else [["2.400", "head", "5"]]),
    ]


def test_what_comes_at_any_rate_leaves_at_most_a_second_more_than_was_asked_for(
    folder_with_pre_roll: WorkingFolder,
) -> None:
    folder = folder_with_pre_roll
    assert folder.open_standby is not None
    keeper = folder.open_standby()
    newest = 0
    for index in range(400):
        newest += 1 + index * index % 7
        keeper.write(moment(index % 200, "mean"), newest, TIME_BASE)
    _, begin_s = keeper.begin(folder.open_recording)
    assert begin_s is not None
    assert 2.0 <= float(newest * TIME_BASE - begin_s) <= 3.5  # the encoder holds some back
    keeper.close()
    overlay, clean = folder.recordings
    assert times_in(overlay) == times_in(clean)
    assert times_in(clean)[0] == 0


def test_another_size_begins_another_pre_roll(folder_with_pre_roll: WorkingFolder) -> None:
    folder = folder_with_pre_roll
    assert folder.open_standby is not None
    keeper = folder.open_standby()
    written(keeper, range(50), "mean")
    for pts in range(50, 60):
        keeper.write(moment(90, "mean", (128, 48)), pts, TIME_BASE)
    _, begin_s = keeper.begin(folder.open_recording)
    assert begin_s == 50 * TIME_BASE
    keeper.close()
    assert [len(times_in(path)) for path in folder.recordings] == [10, 10]


def test_a_key_pressed_before_anything_came_begins_with_what_comes(
    folder_with_pre_roll: WorkingFolder,
) -> None:
    folder = folder_with_pre_roll
    assert folder.open_standby is not None
    keeper = folder.open_standby()
    assert keeper.begin(folder.open_recording)[1] is None
    written(keeper, range(70, 80), "mean")
    keeper.close()
    assert [times_in(path)[0] for path in folder.recordings] == [0, 0]
