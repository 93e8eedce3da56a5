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

from stream.errors import SourceFormatError
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
    assert "bad.mp4: bad.mp4 is no video" in screen.getvalue()
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
