"""What holds for every writer of moments: whole files or none, the same bytes again, one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from stream.errors import OutputError
from stream.tables import maps, parquet
from stream.tables.hand_pictures import HandPictures
from stream.tables.maps import MapsFile
from stream.tables.moment_file import MomentFile
from stream.tables.parquet import attention_table, frames_table
from stream.tables.pose import PoseFile
from stream.tables.report import Report
from tests.stream.tables.moments import SIZE_WH, moments, scene_of, stretches

Opened = Callable[[Path], MomentFile]


def open_report(path: Path) -> Report:
    pictures = HandPictures()
    for moment in moments(50):
        pictures.write(scene_of(moment))
    page = Report(path, title="b", video=PurePath("b.mp4"), facts={}, pictures=pictures)
    page.stretches = stretches(50)
    return page


WRITERS: dict[str, Opened] = {
    "b.frames.parquet": lambda path: frames_table([path], {"model": "m"}),
    "b.attention.parquet": lambda path: attention_table([path], {"model": "m"}),
    "b.attention.csv": lambda path: attention_table([path], {}),
    "b.maps.npz": MapsFile,
    "b.pose": lambda path: PoseFile(path, SIZE_WH),
    "b.html": open_report,
}


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write to the file again and again, as in a long video."""
    monkeypatch.setattr(parquet, "CELLS_PER_GROUP", 600)
    monkeypatch.setattr(maps, "MAPS_PER_RUN", 8)


def write_all(file: MomentFile, num: int = 50) -> None:
    with file:
        for moment in moments(num):
            file.write(moment)


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


@pytest.mark.parametrize(("name", "opened"), WRITERS.items(), ids=WRITERS)
class TestMomentFiles:
    def test_the_same_again_gives_the_same_bytes(
        self, tmp_path: Path, name: str, opened: Opened
    ) -> None:
        path, again = tmp_path / name, tmp_path / f"again.{name}"
        write_all(opened(path))
        write_all(opened(again))
        assert path.stat().st_size > 0
        assert path.read_bytes() == again.read_bytes()
        assert names(tmp_path) == sorted([path.name, again.name])

    def test_nothing_is_there_before_the_end_and_what_was_stays(
        self, tmp_path: Path, name: str, opened: Opened
    ) -> None:
        path = tmp_path / name
        path.write_text("earlier")
        file = opened(path)
        for moment in moments(50):
            file.write(moment)
        assert path.read_text() == "earlier"
        file.close()
        assert path.read_bytes() != b"earlier"
        assert names(tmp_path) == [name]

    def test_what_breaks_off_leaves_no_trace(
        self, tmp_path: Path, name: str, opened: Opened
    ) -> None:
        path = tmp_path / name
        path.write_text("earlier")
        file = opened(path)
        for moment in moments(50):
            file.write(moment)
        with pytest.raises(KeyboardInterrupt), file:
            raise KeyboardInterrupt
        file.close()
        assert path.read_text() == "earlier"
        assert names(tmp_path) == [name]

    def test_closing_again_is_harmless(self, tmp_path: Path, name: str, opened: Opened) -> None:
        path = tmp_path / name
        file = opened(path)
        write_all(file)
        written = path.read_bytes()
        file.close()
        file.discard()
        assert path.read_bytes() == written

    def test_without_frames_there_is_still_a_file(
        self, tmp_path: Path, name: str, opened: Opened
    ) -> None:
        opened(tmp_path / name).close()
        assert (tmp_path / name).stat().st_size > 0

    @pytest.mark.parametrize("place", ["missing", "file", "folder"])
    def test_places_that_cannot_be_written_are_told_in_one_line(
        self, tmp_path: Path, name: str, opened: Opened, place: str
    ) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "folder" / name).mkdir(parents=True)
        told = r"cannot write it: .*; choose another folder$"
        with pytest.raises(OutputError, match=told) as error:
            opened(tmp_path / place / name)
        assert str(error.value).startswith(f"{tmp_path / place / name}: ")
        assert names(tmp_path / "folder") == [name]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
    def test_a_full_disk_is_told_in_one_line(
        self, tmp_path: Path, name: str, opened: Opened
    ) -> None:
        path = tmp_path / name
        path.write_text("earlier")
        file = opened(path)
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, file._files[0].file.fileno())
        os.close(full)
        told = rf"{name}: cannot write it: No space left on device; free some space$"
        with pytest.raises(OutputError, match=told):
            write_all(file, 200)
        assert path.read_text() == "earlier"
        assert names(tmp_path) == [name]
