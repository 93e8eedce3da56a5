from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.jobs.sidecar import check_sidecar, choose_output, versions, write_sidecar
from stream.json_files import write_json
from tests.program import SIDECAR


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
    same_keys = json.dumps({"frames": 1, "weights_sha256": None, "options": {}})
    for content in (same_keys, '{"my": 1}', "[1, 2]", "no json at all"):
        path.write_text(content)
        with pytest.raises(OutputError, match="did not make it"):
            check_sidecar(path)
    path.write_text(json.dumps(SIDECAR))
    assert check_sidecar(path) == path


def test_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "clip.json"
    with pytest.raises(OutputError, match="cannot write it") as caught:
        write_json(path, {})
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, OSError)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.json")
    with pytest.raises(OutputError, match="did not make it"):
        check_sidecar(tmp_path / "clip.json")


def test_what_cannot_be_written_leaves_no_earlier_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.json"
    path.write_text(json.dumps(SIDECAR))

    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match=r"clip\.mp4 is written, .* No space .*free some space"):
        write_sidecar(tmp_path / "clip.mp4", SIDECAR)
    assert list(tmp_path.iterdir()) == []


class TestDefaultOutput:
    """An overlay of another input is not overwritten by chance."""

    def overlay(self, folder: Path, *, of: Path) -> Path:
        path = folder / "c.overlay.mp4"
        path.touch()
        sha256 = hashlib.sha256(of.read_bytes()).hexdigest()
        told = SIDECAR | {"source_sha256": sha256, "options": {"source": str(of)}}
        path.with_suffix(".json").write_text(json.dumps(told))
        return path

    def test_of_another_file_of_the_same_stem(self, tmp_path: Path) -> None:
        mov, mp4 = tmp_path / "c.mov", tmp_path / "c.mp4"
        mov.write_bytes(b"mov")
        mp4.write_bytes(b"mp4")
        path = self.overlay(tmp_path, of=mov)
        assert choose_output(str(mov)) == (path, [])
        output, lines = choose_output(str(mp4))
        assert output == tmp_path / "c.mp4.overlay.mp4"
        assert lines == [f"{path} shows {mov}: this one is written to c.mp4.overlay.mp4"]

    def test_of_the_same_file_that_was_renamed(self, tmp_path: Path) -> None:
        mov, renamed = tmp_path / "c.mov", tmp_path / "c.m4v"
        mov.write_bytes(b"mov")
        path = self.overlay(tmp_path, of=mov)
        mov.rename(renamed)
        assert choose_output(str(renamed)) == (path, [])

    def test_of_a_folder_of_pictures_of_that_name(self, tmp_path: Path) -> None:
        mov, folder = tmp_path / "c.mov", tmp_path / "c"
        mov.write_bytes(b"mov")
        folder.mkdir()
        self.overlay(tmp_path, of=mov)
        assert choose_output(str(folder))[0] == tmp_path / "c.folder.overlay.mp4"
