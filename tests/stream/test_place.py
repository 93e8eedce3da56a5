"""Where a recording may be written: never over one that is not ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.sinks.mp4 import Mp4Sink
from tests.clips import make_audio_only, make_clip, regular_times
from tests.stream.mp4_files import numbers_of, write_numbers


def matroska(path: Path) -> None:
    make_clip(path.with_suffix(".mkv"), num_frames=2).rename(path)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: make_clip(path, num_frames=2), "a recording that Signlight did not make"),
        (make_audio_only, "a recording that Signlight did not make"),
        (matroska, "is no MP4"),
        (lambda path: path.write_text("notes, kept under an odd name"), "is no MP4"),
        (lambda path: path.write_bytes(b"\0"), "is no MP4"),
    ],
    ids=["recording", "sound", "another container", "text", "one byte"],
)
def test_what_signlight_did_not_make_is_never_replaced(
    tmp_path: Path, make: Callable[[Path], object], what: str
) -> None:
    path = tmp_path / "out.mp4"
    make(path)
    content = path.read_bytes()
    with pytest.raises(OutputError, match=what) as caught:
        Mp4Sink(path)
    assert str(caught.value).startswith(f"{path} is there already")
    assert str(caught.value).endswith("; delete it or give another name for the output")
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_an_own_recording_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    for num_frames in (3, 5):
        with Mp4Sink(path) as sink:
            write_numbers(sink, regular_times(num_frames))
    assert numbers_of(path) == list(range(5))


def test_an_empty_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.touch()
    with Mp4Sink(path) as sink:
        write_numbers(sink, regular_times(3))
    assert numbers_of(path) == [0, 1, 2]
