"""What is told of a job, however it ends: to the person, and in the JSON beside its video."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stream.command_line.options import Options
from stream.errors import OutputError
from stream.jobs import sidecar
from stream.jobs.progress import say
from stream.jobs.tally import Tally
from stream.naming import doubts_about_source
from stream.protocols import Source
from stream.scene import Scene
from stream.sources.options import SourceOptions

if TYPE_CHECKING:
    from stream.jobs.factories import LoadedModel

__all__ = ["Account", "Output"]


class Output(Protocol):
    """A recording that a job writes."""

    @property
    def written_path(self) -> Path:
        """Where what was written lies."""

    @property
    def word_of_earlier(self) -> str:
        """In brackets which is which, while an earlier recording is still there; else empty."""

    @property
    def warnings(self) -> Sequence[str]:
        """What is not in it as asked for, a line each."""


@dataclass(slots=True, kw_only=True)
class Account:
    """The account of one recording: what it was made of, what is in it, what was wrong."""

    options: Options
    """What was asked for, the size of crops filled in."""
    source: Source
    """Where the frames come from."""
    source_sha256: str | None
    """Hash of the file they come from; None where it is no file."""
    model: LoadedModel
    """What makes the maps."""
    output: Output
    """What is written."""
    notes: Sequence[str] = ()
    """What was to be said before anything was read, a line each."""
    began_s: float = field(default_factory=time.monotonic)
    """When the job began, ``time.monotonic``."""
    tally: Tally = field(default_factory=Tally)
    """What was written."""

    @property
    def warnings(self) -> list[str]:
        """What could be lived with, a line each."""
        doubts = doubts_about_source(self.options[SourceOptions].source)
        of_source = (*doubts, *self.source.warnings)
        return [*self.notes, *self.model.warnings, *of_source, *self.output.warnings]

    def count(self, scene: Scene) -> None:
        """Count a scene that was written."""
        self.tally.count(scene)
        if self.tally.num_frames == 1:  # what stood in its place has just been replaced
            sidecar.forget_sidecar(self.output.written_path.with_suffix(".json"))

    @contextmanager
    def kept_if_broken_off(self) -> Iterator[None]:
        """Should the block fail, tell of what was written all the same."""
        try:
            yield
        except BaseException as error:
            with suppress(OutputError):  # what went wrong first is what counts
                self.write("broken off: the video may hold fewer frames than were counted")
            if self.tally.num_frames and not isinstance(error, OutputError):
                plays = f"{self.output.written_path} plays, perhaps without its last seconds"
                say(f"broken off; {plays}{self.output.word_of_earlier}")
            raise

    def write(self, *ending: str) -> None:
        """Write the sidecar, with how it ended; nothing where there is no frame to tell of.

        Raises:
            OutputError: It cannot be written.
        """
        if self.tally.num_frames:
            sidecar.write_sidecar(self.output.written_path, self.content(*ending))

    def content(self, *ending: str) -> dict[str, Any]:
        """Return the account as JSON can hold it, with how it ended."""
        return sidecar.describe_export(
            self.tally,
            model=self.model,
            source_name=self.source.info.name,
            source_sha256=self.source_sha256,
            options=self.options,
            seconds=time.monotonic() - self.began_s,
            warnings=[*self.warnings, *ending],
        )
