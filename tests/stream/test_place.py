"""Where a recording may be written: never over one that is not ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.errors import OutputError
from stream.sinks.mp4 import Mp4Sink
from stream.sinks.place import Place
from tests.clips import TIME_BASE, make_audio_only, make_clip, numbered, regular_times
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


class TestEarlierRecording:
    def test_it_stands_and_the_new_one_plays_until_that_is_whole(self, tmp_path: Path) -> None:
        path, beside = earlier(tmp_path), tmp_path / "out.unfinished.mp4"
        content = path.read_bytes()
        sink = Mp4Sink(path)
        write_numbers(sink, regular_times(200))
        assert path.read_bytes() == content
        assert sink.written_path == beside
        assert numbers_of(beside)[:30] == list(range(30))
        sink.close()
        assert numbers_of(path) == list(range(200))
        assert sink.written_path == path
        assert [item.name for item in tmp_path.iterdir()] == ["out.mp4"]

    @pytest.mark.parametrize("ending", ["exception", "asked"])
    def test_it_stays_when_a_run_does_not_end_well(self, tmp_path: Path, ending: str) -> None:
        path = earlier(tmp_path)
        content = path.read_bytes()

        def run() -> None:
            with Mp4Sink(path) as sink:
                write_numbers(sink, regular_times(5))
                if ending == "exception":
                    raise KeyboardInterrupt
                sink.keep_earlier()

        if ending == "exception":
            with pytest.raises(KeyboardInterrupt):
                run()
        else:
            run()
        assert path.read_bytes() == content
        assert numbers_of(tmp_path / "out.unfinished.mp4") == list(range(5))
        with Mp4Sink(path) as sink:
            write_numbers(sink, regular_times(4))
        assert numbers_of(path) == list(range(4))
        assert [item.name for item in tmp_path.iterdir()] == ["out.mp4"]

    def test_a_link_stays_a_link_and_the_name_may_be_as_long_as_names_go(
        self, tmp_path: Path
    ) -> None:
        kept = earlier(tmp_path, name=f"{'ä' * 125}{'n'}.mp4")
        link = tmp_path / "out.mp4"
        link.symlink_to(kept)
        with Mp4Sink(link) as sink:
            write_numbers(sink, regular_times(5))
        assert link.is_symlink()
        assert numbers_of(kept) == list(range(5))

    def test_somebody_elses_file_beside_it_is_not_taken(self, tmp_path: Path) -> None:
        path = earlier(tmp_path)
        (tmp_path / "out.unfinished.mp4").write_text("notes")
        with pytest.raises(
            OutputError, match=r"out\.unfinished\.mp4 is there already and is no MP4"
        ):
            Mp4Sink(path)

    def test_what_somebody_puts_in_its_place_stays(self, tmp_path: Path) -> None:
        path = earlier(tmp_path)
        own = make_clip(tmp_path / "own.mp4", num_frames=2)
        content = own.read_bytes()
        sink = Mp4Sink(path)
        write_numbers(sink, regular_times(5))
        own.replace(path)
        with pytest.raises(OutputError, match="was changed by somebody meanwhile and stays"):
            sink.close()
        assert path.read_bytes() == content
        assert numbers_of(tmp_path / "out.unfinished.mp4") == list(range(5))


def test_no_other_run_takes_the_finished_one_before_it_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.mp4"
    with Mp4Sink(path) as sink:
        write_numbers(sink, regular_times(3))
    settle = Place.settle
    refused: list[str] = []

    def settle_late(place: Place, finished: Path) -> None:
        try:
            with Mp4Sink(path) as other:
                other.write(numbered(9), 0, TIME_BASE)
        except OutputError as error:
            refused.append(str(error))
        settle(place, finished)

    with Mp4Sink(path) as sink:
        write_numbers(sink, regular_times(5))
        monkeypatch.setattr(Place, "settle", settle_late)
    assert len(refused) == 1
    assert "is being written by another run" in refused[0]
    assert numbers_of(path) == list(range(5))
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_moved_over_the_growing_one_is_not_rewritten(tmp_path: Path) -> None:
    path, own = tmp_path / "out.mp4", make_clip(tmp_path / "own.mp4", num_frames=2)
    content = own.read_bytes()
    sink = Mp4Sink(path)
    write_numbers(sink, regular_times(5))
    own.replace(path)
    with pytest.raises(OutputError, match="is another file than the one that was written"):
        sink.close()
    assert path.read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
@pytest.mark.parametrize("is_there", [False, True], ids=["new", "earlier"])
def test_two_runs_do_not_write_to_one_name(tmp_path: Path, is_there: bool) -> None:
    path = earlier(tmp_path) if is_there else tmp_path / "out.mp4"
    early = Mp4Sink(path)
    with Mp4Sink(path) as sink:
        write_numbers(sink, regular_times(5))
        with pytest.raises(OutputError, match="is being written by another run of Signlight"):
            Mp4Sink(path)
        with pytest.raises(OutputError, match="is being written by another run of Signlight"):
            early.write(numbered(0), 0, TIME_BASE)
        early.close()
    assert numbers_of(path) == list(range(5))
    assert [item.name for item in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes and devices with names")
@pytest.mark.parametrize("what", ["pipe", "device", "link to a device"])
def test_a_pipe_or_a_device_is_no_place(tmp_path: Path, what: str) -> None:
    path = tmp_path / "out.mp4"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path = Path(os.devnull)
    else:
        path.symlink_to(os.devnull)
    with pytest.raises(OutputError, match="is a pipe or a device, no file"):
        Mp4Sink(path)


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="name too long; give a shorter name"):
        Mp4Sink(tmp_path / f"{'n' * 252}.mp4")


def earlier(folder: Path, name: str = "out.mp4") -> Path:
    """Write an earlier recording of three frames."""
    with Mp4Sink(folder / name) as sink:
        write_numbers(sink, regular_times(3))
    return folder / name
