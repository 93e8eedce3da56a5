"""A measurement in a process of its own: start-up and memory are then its own, too."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
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


def _report(
    pipe: Connection[Any, Any], function: Callable[..., object], arguments: dict[str, object]
) -> None:
    try:
        pipe.send((function(**arguments), None))
    except KeyboardInterrupt:
        pass  # whoever waits has been told the same
    except Exception as error:
        cause = error.__cause__ if isinstance(error, WorkerError) else None
        failure = cause or error
        if not isinstance(failure, SignlightError):  # others need not survive the journey
            failure = RuntimeError(f"{type(failure).__name__}: {failure}")
        with suppress(OSError):  # nobody is left to be told
            pipe.send((None, failure))
