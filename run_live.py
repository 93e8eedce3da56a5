"""Signlight's command line: picks the parts, wires them, turns errors into exit codes."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from models.opening import check, make_cutter, open_finder, open_model
from models.registry import DEFAULT_MODEL, MODELS, find_spec
from overlays.opening import make_controls, make_view
from overlays.style import COLORMAPS
from stream.errors import in_one_line
from stream.installed import doubts_about_opencv
from stream.jobs.factories import Factories
from stream.options import BenchOptions, Options, parse_args
from stream.priority import let_waiting_threads_sleep

__all__ = ["main"]

FACTORIES = Factories(
    check=check,
    open_model=open_model,
    open_finder=open_finder,
    make_cutter=make_cutter,
    make_view=make_view,
    make_controls=make_controls,
)
"""The layers above ``stream``, as its jobs are handed them."""
SAMPLE_CLIP = Path(__file__).with_name("samples") / "fingerspelling.mp4"
"""What is measured where no clip is named; an installed Signlight comes without it."""
EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments after the program's name; None takes the process's own.

    Returns:
        0 done, 1 it could not (one line on stderr says what and what to do), 130 Ctrl-C, and as
        shells count 128 and its number for another signal (143 for SIGTERM).

    Raises:
        SystemExit: Code 2 for wrong usage, 0 after ``--help`` and ``--version``.
    """
    options = parse_args(
        sys.argv[1:] if argv is None else argv,
        models=tuple(MODELS),
        default_model=DEFAULT_MODEL,
        colormaps=COLORMAPS,
    )
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    if options.command in ("live", "export"):  # not where DINO's own way is timed, which it slows
        let_waiting_threads_sleep()
    for doubt in doubts_about_opencv():  # before it is loaded, which may fail
        from stream.jobs.progress import say

        say(f"note: {doubt}")
    run = {"live": _live, "export": _export, "models": _models, "fetch": _fetch, "bench": _bench}
    try:
        code = run[options.command](options)
        sys.stdout.flush()  # the last moment to notice here that nobody reads any more
        return code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough: what is still in its buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:
        if options.verbose:
            raise
        print(f"signlight: {in_one_line(error)}", file=sys.stderr)
        return EXIT_FAILED


def _live(options: Options) -> int:
    from stream.jobs.live import Live

    return Live(options, FACTORIES).run()


def _export(options: Options) -> int:
    from stream.jobs.export import Export

    return Export(options, FACTORIES).run()


def _models(options: Options) -> int:
    from rich.console import Console

    from models.listing import table_of_models

    Console().print(table_of_models())
    print("signlight models fetch NAME downloads what is published; so does the first use of it.")
    return EXIT_DONE


def _fetch(options: Options) -> int:
    from models.weights import fetch_weights
    from stream.jobs.progress import download_bar, print_path, terminal

    with download_bar(terminal()) as progress:
        found = fetch_weights(find_spec(options.model), progress=progress)
    print_path(found.path)
    return EXIT_DONE


def _bench(options: Options) -> int:
    from models.bench.command import bench
    from stream.jobs.progress import step_line, terminal

    assert isinstance(options, BenchOptions)
    bench(options, FACTORIES, sample=SAMPLE_CLIP, steps=step_line(terminal()))
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
