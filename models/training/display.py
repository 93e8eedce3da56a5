"""How a run is shown: live in a terminal, as lines elsewhere, as JSON lines in its folder."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.training.learner import StepReport
from models.training.recipe import Recipe
from stream.errors import OutputError

__all__ = ["RunDisplay"]

_SMOOTHING: Final = 0.95
"""Share of the old in the moving averages that are shown: about the last twenty steps."""
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_HISTORY: Final = 24
"""Bars in a curve."""


class RunDisplay:
    """Shows loss, teacher entropy and throughput, and keeps them; a context manager.

    Args:
        console: Where to draw; one that is no terminal gets a line at each log.
        recipe: The run's numbers.
        log: File that a JSON line is appended to at each log.
        log_every: Steps between two logs.
        steps_done: Steps of earlier runs.

    Raises:
        OutputError: The log cannot be written.
    """

    def __init__(
        self, console: Console, recipe: Recipe, log: Path, *, log_every: int, steps_done: int
    ) -> None:
        self._console = console
        self._recipe = recipe
        self._log_every = log_every
        self._mean: dict[str, float] = {}
        self._curves: dict[str, list[float]] = {"loss": [], "teacher_entropy": []}
        self._first_step = steps_done
        self._started_s = time.monotonic()
        try:
            self._file = log.open("a", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{log}: cannot be written ({error.strerror})") from error
        self._progress = Progress(
            TextColumn("steps"), BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console,
        )  # fmt: skip
        self._task = self._progress.add_task("steps", total=recipe.steps, completed=steps_done)
        self._live = Live(console=console, refresh_per_second=2, get_renderable=self._draw)

    def update(self, step: int, report: StepReport, lr: float) -> None:
        """Take in a finished step, counted from 1."""
        for name in StepReport.__slots__:
            value = getattr(report, name)
            old = self._mean.get(name, value)
            self._mean[name] = _SMOOTHING * old + (1 - _SMOOTHING) * value
        self._progress.update(self._task, completed=step)
        if step % self._log_every and step != self._recipe.steps:
            return
        for name, curve in self._curves.items():
            curve.append(self._mean[name])
        numbers = {name: round(value, 4) for name, value in self._mean.items()}
        line = {"step": step, "lr": lr, "pictures_s": round(self.pictures_s(step), 1), **numbers}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        if not self._console.is_terminal:
            self._console.print(
                f"step {step}/{self._recipe.steps}  loss {numbers['loss']:.3f}  "
                f"contrast {numbers['contrast']:.3f}  "
                f"entropy {numbers['teacher_entropy']:.2f} (of mean {numbers['mean_entropy']:.2f}, "
                f"most {self._most:.2f})  found {numbers['found']:.2f}  "
                f"narrowest {numbers['narrowest']:.2f}  "
                f"{line['pictures_s']} pictures/s",
                soft_wrap=True,
                highlight=False,
            )

    def pictures_s(self, step: int) -> float:
        """Return the pictures learnt from in a second, since this run started."""
        seconds = max(time.monotonic() - self._started_s, 1e-9)
        return (step - self._first_step) * self._recipe.batch / seconds

    def __enter__(self) -> RunDisplay:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()
        self._file.close()

    @property
    def _most(self) -> float:
        return math.log(self._recipe.num_prototypes)

    def _draw(self) -> Group:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold")
        table.add_column(justify="right")
        table.add_column(style="dim")
        if self._mean:
            mean, step = self._mean, int(self._progress.tasks[0].completed)
            table.add_row("loss", f"{mean['loss']:.3f}", _curve(self._curves["loss"]))
            table.add_row(
                "distillation", f"{mean['distillation']:.3f}", f"{self._most:.2f} knows nothing"
            )
            table.add_row(
                "contrast",
                f"{mean['contrast']:.3f}",
                f"{math.log(self._recipe.batch):.2f} knows nothing"
                + ("" if self._recipe.contrast else "; not trained on"),
            )
            table.add_row(
                "teacher entropy",
                f"{mean['teacher_entropy']:.2f}",
                f"{_curve(self._curves['teacher_entropy'])} {self._most:.2f} is collapse",
            )
            table.add_row("entropy of the mean", f"{mean['mean_entropy']:.2f}", "0 is collapse")
            table.add_row("views that find each other", f"{mean['found']:.0%}", "")
            table.add_row(
                "narrowest head", f"{mean['narrowest']:.2f}", "of the view; next to 0 is one token"
            )
            table.add_row("pictures a second", f"{self.pictures_s(step):.1f}", "")
        return Group(self._progress, table)


def _curve(values: list[float]) -> str:
    """Return the last values as a row of bars, the lowest and the highest of them as its ends."""
    last = values[-_HISTORY:]
    if not last:
        return ""
    low, high = min(last), max(last)
    return "".join(
        _BLOCKS[round((value - low) / max(high - low, 1e-9) * (len(_BLOCKS) - 1))] for value in last
    )
