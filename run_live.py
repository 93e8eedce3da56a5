"""Signlight's command line: picks the parts, wires them, turns errors into exit codes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
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
)
from models.options import (
    FetchOptions,
    HandOptions,
    ModelOptions,
    ModelsOptions,
    RuntimeOptions,
)
from models.registry import find_spec
from overlays.controls import KEYS
from overlays.figure_look import FigureLook
from overlays.opening import make_controls, make_view, save_figure, save_matrix
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


def _live(options: Options) -> int:
    from stream.jobs.live import Live

    return Live(options, FACTORIES).run()


def _serve(options: Options) -> int:
    from stream.jobs.serve import Serve

    return Serve(options, FACTORIES, SAMPLE_CLIP).run()


def _export(options: Options) -> int:
    from stream.jobs.export import Export

    return Export(options, FACTORIES).run()


def _annotate(options: Options) -> int:
    from stream.jobs.annotate_many import Annotate

    return Annotate(options, FACTORIES).run()


def _figure(options: Options) -> int:
    from stream.jobs.figure import Figure

    return Figure(options, FACTORIES, SAMPLE_SIGNS).run()


def _models(options: Options) -> int:
    name = options[FetchOptions].model
    return _fetch(name) if name else _list_models()


def _list_models() -> int:
    from rich.console import Console

    from models.listing import table_of_models

    Console().print(table_of_models())
    print("signlight models fetch NAME downloads what is published; so does the first use of it.")
    return 0


def _fetch(name: str) -> int:
    from models.weights import fetch_weights
    from stream.jobs.progress import download_bar, print_path, terminal

    with download_bar(terminal()) as progress:
        found = fetch_weights(find_spec(name), progress=progress)
    print_path(found.path)
    return 0


def _cameras(options: Options) -> int:
    from stream.jobs.cameras import print_cameras

    return print_cameras()


def _bench(options: Options) -> int:
    from models.bench.benchmark import bench
    from stream.jobs.progress import step_line, terminal

    bench(options, FACTORIES, sample=SAMPLE_CLIP, steps=step_line(terminal()))
    return 0


def _program(module: str, options: Options) -> int:
    code: int = import_module(module).main(
        options[Words].words, prog=f"signlight {options.command}"
    )
    return code


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
        run=_live,
    ),
    Command(
        name="export",
        summary="every frame of a recording, with its sound, to an MP4",
        description="Draw DINO's attention on every frame of a recording and write an MP4 beside "
        "it.",
        options=(ExportOptions(), *_LOOKING, _EXPORTED, *_READING),
        run=_export,
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
        run=_annotate,
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
        run=_figure,
    ),
    Command(
        name="models",
        summary='the table of models; "models fetch NAME" downloads one',
        description="List the models and where their weights are, or download weights.",
        options=(FetchOptions(),),
        run=_models,
    ),
    Command(
        name="serve",
        summary="the live view as a page in the browser",
        description="Serve the live view as a page, for browsers on this machine or others. A "
        "recording plays again and again. The address that is printed carries a token, without "
        "which nothing is shown; /view?clean=1 is the picture alone, for OBS, /mjpeg a stream of "
        "pictures for players.",
        options=(ServeOptions(), PageOptions(), *_LOOKING, Style(hud=False), *_READING),
        run=_serve,
    ),
    Command(
        name="cameras",
        summary="the cameras there are: number, name, sizes and rates",
        description="List the cameras: the number that opens each, its name (a part of it opens "
        "the camera as well), its sizes and rates.",
        options=(),
        run=_cameras,
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
        run=_bench,
        has_cores_alone=True,  # it times DINO's own way too
    ),
    Command(
        name="train",
        summary="train a small DINO on rendered hands or a corpus of your own",
        description="",
        options=(),
        run=partial(_program, "models.train"),
        reads_its_own=True,
        has_cores_alone=True,
    ),
    Command(
        name="evaluate",
        summary="where a model's attention lands on pictures whose hands are known",
        description="",
        options=(),
        run=partial(_program, "models.evaluate"),
        reads_its_own=True,
        has_cores_alone=True,
    ),
    Command(
        name="evaluate-hands",
        summary="how well hands are found in labelled clips of your own",
        description="",
        options=(),
        run=partial(_program, "models.evaluate_hands"),
        reads_its_own=True,
    ),
)
"""What Signlight can do; the first is what it does where no command is named."""


if __name__ == "__main__":
    sys.exit(main())
