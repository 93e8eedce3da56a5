"""The renderer's command line: ``python -m samples.render clip|sheet|signs|set|backdrops``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stream.command_line.one_line_parser import OneLineParser
from stream.errors import OptionError, SignlightError
from stream.program import run_program
from stream.whole_files import written_whole

_HERE: Final = Path(__file__).resolve().parent
SIGNS: Final = "ACLWY"
"""Letters of the figure, as different as they come: a fist, a bowl, all fingers, three, two."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code, as ``stream.program`` explains."""
    return run_program(_parser(), _render, arguments)


def _render(options: argparse.Namespace) -> None:
    try:
        options.run(options)
    except KeyboardInterrupt:
        print("samples.render: interrupted; what is finished stays", file=sys.stderr)
        raise
    except ModuleNotFoundError as error:
        raise SignlightError(
            f"needs {error.name}, which is not installed: "
            'pip install -c constraints.txt -e ".[render]"'
        ) from error
    except ValueError as error:
        raise OptionError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="python -m samples.render", description="Render Signlight's own signer."
    )
    commands = parser.add_subparsers(required=True, metavar="clip|sheet|signs|set|backdrops")

    clip = commands.add_parser("clip", help="write one of the two sample clips, or signs at a face")
    clip.add_argument(
        "name",
        nargs="?",
        choices=("fingerspelling", "two_hands", "at_face"),
        default="fingerspelling",
    )
    clip.add_argument("--seed", type=int, metavar="S", help="another person (at_face)")
    clip.add_argument("--word", metavar="WORD", help="spell another word")
    clip.add_argument(
        "--size", type=int, default=720, metavar="PX", help="height, px; the width is 16/9 of it"
    )
    clip.add_argument("--out", type=Path, metavar="FILE", help="default: the clip in this folder")
    clip.set_defaults(run=_clip)

    sheet = commands.add_parser("sheet", help="write a picture of all handshapes")
    sheet.add_argument("--size", type=int, default=200, metavar="PX", help="side of a tile, px")
    sheet.add_argument("--out", type=Path, default=_HERE / "sheet.png", metavar="FILE")
    sheet.set_defaults(run=_sheet)

    signs = commands.add_parser("signs", help="write the five signs of the figure")
    signs.add_argument("--out", type=Path, default=_HERE / "signs", metavar="DIR")
    signs.set_defaults(run=_signs)

    for name, about, run in (
        ("set", "write random pictures with their truth", _set),
        (
            "backdrops",
            "write what training puts behind hands: faces, arms, wood, rooms",
            _backdrops,
        ),
    ):
        series = commands.add_parser(name, help=about)
        series.add_argument("--count", type=int, required=True, metavar="N")
        series.add_argument("--size", type=int, required=True, metavar="PX", help="side, px")
        series.add_argument("--out", type=Path, required=True, metavar="DIR")
        series.add_argument("--seed", type=int, default=0, metavar="S", help="another series")
        series.set_defaults(run=run)
    return parser


def _clip(options: argparse.Namespace) -> None:
    from samples.at_face import SignsAtFace
    from samples.clips import Clip, Fingerspelling, TwoHands
    from samples.encode import write_clip

    if options.size < 16:
        raise ValueError(f"--size must be at least 16, got {options.size}")
    if options.word is not None and options.name != "fingerspelling":
        raise ValueError("--word belongs to the fingerspelling clip")
    if options.seed is not None and (options.name != "at_face" or options.seed < 0):
        raise ValueError("--seed belongs to the at_face clip, and must be >= 0")
    clip: Clip
    if options.name == "two_hands":
        clip = TwoHands()
    elif options.name == "at_face":
        clip = SignsAtFace(options.seed or 0)
    else:
        clip = Fingerspelling(options.word) if options.word is not None else Fingerspelling()
    path = options.out or _HERE / f"{options.name}.mp4"
    height = options.size - options.size % 2
    size_wh = (2 * round(height * 8 / 9), height)
    with _progress() as progress:
        task = progress.add_task(path.name, total=clip.num_frames)
        write_clip(clip, path, size_wh=size_wh, on_frame=lambda index: progress.advance(task))


def _sheet(options: argparse.Namespace) -> None:
    from samples.sheet import draw_sheet
    from stream.sinks.png import write_png

    write_png(options.out, draw_sheet(options.size))


def _signs(options: argparse.Namespace) -> None:
    from samples.clips import draw_sign
    from stream.sinks.jpeg import encode_thumbnail

    options.out.mkdir(parents=True, exist_ok=True)
    with _progress() as progress:
        for letter in progress.track(SIGNS, description=options.out.name):
            sign = draw_sign(letter)
            side = sign.shape[0]
            picture = encode_thumbnail(sign, (0, 0, side, side), side)
            with written_whole(options.out / f"{letter}.jpg") as unfinished:
                unfinished.write_bytes(picture)


def _set(options: argparse.Namespace) -> None:
    from samples.dataset import write_set

    _series(options, write_set)


def _backdrops(options: argparse.Namespace) -> None:
    from samples.backdrops import write_backdrops

    _series(options, write_backdrops)


def _series(options: argparse.Namespace, write: Callable[..., Iterator[tuple[int, bool]]]) -> None:
    if options.seed < 0:
        raise ValueError(f"--seed must be >= 0, got {options.seed}")
    kept = 0
    with _progress() as progress:
        task = progress.add_task(options.out.name, total=options.count)
        for _, drawn in write(
            options.out, count=options.count, size_px=options.size, seed=options.seed
        ):
            kept += not drawn
            progress.update(task, advance=1, description=f"{options.out.name} ({kept} kept)")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


if __name__ == "__main__":
    sys.exit(main())
