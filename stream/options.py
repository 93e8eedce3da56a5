"""The command line, as a value."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from stream.installed import version_of
from stream.one_line_parser import OneLineParser
from stream.option_groups import (
    add_encoder_options,
    add_input_options,
    add_look_options,
    add_model_options,
    add_runtime_options,
)
from stream.option_values import integer_type, name_type
from stream.sources.picture_options import MAX_PIXELS
from stream.spelling import nearest

__all__ = ["BenchOptions", "Command", "Options", "parse_args"]

Command = Literal["live", "export", "models", "fetch", "bench"]

COMMANDS = ("export", "models", "bench")
"""Words that are commands where they come first; a file of that name is written ``./bench``."""

VIDEO_SUFFIXES = (".mp4", ".m4v")
"""What a written video may be called; the JSON beside it takes the rest of the name."""

EPILOG = """\
commands:
  signlight [SOURCE]               live view of a camera number, a file, a folder of images or a URL
  signlight export INPUT [OUTPUT]  every frame of a recording, with its sound, to an MP4
  signlight models                 the table of models; "models fetch NAME" downloads one
  signlight bench [CLIP]           how fast this machine is, stage by stage
Each has its own --help. A file that is called like a command is written ./export.

keys of the live view:
  0-9 head   m mean   a all heads   [ ] layer   l layout   c colormap   + - alpha   t threshold
  n normalisation   k skeleton   f mirror   h read-outs   s snapshot   r record   space freeze
  ? help   q quit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person asked for on the command line."""

    command: Command
    """What to do."""
    verbose: bool
    """Show tracebacks and the debug log."""
    source: str = "0"
    """Camera number, file, folder or URL."""
    output: Path | None = None
    """MP4 to write; None for the default beside the input (export) or no recording (live)."""
    model: str = ""
    """Name of the model; of the one to download for "fetch"."""
    weights: Path | None = None
    """Checkpoint to load; None for the cache, then a download."""
    random_weights: bool = False
    """Use seeded random weights."""
    head: int | Literal["mean", "all"] = "mean"
    """Which head to draw."""
    layer: int = -1
    """Block whose attention is read; negative counts from the end."""
    region: Literal["hands", "frame"] = "hands"
    """Crops around hands, or the whole picture."""
    max_hands: int = 2
    """Hands followed at once."""
    crop_size: int | None = None
    """Side of the model's input in pixels, before it is rounded to the patch; None for its own."""
    normalize: Literal["frame", "stable", "absolute"] = "stable"
    """Range of the colours."""
    colormap: str = "inferno"
    """Name of the colour map."""
    alpha: float = 0.6
    """Opacity of the map, 0 to 1."""
    threshold: float | None = None
    """Share of the attention inside the outline, 0 to 1; None for no outline."""
    layout: Literal["overlay", "side", "heads", "insets"] = "overlay"
    """How picture and maps are arranged."""
    skeleton: bool = False
    """Draw landmarks."""
    hud: bool = False
    """Draw read-outs."""
    mirror: bool = False
    """Show a selfie view."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Arithmetic of the model."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the model runs."""
    runtime: Literal["auto", "torch", "openvino"] = "auto"
    """With what the model runs."""
    window: bool = True
    """Open a window."""
    max_pixels: int = MAX_PIXELS
    """Most pixels that a picture may have."""
    playlists: bool = False
    """Open the files and addresses that a playlist names."""
    deinterlace: bool = False
    """Make pictures of one moment of interlaced ones."""
    input_mirrored: bool = False
    """The input is mirrored already: hands that look left are right."""
    start_s: float | None = None
    """Beginning of the part of a file, in seconds."""
    end_s: float | None = None
    """End of the part of a file, in seconds."""
    max_frames: int | None = None
    """Frames to read at most."""
    hand_model: Path | None = None
    """MediaPipe ``.task`` bundle; None for the one that comes with mediapipe."""
    crf: int = 20
    """Quality of the H.264 encoder: 0 is lossless, 51 the worst."""
    preset: str = "veryfast"
    """Speed of the H.264 encoder."""
    encoder: str = "libx264"
    """Name of the H.264 encoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions(Options):
    """What a person asked to be measured; the rest is as an export takes it by default."""

    json_path: Path | None = None
    """File for the figures; None prints them only."""
    quick: bool = False
    """Fewer models, fewer repeats, a part of the clip."""
    models: tuple[str, ...] = ()
    """Models to measure; empty for those that the bench takes by default."""
    num_threads: int | None = None
    """Processor threads of a model; None as export and live choose them."""


def parse_args(
    argv: Sequence[str],
    *,
    models: Sequence[str],
    default_model: str,
    colormaps: Sequence[str],
) -> Options:
    """Return what ``argv`` asks for.

    Args:
        argv: Arguments after the program's name.
        models: Names of the models.
        default_model: The model that is used where none is named.
        colormaps: Names of the colour maps.

    Raises:
        SystemExit: Code 2 for wrong usage, 0 after ``--help``.
    """
    arguments = list(argv)
    command = arguments[0] if arguments and arguments[0] in COMMANDS else "live"
    if command == "models":
        return _parse_models(arguments[1:], models)
    if command == "bench":
        return _parse_bench(arguments[1:], models)

    is_live = command == "live"
    parser = OneLineParser(
        prog="signlight" if is_live else "signlight export",
        description=(
            "Show where a DINO model looks while a person signs."
            if is_live
            else "Draw DINO's attention on every frame of a recording and write an MP4 beside it."
        ),
        epilog=EPILOG if is_live else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if is_live:
        parser.add_argument(
            "source",
            nargs="?",
            metavar="SOURCE",
            help="camera number, file, folder of images or URL (default: camera 0)",
        )
        parser.add_argument(
            "--save", dest="output", type=Path, metavar="PATH", help="record the view as MP4"
        )
        parser.add_argument(
            "--no-window", dest="window", action="store_false", help="run without a display"
        )
        version = version_of("signlight") or "(not installed as a distribution)"
        parser.add_argument("--version", action="version", version=f"signlight {version}")
    else:
        parser.add_argument("source", metavar="INPUT", help="file, folder of images or URL")
        parser.add_argument(
            "output",
            nargs="?",
            type=Path,
            metavar="OUTPUT",
            help="MP4 to write (default: INPUT.overlay.mp4)",
        )
    add_model_options(parser, models, default_model)
    add_look_options(parser, colormaps, is_live=is_live)
    add_input_options(parser)
    add_encoder_options(parser)
    parser.add_argument("-v", dest="verbose", action="store_true", help="tracebacks and debug log")
    if is_live and arguments:
        _refuse_misspelt_command(arguments[0], parser)
    # Intermixed: OUTPUT may stand after options, in every Python.
    namespace = parser.parse_intermixed_args(
        _without_double_dash(arguments if is_live else arguments[1:])
    )
    if namespace.source is None:  # not: a file or folder that happens to be called 0
        namespace.source = "0"
    elif not namespace.source:
        parser.error("the input has an empty name")  # of a shell's variable that is not set
    else:
        try:
            namespace.source = _as_path(namespace.source)
        except ValueError as error:  # of the host in an address
            parser.error(f"{namespace.source} is no address: {error}")
    if namespace.weights is not None and namespace.random_weights:
        parser.error("--weights and --random-weights exclude each other")
    if namespace.head == "all" and namespace.layout not in (None, "heads"):
        parser.error(
            f"--head all is a grid, which --layout {namespace.layout} is not: leave one of them out"
        )
    namespace.layout = namespace.layout or "overlay"
    start_s = namespace.start_s or 0.0
    if namespace.end_s is not None and namespace.end_s <= start_s:
        parser.error(f"--end {namespace.end_s:g} must be after --start {start_s:g}")
    if namespace.output is not None and namespace.output.suffix.lower() not in VIDEO_SUFFIXES:
        parser.error(f"{namespace.output}: the name must end in {' or '.join(VIDEO_SUFFIXES)}")
    if is_live and not namespace.window and namespace.output is None:
        parser.error("--no-window shows nothing: add --save FILE.mp4 to keep what is drawn")
    return Options(command="live" if is_live else "export", **vars(namespace))


def _without_double_dash(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which a name that begins with a dash, after "--", is a path."""
    if "--" not in arguments:
        return list(arguments)
    at = list(arguments).index("--")
    names = [f"./{name}" if name.startswith("-") else name for name in arguments[at + 1 :]]
    return [*arguments[:at], *names]


