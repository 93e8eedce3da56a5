"""``signlight bench``: what is measured, shown and written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from models.bench import session
from models.bench.files import check_figures
from models.bench.table import print_page
from stream.errors import OptionError, SourceError
from stream.jobs.factories import Factories
from stream.json_files import write_json
from stream.options import BenchOptions

__all__ = ["bench"]


def bench(
    options: BenchOptions,
    factories: Factories,
    *,
    sample: Path,
    steps: AbstractContextManager[Callable[[str], object]],
) -> None:
    """Measure, print the page, and write the figures; those there are where it is stopped.

    Args:
        options: What to measure.
        factories: How parts are made.
        sample: Clip to take where none is named; it need not be there.
        steps: Gives a function that shows what is measured at the moment.

    Raises:
        SignlightError: There is no clip, or nothing to measure with in it; the figures cannot be
            written; a part could not be had, or failed.
    """
    if not options.source:
        if not sample.is_file():
            raise OptionError("the sample clip is not installed; give a clip: signlight bench CLIP")
        options = replace(options, source=str(sample))
    if not Path(options.source).is_file():
        raise SourceError(f"{options.source} is no file; give a video with a hand in it")
    if options.json_path is not None:
        check_figures(options.json_path)
    report = session.start_report(options)
    plan = session.QUICK if options.quick else session.FULL
    try:
        with steps as show:
            for step in session.measure(report, options, factories, plan=plan):
                show(step)
    finally:
        if report.matrix:
            print_page(report)
            if options.json_path is not None:
                write_json(options.json_path, report.as_json())
