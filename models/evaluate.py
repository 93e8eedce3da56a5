"""Measure a model on hands that are known: ``signlight evaluate MODEL --data ...``.

``MODEL`` is a name of the table of models, or a file that ``models.train`` wrote. Measured are the
attention maps and the CLS features, each against the same model untrained. With ``--out``, the
numbers are written as JSON and the maps as sheets of pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from rich.console import Console

from models.evaluation.drawn import (
    can_draw,
    clips_of_signs,
    draw_busy_room,
    draw_pattern,
    where_signing_happens,
)
from models.evaluation.picture_sets import PictureSet, on_backgrounds, on_grey, read_pictures
from models.evaluation.report import list_of, measure, table_of, worst
from models.evaluation.subject import Subject, open_subject, untrained
from models.runtimes.selection import choose
from stream.command_line.one_line_parser import OneLineParser
from stream.command_line.values import Integer
from stream.errors import OptionError, SourceFormatError
from stream.folders import make_folder
from stream.frames import RgbImage
from stream.jobs.progress import ResultConsole
from stream.json_files import write_json
from stream.program import run_program
from stream.sources.picture_files import PictureReader
from stream.study.blocks import Block, block_of_pictures

__all__ = ["Draw", "main", "picture_sets"]

Draw = Callable[[Block, Path], None]
"""Draws pictures and their maps into a file."""

_ON_SHEET: Final = 20
"""Pictures on a sheet, spread over the set."""
_WORST: Final = 5
"""Pictures on the sheet of the worst."""


def main(
    arguments: Sequence[str] | None = None, *, draw: Draw, prog: str = "signlight evaluate"
) -> int:
    """Run the command line and return its exit code, as ``stream.program`` explains."""
    parser = _parser(prog)

    def evaluate(options: argparse.Namespace) -> None:
        try:
            _evaluate(options, draw, ResultConsole())
        except OptionError as error:
            parser.error(str(error))

    return run_program(parser, evaluate, arguments)


def picture_sets(
    paths: Sequence[Path], *, size_px: int, limit: int, backgrounds: Path | None = None
) -> list[PictureSet]:
    """Return the sets to measure on: each path as it is, real hands before other backgrounds, too.

    Args:
        paths: Rendered sets and folders of real frames.
        size_px: Side of the crops, a multiple of the patch.
        limit: Pictures to look at in each path.
        backgrounds: Folder of pictures to put behind real hands as well.

    Raises:
        SourceError: Pictures cannot be had.
    """
    shown = None if backgrounds is None else _Photographs(backgrounds)
    sets = []
    for path in paths:
        pictures = read_pictures(path, size_px=size_px, limit=limit)
        sets.append(pictures)
        if not pictures.is_cut:
            continue
        sets.append(on_grey(pictures))
        if can_draw():
            sets.append(on_backgrounds(pictures, "rendered backgrounds", draw_pattern))
            sets.append(on_backgrounds(pictures, "busy rooms", draw_busy_room))
        if shown is not None:
            sets.append(on_backgrounds(pictures, shown.name, shown))
    return sets


def _evaluate(options: argparse.Namespace, draw: Draw, console: Console) -> None:
    if options.num_threads is not None:
        torch.set_num_threads(options.num_threads)
    subject = open_subject(options.model, choose(options.device).device)
    size_px = subject.crop_px if options.size is None else options.size
    if size_px < 1 or size_px % subject.patch_px:
        raise OptionError(
            f"--size must be a multiple of the patch, {subject.patch_px}, got {size_px}"
        )
    if options.out is not None:
        make_folder(options.out)
    with console.status("looking for hands"):
        sets = picture_sets(
            options.data, size_px=size_px, limit=options.limit, backgrounds=options.backgrounds
        )
    fresh = untrained(subject)
    with console.status("measuring"):
        trained = [measure(subject, pictures) for pictures in sets]
        before = [measure(fresh, pictures) for pictures in sets]
    signing = [] if options.quick else _signing(sets, size_px, options.limit, console)
    with console.status("measuring"):
        there = [measure(subject, pictures) for pictures in signing]
    milliseconds = subject.time_ms(sets[0].images[0])
    threads = torch.get_num_threads()
    if options.out is not None:  # before it is shown: whoever reads may stop after a few lines
        numbers = {
            "model": subject.name,
            "size_px": size_px,
            "crop_ms": round(milliseconds, 2),
            "threads": threads,
            "sets": {
                pictures.name: {"trained": ours.as_dict(), "untrained": theirs.as_dict()}
                for pictures, ours, theirs in zip(sets, trained, before, strict=True)
            }
            | {
                pictures.name: {"trained": ours.as_dict()}
                for pictures, ours in zip(signing, there, strict=True)
            },
        }
        _write(options.out, numbers, subject, [*sets, *signing], draw)
    console.print(table_of([pictures.name for pictures in sets], trained, before))
    if signing:
        console.print(list_of([pictures.name for pictures in signing], there))
    console.print(
        f"{subject.name}: {milliseconds:.1f} ms a crop of {size_px} px, float32, {threads} threads",
        highlight=False,
    )
    for pictures in sets:
        if len(pictures) < pictures.tried:
            console.print(
                f"{pictures.name}: no hand found in {pictures.tried - len(pictures)} of "
                f"{pictures.tried} pictures, which are left out",
                highlight=False,
            )


def _signing(
    sets: Sequence[PictureSet], size_px: int, limit: int, console: Console
) -> list[PictureSet]:
    """Return the hands of the first sets where signing happens, and clips of it."""
    if not can_draw():
        return []
    with console.status("drawing faces, hands, arms, wood and windows behind hands"):
        as_they_are = [pictures for pictures in sets if pictures.name.endswith("as they are")]
        signing = [shown for each in as_they_are for shown in where_signing_happens(each)]
    with console.status("drawing clips"):
        return [*signing, *clips_of_signs(size_px, num_frames=max(limit // 20, 1))]


def _write(
    out: Path,
    numbers: dict[str, Any],
    subject: Subject,
    sets: Sequence[PictureSet],
    draw: Draw,
) -> None:
    write_json(out / "report.json", numbers)
    for pictures in sets:
        stem = pictures.name.replace(",", "").replace(" ", "_")
        spread = np.linspace(0, len(pictures) - 1, min(_ON_SHEET, len(pictures)))
        for kind, indices in (
            ("maps", spread.round().astype(int).tolist()),
            ("worst", worst(subject, pictures, _WORST)),
        ):
            shown = {f"{i} {pictures.letters[i]}".rstrip(): pictures.images[i] for i in indices}
            block = block_of_pictures(subject, shown, weights_sha256=subject.weights_sha256)
            draw(replace(block, region="hands"), out / f"{stem}.{kind}.png")


class _Photographs:
    """Random squares out of the pictures of a folder."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        reader = PictureReader()
        images = (reader.try_read(file) for file in files)
        self._images = [image for image in images if image is not None]
        if not self._images:
            raise SourceFormatError(f"{folder}: has no picture for --backgrounds")

    def __call__(self, rng: np.random.Generator, size_px: int) -> RgbImage:
        image = self._images[int(rng.integers(len(self._images)))]
        height, width = image.shape[:2]
        side = max(1, int(min(height, width) * rng.uniform(0.3, 0.9)))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        part = image[top : top + side, left : left + side]
        return np.asarray(cv2.resize(part, (size_px, size_px), interpolation=cv2.INTER_AREA))


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=prog,
        description="Measure where a model's attention lands on hands that are known.",
    )
    parser.add_argument("model", metavar="MODEL", help="a model's name, or a .safetensors file")
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="DIR",
        help="rendered sets; folders of real frames with a black background, PersonP-LETTER-...",
    )  # fmt: skip
    parser.add_argument(
        "--backgrounds", type=Path, metavar="DIR", help="pictures to put behind real hands as well"
    )
    parser.add_argument(
        "--size", type=int, metavar="PX", help="side of a crop (default: the model's own)"
    )
    parser.add_argument(
        "--limit",
        type=Integer(1, None).read,
        default=400,
        metavar="N",
        help="pictures to look at in each DIR",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="leave out the hands before faces, hands, arms, wood and windows, and the clips",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="for report.json and the sheets")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--num-threads", "--threads", type=Integer(1, None).read, metavar="N")
    return parser
