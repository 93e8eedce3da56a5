"""Signlight's command line: picks the parts, wires them, turns errors into exit codes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from models.bench.options import BenchOptions
from models.opening import (
    check,
    each_model,
    make_cutter,
    open_finder,
    open_model,
    open_still_finder,
    ready_models,
)
from models.options import (
    FetchOptions,
    HandOptions,
    ModelOptions,
    ModelsOptions,
    RuntimeOptions,
)
from overlays.controls import KEYS
from overlays.figure_look import FigureLook
from overlays.opening import make_controls, make_view, save_figure, save_matrix, save_sheet
from overlays.style import Style
from stream.command_line.command import Command
from stream.command_line.options import CommonOptions, Options, Words
from stream.command_line.parsing import parse_args, words_of_keys
from stream.installed_packages import doubts_about_opencv
from stream.jobs.factories import Factories
from stream.jobs.options import (
    AnnotateOptions,
    ExportOptions,
    FigureOptions,
    LiveOptions,
    RegionOptions,
    ServeOptions,
)
from stream.printable import log_to_terminal
from stream.priority import let_waiting_threads_sleep
from stream.program import exit_code_of
from stream.screens.options import PageOptions
from stream.sinks.options import EncoderOptions
from stream.sources.options import PartOptions, PictureOptions
from stream.tables.elan.options import ElanOptions

__all__ = ["main"]

FACTORIES = Factories(
    check=check,
    each_model=each_model,
    ready_models=ready_models,
    open_model=open_model,
    open_finder=open_finder,
    open_still_finder=open_still_finder,
    make_cutter=make_cutter,
    make_view=make_view,
    make_controls=make_controls,
    save_figure=save_figure,
    save_matrix=save_matrix,
)
"""The layers above ``stream``, as its jobs are handed them."""
SAMPLE_CLIP = Path(__file__).with_name("samples") / "fingerspelling.mp4"
"""What is served or measured where no clip is named; an installed Signlight comes without it."""
SAMPLE_SIGNS = Path(__file__).with_name("samples") / "signs"
"""What a figure shows where no picture is named; it comes without them, too."""


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
    arguments = sys.argv[1:] if argv is None else argv
    command, options = parse_args(arguments, COMMANDS, epilog=words_of_keys(KEYS))
    is_verbose = options[CommonOptions].verbose
    log_to_terminal(
        logging.DEBUG if is_verbose else logging.WARNING, "%(levelname)s %(name)s: %(message)s"
    )
    if not command.has_cores_alone:
        let_waiting_threads_sleep()
    for doubt in doubts_about_opencv():  # before it is loaded, which may fail
        from stream.jobs.progress import say

        say(f"note: {doubt}")
    return exit_code_of("signlight", partial(command.run, options), verbose=is_verbose)


def _job(name: str, *parts: object) -> Callable[[Options], int]:
    """Return what runs the job "module:Class" of the options and ``parts``; it loads when run."""

    def run(options: Options) -> int:
        module, job = name.split(":")
        code: int = getattr(import_module(module), job)(options, *parts).run()
        return code

    return run


def _program(
    name: str, summary: str, module: str, *, has_cores_alone: bool = False, **parts: object
) -> Command:
    """Return the command that is another program of ours, with a command line of its own."""

    def run(options: Options) -> int:
        program = import_module(module)
        code: int = program.main(options[Words].words, prog=f"signlight {name}", **parts)
        return code

    return Command(
        name=name,
        summary=summary,
        description="",
        options=(),
        run=run,
        reads_its_own=True,
        has_cores_alone=has_cores_alone,
    )


_LOOKING = (ModelOptions(), RegionOptions(), HandOptions(), RuntimeOptions())
_READING = (PictureOptions(), PartOptions(), EncoderOptions())
_EXPORTED = Style(skeleton=False, hud=False)
"""The look of an export where nobody says otherwise."""

COMMANDS = (
    Command(
        name="live",
        summary="live view of a camera, a file, a folder of images or a URL",
        description="Show where a DINO model looks while a person signs.",
        options=(LiveOptions(), *_LOOKING, Style(), *_READING),
        run=_job("stream.jobs.live:Live", FACTORIES),
    ),
    Command(
        name="export",
        summary="every frame of a recording, with its sound, to an MP4",
        description="Draw DINO's attention on every frame of a recording and write an MP4 beside "
        "it.",
        options=(ExportOptions(), *_LOOKING, _EXPORTED, *_READING),
        run=_job("stream.jobs.export:Export", FACTORIES),
    ),
    Command(
        name="annotate",
        summary="attention and hands as data: an ELAN package, tables, maps, a page",
        description="Measure attention and hands in every frame of videos, and write the numbers: "
        'an ELAN package that opens with its curves, tables, subtitles. "annotate merge DIR" makes '
        "one table of what became of all videos below DIR.",
        options=(
            AnnotateOptions(),
            ElanOptions(),
            ModelOptions(),
            RegionOptions(),
            HandOptions(),
            RuntimeOptions(precision="float32"),
            _EXPORTED,
            *_READING,
        ),
        run=_job("stream.jobs.annotate_many:Annotate", FACTORIES),
    ),
    Command(
        name="figure",
        summary="signs x heads as a picture, model by model, with the numbers of where they look",
        description="Draw the maps of signs for each model and head into one figure, and measure "
        "where they look; without arguments five rendered signs by the models that come with "
        "Signlight.",
        options=(
            FigureOptions(),
            ModelsOptions(),
            HandOptions(),
            RuntimeOptions(precision="float32"),
            FigureLook(),
            PictureOptions(),
        ),
        run=_job("stream.jobs.figure:Figure", FACTORIES, SAMPLE_SIGNS),
    ),
    Command(
        name="models",
        summary='the table of models; "models fetch NAME" downloads one',
        description="List the models and where their weights are, or download weights.",
        options=(FetchOptions(),),
        run=_job("models.listing:Models"),
    ),
    Command(
        name="serve",
        summary="the live view as a page in the browser",
        description="Serve the live view as a page, for browsers on this machine or others. A "
        "recording plays again and again; with --own-camera each browser shows its own camera to "
        "itself instead. The address that is printed carries a token, without which nothing is "
        "shown; /view?clean=1 is the picture alone, for OBS, /mjpeg a stream of pictures for "
        "players.",
        options=(ServeOptions(), PageOptions(), *_LOOKING, Style(hud=False), *_READING),
        run=_job("stream.jobs.serve:Serve", FACTORIES, SAMPLE_CLIP),
    ),
    Command(
        name="cameras",
        summary="the cameras there are: number, name, sizes and rates",
        description="List the cameras: the number that opens each, its name (a part of it opens "
        "the camera as well), its sizes and rates.",
        options=(),
        run=_job("stream.jobs.cameras:Cameras"),
    ),
    Command(
        name="bench",
        summary="how fast this machine is, stage by stage",
        description="Measure this machine: each model against what the processor can do at most, "
        "each stage of an export, and the live view. Weights are random: speed does not know.",
        options=(BenchOptions(), RuntimeOptions()),
        fixed=(
            ModelOptions(random_weights=True),
            RegionOptions(),
            HandOptions(),
            _EXPORTED,
            *_READING,
        ),
        run=_job("models.bench.benchmark:Bench", FACTORIES, SAMPLE_CLIP),
        has_cores_alone=True,  # it times DINO's own way too
    ),
    _program(
        "train",
        "train a small DINO on rendered hands or a corpus of your own",
        "models.train",
        has_cores_alone=True,
    ),
    _program(
        "evaluate",
        "where a model's attention lands on pictures whose hands are known",
        "models.evaluate",
        has_cores_alone=True,
        draw=save_sheet,
    ),
    _program(
        "evaluate-hands",
        "how well hands are found in labelled clips of your own",
        "models.evaluate_hands",
    ),
)
"""What Signlight can do; the first is what it does where no command is named."""


if __name__ == "__main__":
    sys.exit(main())
