"""The numbers of a study as tables in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from stream.annotation.moments import PARTS
from stream.command_line.options import Options
from stream.jobs.figure_files import Study
from stream.jobs.options import FigureOptions
from stream.study.blocks import Block
from stream.study.numbers import MEASURES, Measure, Numbered

__all__ = ["tables_of"]

_SHOWN = [measure for measure in MEASURES if measure.name.removeprefix("on_") not in PARTS]


def tables_of(study: Study, options: Options) -> Iterator[Table]:
    """Yield a table for each model and layer: a row for each head."""
    fresh = study.baselines or [()] * len(study.blocks)
    for block, layers, untrained in zip(study.blocks, study.numbers, fresh, strict=True):
        for number, (layer, numbers) in enumerate(zip(block.layers, layers, strict=True)):
            baseline = untrained[number] if untrained else None
            yield _table(block, layer, numbers, baseline, options[FigureOptions].stable)


def _table(
    block: Block, layer: int, numbers: Numbered, baseline: Numbered | None, with_roles: bool
) -> Table:
    what = "whole pictures" if block.region == "frame" else "hands"
    random = ", random weights" if block.is_random else ""
    table = Table(
        title=f"{block.model}{random}: {block.kind}, layer {layer}, {what}: {len(block.rows)}",
        title_justify="left",
        caption=_caption(block, numbers, baseline),
        caption_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    table.add_column("head" if block.kind == "attention" else "component", no_wrap=True)
    for measure in _SHOWN:
        table.add_column(measure.title, justify="right", no_wrap=True)
    if with_roles:
        table.add_column("keeps to", no_wrap=True)
    last = len(numbers.matrix)
    mean = "mean" if block.kind == "attention" else "norm"
    for head, name in enumerate([*map(str, range(last)), mean]):
        cells = [_cell(numbers, measure, head) for measure in _SHOWN]
        role = numbers.roles[head] if with_roles and head < last else None
        kept = f"{role.part}, {role.share:.0%}" if role is not None and role.is_kept else ""
        table.add_row(name, *cells, *([kept] if with_roles else []))
    if baseline is not None:
        means = (_worded(baseline.means[measure.name][last], measure.form) for measure in _SHOWN)
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
    unit = "head" if block.kind == "attention" else "component"
    if numbers.most_alike is not None:
        divergence, different = (
            numbers.variation[name][0] for name in ("head_divergence", "effective_heads")
        )
        one, other = numbers.most_alike
        words.append(
            f"{unit}s differ by {divergence:.3f} bits, as {different:.2f} without a patch in "
            f"common; most alike: {one} and {other} ({numbers.matrix[one, other]:.3f})"
        )
    if baseline is not None:
        words.append("random: the mean with random weights")
    if numbers.intervals is not None:
        words.append("below each mean: where 95 of 100 resampled means lie")
    return "; ".join(words)
