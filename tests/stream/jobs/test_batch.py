"""A job over many recordings, in real processes."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from stream.errors import FullDiskError, SourceFormatError
from stream.jobs.batch import Outcome, carry_out, words_of, write_outcomes
from stream.jobs.processes import Ended, run_each
from stream.jobs.recordings import Recording

RECORDINGS = [Recording(Path(f"{name}.mp4"), Path(name)) for name in ("a", "b[1]", "dies", "bad")]


def _make_work() -> Callable[[Recording, Callable[[Any], None]], Outcome]:
    def work(recording: Recording, tell: Callable[[Any], None]) -> Outcome:
        if recording.path.stem == "bad":
            raise SourceFormatError("bad.mp4 is no video")
        if recording.path.stem == "dies":
            os._exit(11)
        for done in range(1, 4):
            tell((done, 3))
        return Outcome(recording=recording, status="done", num_frames=3)

    return work


def _carry_out(stop: threading.Event, console: Console) -> list[Outcome]:
    def each(
        recordings: Iterable[Recording], on_told: Callable[[Recording, Any], None]
    ) -> Iterator[Ended[Recording, Outcome]]:
        return run_each(_make_work, recordings, num_processes=2, stop=stop, on_told=on_told)

    return carry_out(each, RECORDINGS, stop=stop, console=console)


def test_broken_ones_are_lines_and_stop_nobody(tmp_path: Path) -> None:
    screen = io.StringIO()
    outcomes = _carry_out(threading.Event(), Console(file=screen, width=200))
    assert [outcome.status for outcome in outcomes] == ["done", "done", "failed", "failed"]
    told = screen.getvalue().splitlines()
    assert len(told) == 4, "a line each where nobody watches"
    assert any(line.endswith("/4 bad.mp4 is no video") for line in told)
    assert any(line.endswith("/4 b[1].mp4: done 3 frames, 0.0 s") for line in told)
    assert words_of(outcomes) == "4 videos: 2 done, 2 failed"
    path = tmp_path / "annotations.csv"
    write_outcomes(path, outcomes)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["video"], row["status"], row["frames"]) for row in rows] == [
        ("a.mp4", "done", "3"),
        ("b[1].mp4", "done", "3"),
        ("dies.mp4", "failed", "0"),
        ("bad.mp4", "failed", "0"),
    ]
    assert "exit code 11" in rows[2]["message"]


def test_what_was_not_begun_is_told() -> None:
    stop = threading.Event()
    stop.set()
    outcomes = _carry_out(stop, Console(file=io.StringIO()))
    assert {outcome.status for outcome in outcomes} == {"not begun"}


def test_a_full_disk_ends_it_for_all() -> None:
    def each(
        recordings: Iterable[Recording], on_told: Callable[[Recording, Any], None]
    ) -> Iterator[Ended[Recording, Outcome]]:
        for recording in recordings:
            if stop.is_set():
                return
            yield Ended(recording, None, FullDiskError("a.eaf: cannot write it; free some space"))

    stop = threading.Event()
    outcomes = carry_out(each, RECORDINGS, stop=stop, console=Console(file=io.StringIO()))
    assert words_of(outcomes) == "4 videos: 1 failed, 3 not begun"
    assert outcomes[0].message == "a.eaf: cannot write it; free some space"


def test_a_table_holds_names_that_are_no_text(tmp_path: Path) -> None:
    recording = Recording(Path(os.fsdecode(b"\xff.mp4")), Path("a,b"))
    write_outcomes(tmp_path / "a.csv", [Outcome(recording=recording, status="done")])
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[1] == (
        '\\udcff.mp4,"a,b",done,0,0.0,'
    )
