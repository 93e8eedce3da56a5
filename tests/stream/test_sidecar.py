from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.sidecar import versions, write_sidecar


def test_versions_name_what_makes_the_picture() -> None:
    found = versions()
    assert found["python"].count(".") == 2
    assert found["numpy"][0].isdigit()
    assert {"signlight", "torch", "mediapipe", "av"} <= set(found)


def test_sidecar_is_json_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "clip.json"
    path.write_text("old")
    write_sidecar(path, {"frames": 3, "hands": {"left": 1}})
    assert json.loads(path.read_text(encoding="utf-8")) == {"frames": 3, "hands": {"left": 1}}
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "clip.json"
    with pytest.raises(OutputError, match="cannot write it") as caught:
        write_sidecar(path, {})
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, OSError)
