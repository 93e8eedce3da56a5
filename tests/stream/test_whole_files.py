from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from stream.whole_files import written_whole


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with written_whole(path) as unfinished:
        unfinished.write_text("half")
        assert unfinished.parent == tmp_path
        assert unfinished.name.startswith(".")
        assert path.read_text() == "old"
        unfinished.write_text("whole")
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("begun", [True, False])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, begun: bool) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def write() -> None:
        with written_whole(path) as unfinished:
            if begun:
                unfinished.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_what_the_disk_does_not_take_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks and quotas tell only now that there is no room."""
    path = tmp_path / "a.json"

    def refuse(descriptor: int) -> None:
        assert os.fstat(descriptor).st_size == 5
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with written_whole(path) as unfinished:
        unfinished.write_text("old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="quota"), written_whole(path) as unfinished:
        unfinished.write_text("whole")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_place_that_cannot_be_taken_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.mkdir()
    with pytest.raises(OSError, match=r"a\.json"), written_whole(path) as unfinished:
        unfinished.write_text("whole")
    assert names(tmp_path) == ["a.json"]


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with written_whole(path) as one, written_whole(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"  # the one that ended last
    assert names(tmp_path) == ["a.json"]


def test_longest_name_that_a_file_can_have(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 255)
    with written_whole(path) as unfinished:
        unfinished.write_text("whole")
    assert path.read_text() == "whole"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    path = tmp_path / "a.json"
    path.symlink_to(tmp_path / "far" / "b.json")
    with written_whole(path) as unfinished:
        unfinished.write_text("whole")
    assert path.is_symlink()
    assert (tmp_path / "far" / "b.json").read_text() == "whole"
    assert names(tmp_path / "far") == ["b.json"]
