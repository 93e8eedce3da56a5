"""How every program of ours ends: with an exit code, and with one line where it could not."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from stream.errors import in_one_line
from stream.printable import log_to_terminal
from stream.stopping import interrupted_by_signals

__all__ = ["exit_code_of", "run_program"]


def run_program(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], object],
    arguments: Sequence[str] | None,
) -> int:
    """Read a program's command line, do its work and return its exit code.

    Args:
        parser: Reads the options; gets a ``--verbose``.
        work: Takes the options.
        arguments: What stands after the program's name; None takes the process's own.

    Raises:
        SystemExit: Code 2 for wrong usage, 0 after ``--help``.
    """
    parser.add_argument("-v", "--verbose", action="store_true", help="show where it went wrong")
    options = parser.parse_args(arguments)
    log_to_terminal(logging.WARNING, "%(message)s")

    def run() -> int:
        work(options)
        return 0

    return exit_code_of(parser.prog.removeprefix("python -m "), run, verbose=options.verbose)


def exit_code_of(name: str, work: Callable[[], int], *, verbose: bool) -> int:
    """Do a program's work and return its exit code.

    Args:
        name: The program, for the line that says what went wrong.
        work: Returns the exit code of what could be done.
        verbose: Let what went wrong be seen where it did.

    Returns:
        That of ``work``; 1 where it could not (one line on stderr says what and what to do), or
        where nobody reads the output any more (``| head``); 130 for Ctrl-C, and as shells count 128
        and its number for another signal (143 for SIGTERM).
    """
    try:
        with interrupted_by_signals():
            code = work()
            sys.stdout.flush()  # the last moment to notice here that nobody reads any more
        return code
    except KeyboardInterrupt as interrupt:
        return 128 + getattr(interrupt, "signum", signal.SIGINT)
    except BrokenPipeError:
        # Whoever read our output has had enough: what is still in its buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if verbose:
            raise
        print(f"{name}: {in_one_line(error)}", file=sys.stderr)
        return 1
