from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.folders import claimed_folder
from stream.whole_files import written_whole


def test_folder_is_made_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        with claimed_folder(folder):
            (folder / "b.eaf").touch()
    assert [path.name for path in folder.iterdir()] == ["b.eaf"]


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        claimed_folder(tmp_path),
        pytest.raises(OutputError, match="another run"),
        claimed_folder(tmp_path),
    ):
        pass
    with claimed_folder(tmp_path):
        pass


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with written_whole(tmp_path / "b.eaf") as unfinished:
        unfinished.touch()
        left = unfinished.with_name(f"{unfinished.name[:-6]}0{unfinished.name[-5:]}")
        left.touch()
    (tmp_path / ".signlight-notes").touch()
    with claimed_folder(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == [".signlight-notes", "b.eaf"]


def test_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="cannot hold results"),
        claimed_folder(tmp_path / "file" / "b"),
    ):
        pass