def _as_path(source: str) -> str:
    """Return a file or folder so that nothing takes it for a camera or a URL; others as given."""
    if urlsplit(source).scheme.lower() == "file":
        return unquote(urlsplit(source).path)
    return f"./{source}" if source.isdecimal() and Path(source).exists() else source


def _refuse_misspelt_command(word: str, parser: argparse.ArgumentParser) -> None:
    """Ask whether a command was meant, where a word looks like one and is no file."""
    command = nearest(word, COMMANDS, cutoff=0.7)
    if command is not None and word.isalpha() and not Path(word).exists():
        parser.error(f"there is no file {word}; did you mean {command}?")


def _parse_models(arguments: Sequence[str], models: Sequence[str]) -> Options:
    parser = OneLineParser(
        prog="signlight models",
        description="List the models and where their weights are, or download weights.",
        allow_abbrev=False,
    )
    parser.add_argument("action", nargs="?", choices=["fetch"], help="download official weights")
    parser.add_argument(
        "model", nargs="?", type=name_type(models), metavar="NAME", help="which model"
    )
    parser.add_argument("-v", dest="verbose", action="store_true", help="tracebacks and debug log")
    namespace = parser.parse_args(arguments)
    if namespace.action == "fetch" and namespace.model is None:
        parser.error(f"which model? signlight models fetch NAME, one of: {', '.join(models)}")
    return Options(
        command="fetch" if namespace.action == "fetch" else "models",
        verbose=namespace.verbose,
        model=namespace.model or "",
    )


def _parse_bench(arguments: Sequence[str], models: Sequence[str]) -> BenchOptions:
    parser = OneLineParser(
        prog="signlight bench",
        description="Measure this machine: each model against what the processor can do at most, "
        "each stage of an export, and the live view. Weights are random: speed does not know.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "source",
        nargs="?",
        default="",
        metavar="CLIP",
        help="video with a hand in it (default: the sample clip)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="under a minute: few models, part of the clip"
    )
    parser.add_argument(
        "--json", dest="json_path", type=Path, metavar="FILE", help="write the figures too"
    )
    parser.add_argument(
        "--models",
        nargs="+",
        default=[],
        type=name_type(models),
        metavar="NAME",
        help=f"which to measure, out of: {', '.join(models)}; the first one is exported with",
    )
    parser.add_argument(
        "--threads",
        dest="num_threads",
        type=integer_type(1, 1024),
        metavar="N",
        help="processor threads of a model (default: as export and live choose them)",
    )
    add_runtime_options(parser.add_argument_group("model"))
    parser.add_argument("-v", dest="verbose", action="store_true", help="tracebacks and debug log")
    given = vars(parser.parse_intermixed_args(arguments))
    given["models"] = tuple(dict.fromkeys(given["models"]))
    return BenchOptions(command="bench", random_weights=True, **given)
