"""``signlight bench``: what is measured, shown and written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.bench import session
from models.bench.files import check_figures
from models.bench.options import BenchOptions
from models.bench.table import print_page
from stream.command_line.options import Options
from stream.errors import OptionError, SourceError
from stream.jobs.factories import Factories
from stream.jobs.progress import step_line, terminal
from stream.json_files import write_json

__all__ = ["Bench"]


@dataclass(frozen=True, slots=True)
class Bench:
    """Measures this machine."""

    options: Options
    """What to measure."""
    factories: Factories
    """How parts are made."""
    sample: Path
    """Clip to take where none is named; it need not be there."""

    def run(self) -> int:
        """Measure, print the page, write the figures (those there are where it is stopped).

        Returns:
            The exit code.

        Raises:
            SignlightError: There is no clip, or nothing to measure with in it; the figures cannot
                be written; a part could not be had, or failed.
        """
        options = self.options
        if not options[BenchOptions].source:
            if not self.sample.is_file():
                raise OptionError(
                    "the sample clip is not installed; give a clip: signlight bench CLIP"
                )
            options = options.but(source=str(self.sample))
        asked = options[BenchOptions]
        if not Path(asked.source).is_file():
            raise SourceError(f"{asked.source} is no file; give a video with a hand in it")
        if asked.json_path is not None:
            check_figures(asked.json_path)
        report = session.start_report(options)
        extent = session.QUICK if asked.quick else session.FULL
        try:
            with step_line(terminal()) as show:
                for step in session.measure(report, options, self.factories, extent=extent):
                    show(step)
        finally:
            if report.matrix:
                print_page(report)
                if asked.json_path is not None:
                    write_json(asked.json_path, report.as_json())
        return 0
