"""Train a small DINO: ``python -m models.train --data ... --out ...``.

``OUT`` gets ``model.safetensors`` (the teacher, float16), ``checkpoint.pth`` (to go on from with
``--resume``) and ``log.jsonl``.
"""

from __future__ import annotations

import argparse
import dataclasses
import errno
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from rich.console import Console

from models.runtimes.selection import choose
from models.training.backdrops import draw_backdrops, read_backdrops
from models.training.corpus import read_corpus
from models.training.display import RunDisplay
from models.training.learner import Learner
from models.training.recipe import Recipe
from models.training.run_files import (
    begin_with,
    load_run,
    read_recipe,
    save_run,
    write_weights,
)
from models.training.views import ViewMaker
from stream.command_line.one_line_parser import OneLineParser
from stream.command_line.values import Integer
from stream.errors import OutputError, SignlightError
from stream.folders import make_folder
from stream.jobs.progress import ResultConsole
from stream.program import run_program
from stream.stopping import Interrupted, stop_on_signals

__all__ = ["Run", "main", "train"]

STORE_PX: Final = 112
"""Side at which pictures are kept: a hand then has about the pixels of two views."""
BACKDROP_PX: Final = 128
"""Side at which backdrops are kept; views take parts of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One call of the program: what to train on, where to put it, and on what to compute."""

    data: tuple[Path, ...]
    """Rendered sets, folders of pictures or videos, videos."""
    out: Path
    """Folder for the results; made where it is missing."""
    recipe: Recipe
    """What is trained, and how."""
    resume: bool = False
    """Go on from the checkpoint in ``out``."""
    start: Path | None = None
    """Weights to begin with, as ``models.train`` writes them; None begins anew."""
    backdrops: Path | None = None
    """Folder of pictures to put behind hands; None has them drawn."""
    num_backdrops: int = 1500
    """How many are drawn."""
    limit: int | None = None
    """Pictures to take at most from each of ``data``."""
    device: str = "auto"
    """"auto", "cpu", "cuda" or "mps"."""
    precision: str = "auto"
    """"auto", "float32", "bfloat16" or "float16"."""
    num_threads: int | None = None
    """Processor threads; None leaves torch's choice."""
    save_every: int = 500
    """Steps between two checkpoints."""
    log_every: int = 25
    """Steps between two lines of the log."""


def train(run: Run, console: Console) -> Path:
    """Train until the recipe's steps are done; return the path of the weights.

    On a processor, the same data, recipe, precision and number of threads give the same weights,
    bit for bit, whether the run was interrupted or not; on a GPU, sums may come in another order.
    Ctrl-C, SIGTERM, a closed terminal and a reader of the output that is gone end it after a step,
    with a checkpoint.

    Raises:
        SignlightError: Data cannot be read, results cannot be written, or the device is not there.
        Interrupted: A signal asked to stop; the checkpoint is written.
        BrokenPipeError: Nobody reads what is shown any more; the checkpoint is written.
    """
    checkpoint, weights = run.out / "checkpoint.pth", run.out / "model.safetensors"
    if checkpoint.exists() and not run.resume:
        raise OutputError(
            f"{checkpoint} is there already: --resume goes on from it, or choose another --out"
        )
    choice = choose(run.device, "auto", run.precision)
    if run.num_threads is not None:
        torch.set_num_threads(run.num_threads)
    make_folder(run.out)
    with console.status("reading pictures"):
        corpus = read_corpus(run.data, size_px=STORE_PX, limit=run.limit)
    cut = int(corpus.is_cut.sum())
    console.print(f"{len(corpus)} pictures, {cut} with a mask", highlight=False)
    with console.status("making backdrops"):
        backdrops = _backdrops(run, needed=cut > 0)
    views = ViewMaker(corpus, backdrops, run.recipe, choice.device)
    learner = Learner(run.recipe, device=choice.device, dtype=choice.dtype)
    if run.resume and checkpoint.exists():
        load_run(checkpoint, learner, views)
    else:
        if run.resume:
            console.print(f"{checkpoint} is not there: a new run begins", highlight=False)
        if run.start is not None:
            begin_with(run.start, learner)
    console.print(
        f"{learner.num_parameters / 1e6:.2f} million parameters on {choice.device.type}, "
        f"{str(choice.dtype).removeprefix('torch.')}, from step {learner.steps_done}",
        highlight=False,
    )
    with RunDisplay(
        console, run.recipe, run.out / "log.jsonl",
        log_every=run.log_every, steps_done=learner.steps_done,
    ) as display:  # fmt: skip
        nobody_reads: OSError | None = None
        with stop_on_signals() as stop:
            while learner.steps_done < run.recipe.steps and not stop.event.is_set():
                step = learner.steps_done
                lr, strength = run.recipe.lr_at(step), run.recipe.strength_at(step)
                report = learner.step(views.draw(strength), views.draw_kept())
                try:
                    display.update(learner.steps_done, report, lr)
                except OSError as error:  # nobody reads any more: what was learnt is kept
                    if error.errno not in (errno.EPIPE, errno.EIO):  # the latter of a terminal
                        raise
                    nobody_reads = error
                    stop.event.set()
                if learner.steps_done % run.save_every == 0:
                    save_run(checkpoint, learner, views)
                    write_weights(weights, learner.teacher, run.recipe)
            save_run(checkpoint, learner, views)
            write_weights(weights, learner.teacher, run.recipe)
        if learner.steps_done < run.recipe.steps:
            if nobody_reads is not None:
                raise BrokenPipeError(errno.EPIPE, "nobody reads any more") from nobody_reads
            assert stop.signum is not None
            raise Interrupted(stop.signum)
    return weights


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m models.train") -> int:
    """Run the command line and return its exit code, as ``stream.program`` explains."""
    parser = _parser(prog)
    return run_program(parser, lambda options: _train(parser, options), arguments)


