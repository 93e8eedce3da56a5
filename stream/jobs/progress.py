"""Progress bars and notes in the terminal."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from stream.jobs.tally import Tally
from stream.printable import printable

__all__ = [
    "QuietConsole",
    "ResultConsole",
    "download_bar",
    "export_bar",
    "print_path",
    "say",
    "step_line",
    "terminal",
]


class QuietConsole(Console):
    """Falls silent where nobody looks any more: the work that it tells of goes on."""

    def on_broken_pipe(self) -> None:
        """Show nothing from now on."""
        self.quiet = True


class ResultConsole(Console):
    """Shows results on stdout; where nobody reads them any more, that is an error like others."""

    def on_broken_pipe(self) -> None:
        """Raise what rich was told; by itself it would end the program at once.

        Raises:
            BrokenPipeError: Always.
        """
        self.quiet = True
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def terminal() -> Console:
    """Return the console for bars: stderr, so that stdout holds results alone."""
    return QuietConsole(stderr=True)


def say(line: str) -> None:
    """Print a line for people on stderr; paths may hold what rich takes for markup."""
    QuietConsole(stderr=True).print(printable(line), markup=False, highlight=False, soft_wrap=True)


def print_path(path: Path) -> None:
    """Print a path on stdout: as it is for scripts, fit to be read for people."""
    print(printable(str(path)) if sys.stdout.isatty() else path)


class _FrameRateColumn(ProgressColumn):
    """Frames a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} fps", style="progress.data.speed")


@contextmanager
def export_bar(
    console: Console, name: str, num_frames: int | None, *, finds_hands: bool = True
) -> Iterator[Callable[[Tally], None]]:
    """Show how an export goes: frames, frames a second, time left, hands found.

    Args:
        console: Where to draw.
        name: What is exported.
        num_frames: Frames to expect; None where unknown.
        finds_hands: Whether hands are looked for, and their numbers shown.

    Yields:
        Function to call with the tally after each frame.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _FrameRateColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[hands]}", style="dim"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(escape(printable(name)), total=num_frames, hands="")

        def update(tally: Tally) -> None:
            left, right = tally.num_hands["left"], tally.num_hands["right"]
            hands = f"{left} left, {right} right" if finds_hands else ""
            progress.update(task, completed=tally.num_frames, hands=hands)

        yield update
        # The count that a container declares is an estimate; the end is known only now.
        done = progress.tasks[0].completed
        progress.update(task, total=done)


@contextmanager
def download_bar(console: Console) -> Iterator[Callable[[int, int | None], None]]:
    """Show a download, should there be one: bytes, speed, time left.

    Yields:
        Function to call with the bytes had so far and the bytes in all (None where unknown).
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console)

    def update(num_bytes: int, total: int | None) -> None:
        if not progress.tasks:
            progress.start()  # only now: a bar of nothing is an empty line in a log
            # The bytes of an earlier, broken-off download say nothing about this one's speed.
            progress.add_task("downloading", total=total, completed=num_bytes)
        progress.update(progress.tasks[0].id, completed=num_bytes, total=total)

    try:
        yield update
    finally:
        if progress.tasks:
            progress.stop()


@contextmanager
def step_line(console: Console) -> Iterator[Callable[[str], None]]:
    """Show what is measured at the moment.

    Yields:
        Function to call before each step with a few words.
    """
    with console.status("") as status:
        yield lambda step: status.update(f"measuring {escape(step)}")
