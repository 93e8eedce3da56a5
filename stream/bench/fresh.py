"""A measurement in a process of its own: start-up and memory are then its own, too."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from stream.errors import SignlightError, WorkerError

__all__ = ["run_fresh"]

T = TypeVar("T")


def run_fresh(function: Callable[..., T], /, **arguments: Any) -> T:  # noqa: ANN401
    """Return ``function(**arguments)``, called in a new process that has loaded nothing before.

    Args:
        function: A function of a module, found there by name in the new process.
        arguments: Values that can be pickled, as its result has to be.

    Raises:
        SignlightError: What the function raised; of a failed thread, what that raised.
        RuntimeError: The process failed otherwise, or died.
        KeyboardInterrupt: Ctrl-C; the process has ended then.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_report, args=(theirs, function, arguments), name="signlight-bench", daemon=True
    )
    with _ctrl_c_ignored():  # the new process inherits that: it ends when this one says so
        process.start()
    theirs.close()  # so that its death is the end of the pipe
    try:
        result, failure = ours.recv()
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
        raise failure
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


def _report(
    pipe: Connection[Any, Any], function: Callable[..., object], arguments: dict[str, object]
) -> None:
    try:
        pipe.send((function(**arguments), None))
    except Exception as error:
        cause = error.__cause__ if isinstance(error, WorkerError) else None
        failure = cause or error
        if not isinstance(failure, SignlightError):  # others need not survive the journey
            failure = RuntimeError(f"{type(failure).__name__}: {failure}")
        with suppress(OSError):  # nobody is left to be told
            pipe.send((None, failure))
