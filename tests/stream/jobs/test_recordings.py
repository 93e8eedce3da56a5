from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import OptionError, SourceNotFoundError
from stream.jobs.recordings import Recording, Shard, find_recordings


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for name in (
        "b.mp4",
        "b.overlay.mp4",
        "b.annotation/b.mp4",
        "notes.txt",
        ".hidden.mp4",
        "S1/a.MOV",
        "S1/deep/c.mkv",
        "S2/b.mp4",
        "S2/b.mov",
        "S2/d.mpg",
    ):
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "corpus"


def _names(recordings: list[Recording], root: Path) -> list[tuple[str, str]]:
    return [
        (one.path.relative_to(root).as_posix(), one.folder.relative_to(root).as_posix())
        for one in recordings
    ]


def test_folder_is_searched_through_and_each_has_its_place_beside_it(corpus: Path) -> None:
    assert _names(find_recordings([str(corpus)]), corpus) == [
        ("S1/a.MOV", "S1/a.annotation"),
        ("S1/deep/c.mkv", "S1/deep/c.annotation"),
        ("S2/b.mov", "S2/b.mov.annotation"),
        ("S2/b.mp4", "S2/b.mp4.annotation"),
        ("S2/d.mpg", "S2/d.annotation"),
        ("b.mp4", "b.annotation"),
    ]


def test_tree_is_kept_where_all_goes_elsewhere(corpus: Path, tmp_path: Path) -> None:
    found = find_recordings([str(corpus)], tmp_path / "out")
    assert [one.folder.relative_to(tmp_path / "out").as_posix() for one in found] == [
        "S1/a",
        "S1/deep/c",
        "S2/b.mov",
        "S2/b.mp4",
        "S2/d",
        "b",
    ]
    assert [one.stem for one in found] == ["a", "c", "b.mov", "b.mp4", "d", "b"]


def test_what_is_named_is_taken_once_whatever_it_is_called(corpus: Path) -> None:
    names = [str(corpus / "notes.txt"), str(corpus / "S2" / "*"), str(corpus / "S2" / "d.mpg")]
    assert [one.path.name for one in find_recordings(names)] == [
        "b.mov",
        "b.mp4",
        "d.mpg",
        "notes.txt",
    ]


@pytest.mark.parametrize("name", ["nothing.mp4", "*.webm", "empty"])
def test_what_is_not_there_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(SourceNotFoundError, match=r"^(nothing\.mp4|\*\.webm|empty): no "):
        find_recordings([name])


def test_addresses_are_no_recordings() -> None:
    with pytest.raises(OptionError, match="download it"):
        find_recordings(["https://example.org/a.mp4"])


def test_name_with_brackets_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    path = tmp_path / "take [1].mp4"
    path.touch()
    assert [one.path for one in find_recordings([str(path)])] == [path]


def test_shards_share_all_out() -> None:
    recordings = [Recording(Path(f"{number}.mp4"), Path(f"{number}")) for number in range(10)]
    parts = [Shard(index, 3).of(recordings) for index in (1, 2, 3)]
    assert sorted(one for part in parts for one in part) == sorted(recordings)
    assert [len(part) for part in parts] == [4, 3, 3]


@pytest.mark.parametrize("words", ["0/3", "4/3", "1", "a/b", "1/3/5", "-1/3"])
def test_part_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="a part is"):
        Shard.parse(words)


def test_part_is_named() -> None:
    assert str(Shard.parse("3/8")) == "3-of-8"
