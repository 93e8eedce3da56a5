"""One recording as data: its scenes measured, and written in every form that was asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from stream.annotation.measuring import Measurer
from stream.command_line.options import Options
from stream.errors import SourceError, SourceFormatError, WorkerError
from stream.folders import claimed_folder
from stream.hashing import sha256_of
from stream.jobs import annotation_mark as mark
from stream.jobs.account import Account
from stream.jobs.annotation_outputs import AnnotationOutputs
from stream.jobs.batch import Outcome
from stream.jobs.factories import Factories
from stream.jobs.opening import open_source
from stream.jobs.options import AnnotateOptions
from stream.jobs.recordings import Recording
from stream.scenes import SceneMaker, SceneReader, Scenes
from stream.stopping import stop_on_signals
from stream.video import Video

__all__ = ["Annotator", "MakeAnnotator"]


@dataclass(frozen=True, slots=True)
class MakeAnnotator:
    """Gets a process ready to annotate recordings; a ``stream.jobs.processes.MakeWork``."""

    options: Options
    """What is asked for."""
    factories: Factories
    """How parts are made."""
    num_threads: int | None = None
    """Processor threads of the model; None as fits one process on this machine."""

    def __call__(self) -> Annotator:
        """Load the model."""
        return Annotator(self.options, self.factories, num_threads=self.num_threads)


class Annotator:
    """Annotates one recording after the other with one model.

    Args:
        options: What is asked for.
        factories: How parts are made.
        num_threads: Processor threads of the model.
        stop: Set it to have nothing stay of what is begun; None: a signal does.
    """

    def __init__(
        self,
        options: Options,
        factories: Factories,
        *,
        num_threads: int | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._notes = factories.check(options)
        self._model = factories.open_model(options, num_threads=num_threads)
        self._cut = factories.make_cutter(options, self._model)
        self._options = options.but(crop_size=self._cut.size_px)
        self._factories = factories
        self._stop = stop

    def __call__(
        self, recording: Recording, tell: Callable[[tuple[int, int | None]], None]
    ) -> Outcome:
        """Annotate a recording, unless that is done; ``tell`` is handed frames done and expected.

        Raises:
            SignlightError: It could not; that is remembered beside what would have been made.
        """
        began_s = time.monotonic()
        with (
            nullcontext(self._stop) if self._stop else _signals_heard() as stop,
            claimed_folder(recording.folder),
        ):
            key = mark.key_of(
                self._options,
                source_sha256=_hash_of(recording),
                weights_sha256=self._model.weights_sha256,
            )
            done = mark.read_done(recording, key)
            if done is not None:
                return Outcome(recording=recording, status="skipped", num_frames=done)
            failure = mark.read_failure(recording, key)
            if failure is not None and not self._options[AnnotateOptions].retry_failed:
                message = f"{failure} (as before; --retry-failed tries again)"
                return Outcome(recording=recording, status="failed", message=message)
            mark.clear(recording)
            try:
                return self._annotate(recording, key, tell, stop, began_s)
            except _StoppedError:
                return Outcome(recording=recording, status="stopped")
            except SourceError as error:  # of others the recording is not to blame
                mark.write_failure(recording, key, error)
                raise
            except WorkerError as error:
                if isinstance(error.__cause__, SourceError):
                    mark.write_failure(recording, key, error)
                raise

    def _annotate(
        self,
        recording: Recording,
        key: dict[str, Any],
        tell: Callable[[tuple[int, int | None]], None],
        stop: threading.Event,
        began_s: float,
    ) -> Outcome:
        options = self._options.but(source=str(recording.path))
        with ExitStack() as stack:
            source = stack.enter_context(open_source(options))
            finder = stack.enter_context(self._factories.open_finder(options))
            outputs = AnnotationOutputs(recording, options, source, self._model, stack)
            account = Account(
                options=options,
                source=source,
                source_sha256=key["source_sha256"],
                model=self._model,
                output=outputs,
                notes=self._notes,
                began_s=began_s,
            )
            readers: list[SceneReader] = [*outputs.scene_readers, Measurer(outputs.writers)]
            if outputs.sink is not None:
                view = self._factories.make_view(options)
                readers.append(stack.enter_context(Video(view, outputs.sink)))
            maker = SceneMaker(finder=finder, cut=self._cut, model=self._model)
            with Scenes(source, maker, stop=stop) as scenes:
                for scene in scenes:
                    for reader in readers:
                        reader.write(scene)
                    account.tally.count(scene)
                    tell((account.tally.num_frames, source.info.num_frames))
            num_frames = account.tally.num_frames
            if stop.is_set():
                raise _StoppedError
            if not num_frames:
                raise SourceFormatError(f"{source.info.name} has no frame to annotate")
            for reader in reversed(readers):  # pictures are asked for until the last moment
                reader.close()
            outputs.finish()
        mark.write_done(recording, key, account, outputs.rules, outputs.stretches, outputs.paths)
        return Outcome(
            recording=recording,
            status="done",
            num_frames=num_frames,
            seconds=time.monotonic() - began_s,
            message="; ".join(line for line in account.warnings if line not in self._notes),
        )


def _hash_of(recording: Recording) -> str:
    try:
        return sha256_of(recording.path)
    except OSError as error:
        raise SourceError(
            f"{recording.path} cannot be read: {error.strerror}; check the path and its permissions"
        ) from error


@contextmanager
def _signals_heard() -> Iterator[threading.Event]:
    """Yield what a signal sets while the block lasts."""
    with stop_on_signals() as stop:
        yield stop.event


class _StoppedError(Exception):
    """A signal came: nothing stays of what was begun."""