def _train(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    values = {name: value for name, value in vars(options).items() if name != "verbose"}
    names = {field.name for field in dataclasses.fields(Recipe)}
    given = {name: value for name, value in values.items() if name in names and value is not None}
    rest = {name: value for name, value in values.items() if name not in names}
    try:
        recipe = _recipe(rest["out"], given, resume=rest["resume"])
    except SignlightError:
        raise
    except ValueError as error:
        parser.error(str(error))
    try:
        weights = train(Run(recipe=recipe, data=tuple(rest.pop("data")), **rest), ResultConsole())
    except (KeyboardInterrupt, BrokenPipeError):
        begun = (rest["out"] / "checkpoint.pth").exists()
        way_on = "--resume goes on from the checkpoint" if begun else "nothing was learnt yet"
        print(f"{parser.prog.removeprefix('python -m ')}: interrupted; {way_on}", file=sys.stderr)
        raise
    print(weights)


def _recipe(out: Path, given: dict[str, int | float], *, resume: bool) -> Recipe:
    """Return the recipe: the defaults, or that of the run to go on with, changed as asked."""
    checkpoint = out / "checkpoint.pth"
    start = read_recipe(checkpoint) if resume and checkpoint.exists() else Recipe()
    return dataclasses.replace(start, **given)  # type: ignore[arg-type]


def _backdrops(run: Run, *, needed: bool) -> torch.Tensor:
    if not needed:
        return torch.zeros(1, 3, 1, 1, dtype=torch.uint8)
    if run.backdrops is not None:
        return read_backdrops(run.backdrops, size_px=BACKDROP_PX)
    return draw_backdrops(run.num_backdrops, size_px=BACKDROP_PX, seed=run.recipe.seed)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=prog,
        description="Train a small DINO by self-distillation, without labels.",
        epilog="On --resume the recipe is that of the checkpoint; its numbers may be changed, "
        "except --muon, --view-px and those of the network. --data, --limit, "
        "--backdrops, --num-backdrops, --threads, --device and --precision are not kept: give them "
        "again for the same weights.",
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="PATH",
        help="rendered sets, folders of pictures or videos, videos",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.add_argument("--resume", action="store_true", help="go on from OUT's checkpoint")
    parser.add_argument(
        "--start", type=Path, metavar="FILE",
        help="begin with the weights of a model.safetensors (default: anew)",
    )  # fmt: skip
    parser.add_argument(
        "--backdrops", type=Path, metavar="DIR",
        help="pictures without hands to put behind cut-out ones (default: drawn)",
    )  # fmt: skip
    parser.add_argument(
        "--num-backdrops",
        type=Integer(1, None).read,
        default=1500,
        metavar="N",
        help="drawn (%(default)s)",
    )
    parser.add_argument(
        "--limit",
        type=Integer(1, None).read,
        metavar="N",
        help="take so many pictures from each PATH at most",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--num-threads", "--threads", type=Integer(1, None).read, metavar="N")
    parser.add_argument("--save-every", type=Integer(1, None).read, default=500, metavar="STEPS")
    parser.add_argument("--log-every", type=Integer(1, None).read, default=25, metavar="STEPS")
    numbers = parser.add_argument_group("recipe")
    for field in dataclasses.fields(Recipe):
        numbers.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=int if field.type == "int" else float,
            metavar="N" if field.type == "int" else "X",
            help=f"{field.metadata['about'].replace('%', '%%')} ({field.default:g})",
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
