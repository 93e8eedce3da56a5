from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.json_files import write_json
from stream.sidecar import check_sidecar, versions


def test_versions_name_what_makes_the_picture() -> None:
    found = versions()
    assert found["python"].count(".") == 2
    assert found["numpy"][0].isdigit()
    assert {"signlight", "torch", "mediapipe", "av"} <= set(found)


def test_sidecar_is_json_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "clip.json"
    path.write_text("old")
    write_json(path, {"frames": 3, "hands": {"left": 1}})
    assert json.loads(path.read_text(encoding="utf-8")) == {"frames": 3, "hands": {"left": 1}}
    assert list(tmp_path.iterdir()) == [path]


def test_what_signlight_did_not_make_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "clip.json"
    assert check_sidecar(path) == path
    for content in ('{"my": 1}', "[1, 2]", "no json at all"):
        path.write_text(content)
        with pytest.raises(OutputError, match="did not make it"):
            check_sidecar(path)
    path.write_text(json.dumps({"frames": 1, "weights_sha256": None, "options": {}}))
    assert check_sidecar(path) == path


def test_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "clip.json"
    with pytest.raises(OutputError, match="cannot write it") as caught:
        write_json(path, {})
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, OSError)
