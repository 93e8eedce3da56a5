"""Work in processes of its own: start-up and memory are then its own, and so is its end."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from stream.closing import Closing
from stream.errors import SignlightError, WorkerError
from stream.priority import let_waiting_threads_sleep

__all__ = ["Ended", "MakeWork", "Process", "Work", "portable", "run_each", "run_fresh"]

T = TypeVar("T")
Task = TypeVar("Task")
Result = TypeVar("Result")
Work = Callable[[Task, Callable[[Any], None]], Result]
"""What a process does with each task; it may hand values on meanwhile, to its second argument."""
MakeWork = Callable[[], Work[Task, Result]]
"""Gets a process ready, once: a function of a module, found there by name."""


@dataclass(frozen=True, slots=True)
class Ended(Generic[Task, Result]):
    """How a task ended."""

    task: Task
    """What was to be done."""
    result: Result | None
    """What came of it; None where it failed."""
    failure: Exception | None
    """Why it failed; None where it did not."""


class _ThereError(Exception):
    """Where in the other process it went wrong: the text of its traceback."""

    def __str__(self) -> str:
        return f"in the other process:\n\n{self.args[0]}"


class Process(Closing, Generic[Task, Result]):
    """A new process that has loaded nothing before, and does one task after the other.

    It ends with the block, or with this process. Ctrl-C does not reach it.

    Args:
        make_work: Called there, before the first task; can be pickled, as tasks and results are.
        sleep_waiting: Set there, before anything is loaded, what live view and export set
            (``let_waiting_threads_sleep``); else the libraries find the environment as it is here.
    """

    def __init__(self, make_work: MakeWork[Task, Result], *, sleep_waiting: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            # Pickled by us, unpickled there by us: that imports the function.
            target=_serve,
            args=(theirs, pickle.dumps(make_work), sleep_waiting),
            name="signlight-worker",
            daemon=True,
        )
        with _ctrl_c_ignored():  # the new process inherits that: it ends when this one says so
            self._process.start()
        theirs.close()  # so that its death is the end of the pipe

    @property
    def pipe(self) -> Connection[Any, Any]:
        """Ready to be read once ``take`` would not wait."""
        return self._pipe

    def give(self, task: Task) -> None:
        """Hand over a task; the one before has ended."""
        with suppress(OSError):  # it died meanwhile, which take() tells
            self._pipe.send(task)

    def take(self, on_told: Callable[[Any], None] = lambda value: None) -> tuple[Result] | None:
        """Wait for the next word: the result, in a tuple, or None after something was told.

        Raises:
            SignlightError: What the work raised; of a failed thread, what that raised. Its cause
                has the traceback of the other process, as has that of a RuntimeError.
            WorkerError: The process died.
            RuntimeError: The work failed otherwise.
        """
        try:
            kind, value, where = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            raise WorkerError(_how_it_died(self.exit_code)) from None
        if kind == "told":
            on_told(value)
            return None
        if kind == "failed":
            raise value from _ThereError(where)
        return (value,)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.exitcode

    def ask_to_stop(self) -> None:
        """Send it SIGTERM, which work may turn into an end in peace."""
        self._process.terminate()

    def close(self) -> None:
        """End it now."""
        self._pipe.close()
        self._process.terminate()  # nothing is left to do for it
        self._process.join()


def run_fresh(
    function: Callable[..., T],
    /,
    *,
    sleep_waiting: bool = False,
    **arguments: Any,  # noqa: ANN401
) -> T:
    """Return ``function(**arguments)``, called in a new process that has loaded nothing before.

    Args:
        function: A function of a module, found there by name in the new process.
        sleep_waiting: As for ``Process``.
        arguments: Values that can be pickled, as its result has to be.

    Raises:
        SignlightError: As ``Process.take`` does, and as there a RuntimeError.
        KeyboardInterrupt: Ctrl-C; the process has ended then.
    """
    process: Process[Any, T] = Process(_make_caller, sleep_waiting=sleep_waiting)
    with process:
        process.give((function, arguments))
        while (result := process.take()) is None:
            pass
        return result[0]


def run_each(
    make_work: MakeWork[Task, Result],
    tasks: Iterable[Task],
    *,
    num_processes: int,
    stop: threading.Event,
    on_told: Callable[[Task, Any], None] = lambda task, value: None,
) -> Iterator[Ended[Task, Result]]:
    """Do tasks in processes that last; yield each as it ends.

    A task that kills its process ends with that; a new process goes on with the next.

    Args:
        make_work: As for ``Process``.
        tasks: Taken as processes have time for them.
        num_processes: How many at once.
        stop: Set it to end early: no task is begun any more, and those at work are asked to stop.
        on_told: Called here with what work tells, and its task.
    """
    waiting = iter(tasks)
    at_work: dict[Connection[Any, Any], tuple[Process[Task, Result], Task]] = {}
    idle: list[Process[Task, Result]] = []
    with ExitStack() as stack:
        is_stopping = False
        while True:
            while not stop.is_set() and len(at_work) < num_processes:
                try:
                    task = next(waiting)
                except StopIteration:
                    break
                process = idle.pop() if idle else stack.enter_context(_started(make_work))
                process.give(task)
                at_work[process.pipe] = (process, task)
            if stop.is_set() and not is_stopping:
                is_stopping = True
                for process, _ in at_work.values():
                    process.ask_to_stop()
            if not at_work:
                return
            for pipe in wait(list(at_work), timeout=_STOP_HEARD_S):
                process, task = at_work[pipe]  # type: ignore[index]
                ended = _next_word(process, task, on_told)
                if ended is None:
                    continue
                del at_work[process.pipe]
                if process.exit_code is None:
                    idle.append(process)
                yield ended


_STOP_HEARD_S = 0.2
"""Longest time until a stop is heeded while nothing is told."""


def _how_it_died(exit_code: int | None) -> str:
    if exit_code == -9:  # as systems end a process whose memory they need
        return "its process was killed (SIGKILL), perhaps for its memory; try it with fewer at once"
    return f"its process died with exit code {exit_code}; try it again"


def _started(make_work: MakeWork[Task, Result]) -> Process[Task, Result]:
    return Process(make_work, sleep_waiting=True)


def _next_word(
    process: Process[Task, Result], task: Task, on_told: Callable[[Task, Any], None]
) -> Ended[Task, Result] | None:
    try:
        result = process.take(lambda value: on_told(task, value))
    except (SignlightError, RuntimeError) as failure:
        return Ended(task, None, failure)
    return None if result is None else Ended(task, result[0], None)


def portable(error: Exception) -> Exception:
    """Return what failed in a form that another process can be handed."""
    cause = error.__cause__ if isinstance(error, WorkerError) else None
    failure = cause if isinstance(cause, Exception) else error
    if isinstance(failure, SignlightError):
        return failure
    return RuntimeError(f"{type(failure).__name__}: {failure}")  # others need not survive that


def _make_caller() -> Work[Any, Any]:
    def call(task: Any, tell: Callable[[Any], None]) -> Any:  # noqa: ANN401
        function, arguments = task
        return function(**arguments)

    return call


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Do not let Ctrl-C through, nor to a process that begins: it would show a traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may ask for it
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection[Any, Any], make_work: bytes, sleep_waiting: bool) -> None:
    if sleep_waiting:
        let_waiting_threads_sleep()

    def send(kind: str, value: object, where: str = "") -> None:
        with suppress(OSError):  # nobody is left to be told
            pipe.send((kind, value, where))

    work: Work[Any, Any] | None = None
    with suppress(EOFError):  # nobody has any more to do
        while True:
            task = pipe.recv()
            try:
                work = work or pickle.loads(make_work)()
                send("done", work(task, lambda value: send("told", value)))
            except Exception as error:
                send("failed", portable(error), traceback.format_exc())
