"""A job over many recordings: how it goes, and a table of what happened to each."""

from __future__ import annotations

import csv
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console, Group
from rich.live import Live as LiveDisplay
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stream.errors import FullDiskError, SignlightError, WorkerError, in_one_line
from stream.jobs.processes import Ended
from stream.jobs.recordings import Recording
from stream.printable import printable
from stream.whole_files import told_of, written_whole

__all__ = ["Outcome", "Status", "carry_out", "words_of", "write_outcomes"]

Status = Literal["done", "skipped", "failed", "stopped", "not begun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to one recording."""

    recording: Recording
    """Which."""
    status: Status
    """``skipped``: done before, and nothing has changed since."""
    num_frames: int = 0
    """Frames in what was made of it."""
    seconds: float = 0.0
    """Time it took."""
    message: str = ""
    """Of a failure what is wrong and what to do; of others what could be lived with."""


RunEach = Callable[
    [Iterable[Recording], Callable[[Recording, Any], None]], Iterator[Ended[Recording, Outcome]]
]
"""Does the work for each, wherever; hands on the frames done so far of each meanwhile."""


def carry_out(
    run_each: RunEach,
    recordings: Sequence[Recording],
    *,
    stop: threading.Event,
    console: Console,
) -> list[Outcome]:
    """Do the work for each recording, and show how it goes.

    Args:
        run_each: Does it.
        recordings: What to do it for.
        stop: Set where it is to end early, by this too once a disk is full.
        console: Where to show it.

    Returns:
        What happened to each, in the order of ``recordings``.
    """
    outcomes: dict[Recording, Outcome] = {}
    with _display(console, recordings) as display:
        for ended in run_each(recordings, display.advance):
            if isinstance(ended.failure, FullDiskError):  # no other would find room either
                stop.set()
            if ended.result is not None:
                outcome = ended.result
            elif stop.is_set() and _has_died(ended.failure):  # it was ended, for that
                outcome = Outcome(recording=ended.task, status="stopped")
            else:
                assert ended.failure is not None
                outcome = Outcome(
                    recording=ended.task, status="failed", message=in_one_line(ended.failure)
                )
            outcomes[ended.task] = outcome
            display.settle(outcome)
    return [
        outcomes.get(recording, Outcome(recording=recording, status="not begun"))
        for recording in recordings
    ]


def words_of(outcomes: Iterable[Outcome]) -> str:
    """Return how many were done, skipped, failed, in a line."""
    counts = Counter(outcome.status for outcome in outcomes)
    words = [f"{count} {status}" for status, count in counts.items()]
    return f"{counts.total()} videos: {', '.join(words)}"


def write_outcomes(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the table of what happened, a row each, as CSV; whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with (
        told_of(path),
        written_whole(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        table = csv.writer(file)
        table.writerow(["video", "folder", "status", "frames", "seconds", "message"])
        for outcome in outcomes:
            table.writerow(
                [
                    outcome.recording.path,
                    outcome.recording.folder,
                    outcome.status,
                    outcome.num_frames,
                    f"{outcome.seconds:.1f}",
                    outcome.message,
                ]
            )


class _Display:
    """Bars: all videos, and each that is at work."""

    def __init__(self, console: Console, recordings: Sequence[Recording]) -> None:
        self._all = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("videos"),
            TextColumn("{task.fields[rate]}", style="progress.data.speed"),
            TimeRemainingColumn(),
            console=console,
        )
        self._each = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
        )
        self.group = Group(self._all, self._each)
        self._total = self._all.add_task("annotating", total=len(recordings), rate="")
        self._bars: dict[Recording, Any] = {}
        self._console = console
        self._num_frames = 0
        self._began_s = time.monotonic()

    def advance(self, recording: Recording, told: tuple[int, int | None]) -> None:
        """Show frames done, and frames expected, of a recording at work."""
        done, expected = told
        if recording not in self._bars:
            name = escape(printable(recording.path.name))
            self._bars[recording] = self._each.add_task(name, total=expected)
        bar = self._bars[recording]
        self._num_frames += done - int(self._each.tasks[self._each.task_ids.index(bar)].completed)
        self._each.update(bar, completed=done)
        rate = self._num_frames / max(1e-9, time.monotonic() - self._began_s)
        self._all.update(self._total, rate=f"{rate:.1f} fps")

    def settle(self, outcome: Outcome) -> None:
        """Count a recording that has ended, and say what was wrong."""
        if outcome.recording in self._bars:
            self._each.remove_task(self._bars.pop(outcome.recording))
        self._all.advance(self._total)
        if outcome.message or not self._console.is_terminal:
            count = f"{self._all.tasks[0].completed:.0f}/{self._all.tasks[0].total:.0f}"
            line = printable(_line_of(outcome))
            line = line if self._console.is_terminal else f"{count} {line}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _has_died(failure: Exception | None) -> bool:
    return isinstance(failure, WorkerError) or not isinstance(failure, SignlightError)


def _line_of(outcome: Outcome) -> str:
    """Return what became of a recording, in a line."""
    path = " ".join(f"{outcome.recording.path}".split())
    if outcome.message.startswith(path):  # errors name what they are about
        return outcome.message
    frames = f" {outcome.num_frames} frames, {outcome.seconds:.1f} s" if outcome.num_frames else ""
    return f"{path}: {outcome.message or outcome.status + frames}"


@contextmanager
def _display(console: Console, recordings: Sequence[Recording]) -> Iterator[_Display]:
    display = _Display(console, recordings)
    if not console.is_terminal:  # in a log each that has ended is a line
        yield display
        return
    with LiveDisplay(display.group, console=console, refresh_per_second=4):
        yield display
