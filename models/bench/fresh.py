"""A measurement in a process of its own: start-up and memory are then its own, too."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from stream.errors import SignlightError, WorkerError
from stream.priority import let_waiting_threads_sleep

__all__ = ["run_fresh"]

T = TypeVar("T")


class _ThereError(Exception):
    """Where in the other process it went wrong: the text of its traceback."""

    def __str__(self) -> str:
        return f"in the measuring process:\n\n{self.args[0]}"


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
        sleep_waiting: Set there, before anything is loaded, what live view and export set
            (``let_waiting_threads_sleep``); else the libraries find the environment as it is here.
        arguments: Values that can be pickled, as its result has to be.

    Raises:
        SignlightError: What the function raised; of a failed thread, what that raised. Its cause
            has the traceback of the other process, as has that of a RuntimeError.
        RuntimeError: The process failed otherwise, or died.
        KeyboardInterrupt: Ctrl-C; the process has ended then.
    """
    context = multiprocessing.get_context("spawn")
    task = pickle.dumps((function, arguments))  # unpickled there by us: it imports the function
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_report, args=(theirs, task, sleep_waiting), name="signlight-bench", daemon=True
    )
    with _ctrl_c_ignored():  # the new process inherits that: it ends when this one says so
        process.start()
    theirs.close()  # so that its death is the end of the pipe
    try:
        result, failure, where = ours.recv()
    except EOFError:
        process.join()
        raise RuntimeError(
            f"the measuring process died with exit code {process.exitcode}"
        ) from None
    finally:
        ours.close()
        process.terminate()  # nothing is left to do for it
        process.join()
    if failure is not None:
        raise failure from _ThereError(where)
    returned: T = result
    return returned


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


def _report(pipe: Connection[Any, Any], task: bytes, sleep_waiting: bool) -> None:
    if sleep_waiting:
        let_waiting_threads_sleep()
    try:
        function, arguments = pickle.loads(task)
        pipe.send((function(**arguments), None, ""))
    except Exception as error:
        cause = error.__cause__ if isinstance(error, WorkerError) else None
        failure = cause or error
        if not isinstance(failure, SignlightError):  # others need not survive the journey
            failure = RuntimeError(f"{type(failure).__name__}: {failure}")
        with suppress(OSError):  # nobody is left to be told
            pipe.send((None, failure, traceback.format_exc()))
