"""``signlight annotate``: recordings as data, one or thousands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from stream.command_line.options import Options
from stream.errors import OptionError, SourceNotFoundError
from stream.folders import make_folder
from stream.jobs.annotate import Annotator, MakeAnnotator
from stream.jobs.annotation_mark import read_outcomes
from stream.jobs.batch import Outcome, carry_out, words_of, write_outcomes
from stream.jobs.factories import Factories
from stream.jobs.options import AnnotateOptions
from stream.jobs.processes import Ended, run_each
from stream.jobs.progress import print_path, say, terminal
from stream.jobs.ray_pool import run_each_on_ray
from stream.jobs.recordings import Recording, find_recordings
from stream.priority import num_cores
from stream.stopping import Stop, stop_on_signals
from stream.tables.elan.options import ElanOptions

__all__ = ["Annotate"]

TABLE = "annotations"
"""Name of the table of what happened to each."""


@dataclass(frozen=True, slots=True)
class Annotate:
    """Annotates every recording that the options name, and tells what became of each."""

    options: Options
    """What to annotate, and how."""
    factories: Factories
    """How its parts are made."""

    def run(self) -> int:
        """Annotate, show how it goes, print where the results are; return the exit code.

        Raises:
            SignlightError: Nothing could be begun, or the only recording could not be annotated.
        """
        asked = self.options[AnnotateOptions]
        if asked.columns:
            from stream.tables.dictionary import describe_columns

            print(describe_columns())
            return 0
        if asked.inputs[0] == "merge":
            return _merge(asked.inputs[1:])
        recordings = find_recordings(asked.inputs, asked.folder)
        if self.options[ElanOptions].into is not None and len(recordings) > 1:
            raise OptionError(f"--into is for one video, and {len(recordings)} are named")
        for note in self.factories.check(self.options):
            say(f"note: {note}")
        if asked.shard is not None:
            recordings = asked.shard.of(recordings)
        if asked.folder is not None:
            make_folder(asked.folder)
        is_one = len(recordings) == 1 and not (asked.shard or Path(asked.inputs[0]).is_dir())
        with stop_on_signals() as stop:
            each = self._here if is_one and asked.ray is None else self._elsewhere
            outcomes = carry_out(
                partial(each, stop), recordings, stop=stop.event, console=terminal()
            )
        if is_one and outcomes[0].status in ("done", "skipped"):
            if outcomes[0].status == "skipped":
                say("done before, and nothing has changed since")
            print_path(recordings[0].folder)
        elif not is_one:
            say(words_of(outcomes))
            print_path(_write_table(asked, outcomes))
        has_failed = any(outcome.status == "failed" for outcome in outcomes)
        return stop.exit_code or int(has_failed)

    def _here(
        self,
        stop: Stop,
        recordings: Iterable[Recording],
        on_told: Callable[[Recording, Any], None],
    ) -> Iterator[Ended[Recording, Outcome]]:
        """Work in this process, whose error is told as that of any command."""
        options = self.options.but(retry_failed=True)  # who names one wants to see it tried
        annotate = Annotator(options, self.factories, stop=stop.event)
        for recording in recordings:
            yield Ended(recording, annotate(recording, partial(on_told, recording)), None)

    def _elsewhere(
        self,
        stop: Stop,
        recordings: Iterable[Recording],
        on_told: Callable[[Recording, Any], None],
    ) -> Iterator[Ended[Recording, Outcome]]:
        """Work in other processes, here or on a cluster."""
        asked = self.options[AnnotateOptions]
        if asked.ray is None:
            num_threads = max(1, num_cores() // asked.workers)
            make = MakeAnnotator(self.options, self.factories, num_threads)
            return run_each(
                make, recordings, num_processes=asked.workers, stop=stop.event, on_told=on_told
            )
        return run_each_on_ray(
            MakeAnnotator(self.options, self.factories, 1),
            recordings,
            address=asked.ray,
            num_processes=asked.workers if asked.workers > 1 else None,
            gpus_each=asked.ray_gpus,
            stop=stop.event,
        )


def _write_table(asked: AnnotateOptions, outcomes: Sequence[Outcome]) -> Path:
    """Write the table of what happened where all results lie, or else where we are."""
    folder = asked.folder
    if folder is None:
        only = Path(asked.inputs[0])
        folder = only if len(asked.inputs) == 1 and only.is_dir() else Path()
    part = f".{asked.shard}" if asked.shard else ""
    path = folder / f"{TABLE}{part}.csv"
    write_outcomes(path, outcomes)
    return path


def _merge(names: Sequence[str]) -> int:
    """Make one table of all results below a folder."""
    if len(names) != 1:
        raise OptionError("which folder? signlight annotate merge DIR")
    folder = Path(names[0])
    outcomes = list(read_outcomes(folder)) if folder.is_dir() else []
    if not outcomes:
        raise SourceNotFoundError(f"{folder}: no results of annotate lie there")
    path = folder / f"{TABLE}.csv"
    write_outcomes(path, outcomes)
    print_path(path)
    say(words_of(outcomes))
    return int(any(outcome.status == "failed" for outcome in outcomes))
