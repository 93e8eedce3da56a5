from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.jobs.workplace import Workplace


def _make(place: Workplace, *names: str) -> None:
    for name in names:
        (place.path / name).write_text(name)


def _lies_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_come_to_light_together_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with Workplace(folder) as place:
        _make(place, "b.json", "b.eaf")
        (place.path / "b.zarr").mkdir()
        assert [name for name in _lies_in(folder) if name[0] != "."] == []
        place.publish(last="b.json")
        assert (folder / "b.json").read_text() == "b.json"
    assert _lies_in(folder) == ["b.eaf", "b.json", "b.zarr"]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("earlier")

    def fail() -> None:
        with Workplace(tmp_path) as place:
            _make(place, "b.json")
            raise RuntimeError("the model failed")

    with pytest.raises(RuntimeError, match="the model failed"):
        fail()
    assert _lies_in(tmp_path) == ["b.json"]
    assert (tmp_path / "b.json").read_text() == "earlier"


def test_mark_is_not_there_where_a_file_could_not_be_put(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("earlier")
    with Workplace(tmp_path) as place:
        _make(place, "b.eaf", "b.json")
        (place.path / "b.csv").mkdir()
        (tmp_path / "b.csv").write_text("a file stands where a folder should")
        with pytest.raises(OutputError, match="choose another folder"):
            place.publish(last="b.json")
    assert "b.json" not in _lies_in(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="killed processes are told of by locks")
def test_left_behind_is_cleared_away_and_another_run_is_left_alone(tmp_path: Path) -> None:
    killed = tmp_path / ".signlight-0123.part"
    killed.mkdir()
    (killed / ".lock").touch()
    (killed / "b.eaf").touch()
    with Workplace(tmp_path) as at_work:
        _make(at_work, "b.eaf")
        with Workplace(tmp_path):
            assert not killed.exists()
            assert (at_work.path / "b.eaf").exists()
    assert _lies_in(tmp_path) == []


def test_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot hold results"):
        Workplace(tmp_path / "file" / "b")
