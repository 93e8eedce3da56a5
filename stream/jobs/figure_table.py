"""The numbers of a study as tables in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from stream.command_line.options import Options
from stream.jobs.figure_files import Study
from stream.jobs.options import FigureOptions
from stream.study.blocks import Block
from stream.study.numbers import MEASURES, Measure, Numbered
from stream.study.roles import PLACES

__all__ = ["tables_of"]

_MACRO_AND_MICRO = (
    "mass_on_face",
    "face_over_area",
    "mass_elsewhere",
    "macro_on_hand",
    "crop_divergence",
)
_PARTED = [each for each in MEASURES if each.name in ("mass_on_hand", *_MACRO_AND_MICRO)]
"""How maps are parted between hands, face and the rest, and what a crop changes: where that is
known, it has a table of its own."""
_USUAL = [
    each
    for each in MEASURES
    if each.name not in _MACRO_AND_MICRO and each.name.removeprefix("on_") not in PLACES
]


def tables_of(study: Study, options: Options) -> Iterator[Table]:
    """Yield tables for each model and layer: a row for each head."""
    fresh = study.baselines or [()] * len(study.blocks)
    for block, layers, untrained in zip(study.blocks, study.numbers, fresh, strict=True):
        for number, (layer, numbers) in enumerate(zip(block.layers, layers, strict=True)):
            baseline = untrained[number] if untrained else None
            random = ", random weights" if block.is_random else ""
            title = f"{block.model}{random}: {block.kind}, layer {layer}, {block.shown}s"
            names = numbers.head_names if options[FigureOptions].stable else ()
            usual = _table(block, numbers, baseline, _USUAL, names)
            usual.title = f"{title}: {len(block.rows)}"
            usual.caption = _caption(block, numbers, baseline)
            yield usual
            if any(_is_known(numbers, name) for name in _MACRO_AND_MICRO):
                parted = _table(block, numbers, baseline, _PARTED, ())
                parted.title = f"{title}: how maps are parted"
                num_known = int(np.isfinite(numbers.values["mass_on_face"][:, -1]).sum())
                if 0 < num_known < len(block.rows):
                    parted.caption = f"face and elsewhere: of the {num_known} with a face"
                yield parted


def _is_known(numbers: Numbered, name: str) -> bool:
    return bool(np.isfinite(numbers.means[name]).any())


def _table(
    block: Block,
    numbers: Numbered,
    baseline: Numbered | None,
    measures: Sequence[Measure],
    names: Sequence[str],
) -> Table:
    table = Table(
        title_justify="left", caption_justify="left", box=SIMPLE_HEAD, collapse_padding=True
    )
    table.add_column(block.unit, no_wrap=True)
    measures = [measure for measure in measures if _is_known(numbers, measure.name)]
    for measure in measures:
        table.add_column(measure.title, justify="right", no_wrap=True)
    if names:
        table.add_column("keeps to", no_wrap=True)
    last = len(numbers.matrix)
    for head, name in enumerate([*map(str, range(last)), block.mean_name]):
        cells = [_cell(numbers, measure, head) for measure in measures]
        table.add_row(name, *cells, *names[head : head + 1])
    if baseline is not None:
        means = (_worded(baseline.means[measure.name][last], measure.form) for measure in measures)
        table.add_row("random", *means, style="dim")
    return table


def _cell(numbers: Numbered, measure: Measure, head: int) -> str:
    """Return a mean and, below it, its interval."""
    value = _worded(numbers.means[measure.name][head], measure.form)
    if numbers.intervals is None or measure.name == "most":
        return value
    low, high = (_worded(bound, measure.form) for bound in numbers.intervals[measure.name][:, head])
    return f"{value}\n{low}\N{EN DASH}{high}"


def _worded(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"


def _caption(block: Block, numbers: Numbered, baseline: Numbered | None) -> str:
    words = []
    if numbers.most_alike is not None:
        divergence, different = (
            numbers.variation[name][0] for name in ("head_divergence", "effective_heads")
        )
        one, other = numbers.most_alike
        words.append(
            f"{block.unit}s differ by {divergence:.3f} bits, as {different:.2f} without a patch in "
            f"common; most alike: {one} and {other} ({numbers.matrix[one, other]:.3f})"
        )
    if baseline is not None:
        words.append("random: the mean with random weights")
    if numbers.intervals is not None:
        words.append("below each mean: where 95 of 100 resampled means lie")
    return "; ".join(words)
