from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.naming import (
    default_output,
    doubts_about_source,
    fresh_path,
    refuse_input,
    without_folders,
)


def test_overlay_stands_beside_the_file(tmp_path: Path) -> None:
    assert default_output(str(tmp_path / "a.b.mov")) == tmp_path / "a.b.overlay.mp4"


def test_overlay_stands_beside_the_folder_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shots.v2"
    folder.mkdir()
    assert default_output(f"{folder}/") == tmp_path / "shots.v2.overlay.mp4"
    monkeypatch.chdir(folder)
    assert default_output(".") == tmp_path / "shots.v2.overlay.mp4"
    assert default_output("..") == tmp_path.parent / f"{tmp_path.name}.overlay.mp4"
    assert default_output("/") == Path("/pictures.overlay.mp4")


def test_overlay_of_a_stream_goes_to_the_working_folder() -> None:
    assert default_output("https://host/talk.mp4?key=1") == Path("talk.overlay.mp4")
    assert default_output("rtsp://host") == Path("stream.overlay.mp4")


def test_fresh_names_never_take_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    now = datetime(2026, 1, 2, 3, 4, 5)
    names = []
    for _ in range(3):
        path = fresh_path(".png", now=now)
        path.touch()
        names.append(path.name)
    assert names == [
        "signlight-20260102-030405.png",
        "signlight-20260102-030405-2.png",
        "signlight-20260102-030405-3.png",
    ]


def test_input_is_refused_as_output_by_any_of_its_names(tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    source.touch()
    link = tmp_path / "link.mp4"
    link.symlink_to(source)
    for output in (source, link, tmp_path / "." / "clip.mp4"):
        with pytest.raises(OutputError, match="is the input"):
            refuse_input(output, str(source))
    refuse_input(tmp_path / "other.mp4", str(source))
    refuse_input(source, "0")


def test_a_number_that_is_a_file_and_a_pipe_get_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("20", "clip.mp4"):
        Path(name).touch()
    assert doubts_about_source("./20") == [
        "20 was taken for the file or folder of that name, not for a camera"
    ]
    for source in ("0", "clip.mp4", "./clip.mp4", "http://host/20", "gone.mp4", "."):
        assert doubts_about_source(source) == []
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe")
        assert "its sound, if it has any, is left out" in doubts_about_source("pipe")[0]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("/films/mine/a.mp4 cannot be written: no room", "a.mp4 cannot be written: no room"),
        ("rtsp://me:***@host:554/live stopped", "live stopped"),
        (r"C:\films\a.mp4 is gone", "a.mp4 is gone"),
        ("camera 0 stopped: it was unplugged", "camera 0 stopped: it was unplugged"),
    ],
)
def test_who_looks_in_reads_no_folders_and_hosts(words: str, left: str) -> None:
    assert without_folders(words) == left
