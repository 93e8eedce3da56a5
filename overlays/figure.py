"""Figures for a paper, a talk, a lesson: signs x heads, model by model, and heads x heads.

Everything lies in one coordinate system, inches from the figure's top left corner, so that panels
stay square and letters keep their size at every width. A map is drawn as its patches, each a square
of one colour, as in the figures of the DINO paper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from overlays.contour import outline_loops
from overlays.figure_look import FigureLook
from overlays.paper import PAPERS, THEMES, Bar, draw_bars, new_page, put_image, settings
from overlays.skeleton import BONES
from stream.measures import Floats, mass_mask
from stream.study.blocks import Block, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_figure", "draw_matrices"]

_TOP_PERCENTILE: Final = 99.5
"""End of the colour scale: a single patch must not darken all others. What is beyond has the end's
colour, which the bar's arrow says."""
_Column = tuple[int, int | None]
"""Index of a layer in its block, and a head, or None for the mean."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where blocks go."""

    tile: float
    """Height of a panel, inches."""
    per_line: int
    """Blocks beside each other."""


def draw_figure(blocks: Sequence[Block], look: FigureLook | None = None) -> Figure:
    """Return the figure: a block for each model, a row for each sign, a column for each map.

    Args:
        blocks: One at least, each with a row at least.
        look: How to draw; None for the usual.

    Returns:
        A matplotlib figure, which a notebook shows and ``save`` writes.
    """
    look = look or FigureLook()
    with settings():
        return _Drawing(blocks, look).draw()


def draw_matrices(matrices: Mapping[str, Floats], look: FigureLook | None = None) -> Figure:
    """Return heads x heads: the Jensen-Shannon divergence of each pair, in bits.

    Args:
        matrices: By title, (heads, heads); one at least.
        look: Width, theme and colours; None for the usual.
    """
    look = look or FigureLook()
    paper, theme = PAPERS[look.width], THEMES[look.theme]
    beside = min(len(matrices), 1 if look.width == "column" else 3)
    lines = -(-len(matrices) // beside)
    label = 2.2 * paper.line
    side = (paper.width - beside * label - paper.gap) / beside
    step = side + 2.5 * paper.line
    if paper.has_fixed_height:
        side = min(side, (paper.max_height - 3 * paper.line) / lines - 2.5 * paper.line)
        step = side + 2.5 * paper.line
    height = paper.max_height if paper.has_fixed_height else lines * step + 3 * paper.line
    top = max([1e-9, *(float(np.nan_to_num(matrix).max()) for matrix in matrices.values())])
    with settings():
        axes = new_page(paper.width, height, theme)
        write = partial(axes.text, fontsize=paper.text_pt, color=theme.ink)
        for number, (title, matrix) in enumerate(matrices.items()):
            left = label + number % beside * (side + label)
            y = number // beside * step + 2.4 * paper.line
            write(left, y - 1.8 * paper.line, title, va="center")
            box = (left, y, left + side, y + side)
            put_image(axes, matrix, box, cmap=look.colormap, vmin=0, vmax=top)
            cell = side / len(matrix)
            can_write = cell > paper.text_width("0.00") * 0.9
            for head, row in enumerate(matrix):
                middle = (head + 0.5) * cell
                write(left + middle, y - 0.5 * paper.line, f"{head}", ha="center", va="center")
                write(left - 0.4 * paper.line, y + middle, f"{head}", ha="center", va="center")
                for other, value in enumerate(row if can_write else ()):
                    place = left + (other + 0.5) * cell, y + middle
                    ink = "#16161a" if value > 0.6 * top else "#f5f5f2"
                    words = "" if other == head else f"{value:.2f}"
                    write(*place, words, ha="center", va="center", color=ink,
                          fontsize=0.8 * paper.text_pt)  # fmt: skip
        words = "Jensen-Shannon divergence of two heads, bits (0 alike, 1 nothing in common)"
        draw_bars(axes, paper, theme, look.colormap, height, [Bar(words, "0", f"{top:.2f}")])
        return axes.figure  # type: ignore[return-value]


class _Drawing:
    """One figure on its way to be drawn."""

    def __init__(self, blocks: Sequence[Block], look: FigureLook) -> None:
        self._blocks = blocks
        self._look = look
        self._paper = PAPERS[look.width]
        self._theme = THEMES[look.theme]
        names = [row.name for block in blocks for row in block.rows]
        widest = max(map(self._paper.text_width, names))
        self._label = min(widest, 0.16 * self._paper.width) + 4 * self._paper.gap

    def draw(self) -> Figure:
        paper = self._paper
        layout = max(
            (self._fitted(per_line) for per_line in range(1, len(self._blocks) + 1)),
            key=lambda layout: layout.tile,
        )
        content = self._fixed_height(layout.per_line) + layout.tile * self._num_rows(
            layout.per_line
        )
        height = paper.max_height if paper.has_fixed_height else content
        self._axes = new_page(paper.width, height, self._theme)
        self._tops = {
            kind: self._top_of(
                (block, row) for block in self._blocks for row in block.rows if block.kind == kind
            )
            for kind in dict.fromkeys(block.kind for block in self._blocks)
        }
        y = paper.gap + max(0.0, (height - content) / 2)
        for numbers in self._lines(layout.per_line):
            widths = [self._units(number) * layout.tile for number in numbers]
            total = sum(widths) + self._fixed_width(numbers)
            x = max(0.0, (paper.width - total) / 2) + self._label
            top = y + self._head_lines(numbers) * paper.line + paper.gap
            rows = self._rows_beside(numbers)
            self._draw_names(rows, x, top, layout.tile)
            for place, (number, width) in enumerate(zip(numbers, widths, strict=True)):
                self._draw_block(number, [row[place] for row in rows], x, y, top, layout.tile)
                x += width + (len(self._columns(number)) + 4) * paper.gap
            y += self._line_height(numbers) + layout.tile * len(rows)
        draw_bars(self._axes, paper, self._theme, self._look.colormap, height, self._bar_words())
        return self._axes.figure  # type: ignore[return-value]

    def _lines(self, per_line: int) -> list[range]:
        starts = range(0, len(self._blocks), per_line)
        return [range(start, min(start + per_line, len(self._blocks))) for start in starts]

    def _columns(self, number: int) -> list[_Column]:
        block = self._blocks[number]
        heads: list[int | None] = []
        for head in self._look.heads:
            if isinstance(head, int):
                heads.append(head)
            else:
                heads += [None] if head == "mean" else [None, *range(block.num_heads)]
        heads = [head for head in dict.fromkeys(heads) if head is None or head < block.num_heads]
        return [(layer, head) for layer in range(len(block.layers)) for head in heads]

    def _aspect(self, number: int) -> float:
        """Return width over height of a block's panels."""
        sizes = [row.crop.transform.box_xyxy for row in self._blocks[number].rows]
        ratios = [(right - left) / (bottom - top) for left, top, right, bottom in sizes]
        return float(np.clip(np.median(ratios), 0.5, 2.0))

    def _units(self, number: int) -> float:
        """Return a block's width in heights of a panel, its picture included."""
        return (1 + len(self._columns(number))) * self._aspect(number)

    def _fixed_width(self, numbers: Sequence[int]) -> float:
        gaps = sum(len(self._columns(number)) for number in numbers) + 4 * (len(numbers) - 1)
        return self._label + (gaps + 2) * self._paper.gap

    def _head_lines(self, numbers: Sequence[int]) -> int:
        """Return the lines of text over the panels of a line of blocks."""
        blocks = [self._blocks[number] for number in numbers]
        has_layers = any(len(block.layers) > 1 for block in blocks)
        return 2 + has_layers + any(block.head_names for block in blocks)

    def _rows_beside(self, numbers: Sequence[int]) -> list[tuple[Row | None, ...]]:
        """Return the rows of a line of blocks, at most as many as asked for, spread over all.

        Beside each other stand rows of the same sign: a whole picture beside each of its hands,
        and None where a block has nothing of a sign.
        """
        of_signs = [defaultdict[int, list[Row]](list) for _ in numbers]
        for rows, number in zip(of_signs, numbers, strict=True):
            for row in self._blocks[number].rows:
                rows[row.crop.frame_index].append(row)
        beside: list[tuple[Row | None, ...]] = []
        for sign in sorted({sign for rows in of_signs for sign in rows}):
            of_sign: list[list[Row | None]] = [[*rows[sign]] or [None] for rows in of_signs]
            most = max(map(len, of_sign))
            full = [rows + rows[-1:] * (most - len(rows)) for rows in of_sign]
            beside += zip(*full, strict=True)
        places = np.linspace(0, len(beside) - 1, min(self._look.signs, len(beside)))
        return [beside[place] for place in places.round().astype(int)]

    def _line_height(self, numbers: Sequence[int]) -> float:
        paper = self._paper
        rows = len(self._rows_beside(numbers))
        return self._head_lines(numbers) * paper.line + (rows + 4) * paper.gap

    def _num_rows(self, per_line: int) -> int:
        return sum(len(self._rows_beside(numbers)) for numbers in self._lines(per_line))

    def _fixed_height(self, per_line: int) -> float:
        return sum(map(self._line_height, self._lines(per_line))) + 3.4 * self._paper.line

    def _fitted(self, per_line: int) -> _Layout:
        paper = self._paper
        across = [
            (paper.width - self._fixed_width(numbers)) / sum(map(self._units, numbers))
            for numbers in self._lines(per_line)
        ]
        down = (paper.max_height - self._fixed_height(per_line)) / self._num_rows(per_line)
        return _Layout(max(0.05, min(*across, down, paper.max_tile)), per_line)

    def _top_of(self, shown: Iterator[tuple[Block, Row]]) -> float:
        """Return the end of the colour scale over some rows, in multiples of uniform."""
        values = [
            row.maps[layer].relative(head).ravel()
            for block, row in shown
            for layer, head in self._columns(self._blocks.index(block))
        ]
        return max(1e-9, float(np.percentile(np.concatenate(values), _TOP_PERCENTILE)))

    def _draw_names(
        self, rows: Sequence[Sequence[Row | None]], x: float, y: float, tile: float
    ) -> None:
        """Write what rows show, to the left of ``x``; of a hand which of the two."""
        paper = self._paper
        for row in rows:
            name = max((each.name for each in row if each is not None), key=len)
            self._axes.text(
                x - paper.gap * 2,
                y + tile / 2,
                _shortened(name, self._label / paper.text_width("n")),
                fontsize=paper.text_pt,
                color=self._theme.ink,
                ha="right",
                va="center",
            )
            y += tile + paper.gap

    def _draw_block(
        self,
        number: int,
        rows: Sequence[Row | None],
        x: float,
        y: float,
        top: float,
        tile: float,
    ) -> None:
        """Draw a block whose words begin at ``y`` and whose panels at ``top``."""
        block, paper, theme = self._blocks[number], self._paper, self._theme
        columns, width = self._columns(number), tile * self._aspect(number)
        write = partial(self._axes.text, fontsize=paper.text_pt, color=theme.ink, va="center")
        y += 0.5 * paper.line
        write(x, y, _title_of(block), fontweight="bold", fontsize=self._title_pt(tile))
        y += paper.line
        places = [x + (width + paper.gap) * (index + 1) for index in range(len(columns))]
        if len(block.layers) > 1:
            for place, (layer, _) in zip(places, columns, strict=True):
                if (layer, _) == columns[0] or columns[columns.index((layer, _)) - 1][0] != layer:
                    write(place, y, f"layer {block.layers[layer]}")
            y += paper.line
        for place, (layer, head) in zip(places, columns, strict=True):
            middle = place + width / 2
            write(middle, y, self._heading(block, head, width), ha="center", color=theme.quiet)
            if block.head_names and head is not None:
                name = block.head_names[layer][head]
                write(middle, y + paper.line, name, ha="center", color=theme.quiet,
                      fontsize=paper.fitted_pt(name, width))  # fmt: skip
        y = top
        for row in rows:
            if row is None:
                write(x + width / 2, y + tile / 2, "no hand", ha="center", color=theme.quiet)
            else:
                self._draw_row(block, row, columns, [x, *places], y, (width, tile))
            y += tile + paper.gap
        if block.is_random:
            self._mark_random((x + places[-1] + width) / 2, (top + y) / 2, y - top,
                              places[-1] + width - x)  # fmt: skip

    def _draw_row(
        self,
        block: Block,
        row: Row,
        columns: Sequence[_Column],
        places: Sequence[float],
        y: float,
        size_wh: tuple[float, float],
    ) -> None:
        look = self._look
        boxes = [(x, y, x + size_wh[0], y + size_wh[1]) for x in places]
        put_image(self._axes, row.crop.image, boxes[0])
        if look.landmarks:
            for hand in row.hands:
                assert hand.landmarks is not None, "the whole picture is no hand"
                points = row.crop.transform.to_crop(hand.landmarks) / row.crop.transform.crop_wh
                for bone in BONES:
                    self._draw_line(points[list(bone)], boxes[0], "#ffffff")
        top = self._tops[block.kind]
        if look.scale == "row":
            top = self._top_of(iter([(block, row)]))
        for box, (layer, head) in zip(boxes[1:], columns, strict=True):
            maps = row.maps[layer]
            values = maps.relative(head)
            put_image(self._axes, values, box, cmap=look.colormap, vmin=0, vmax=top)
            if look.outline is not None:
                for loop in outline_loops(mass_mask(values, look.outline)):
                    closed = np.concatenate([loop, loop[:1]]) / maps.grid_hw[::-1]
                    self._draw_line(closed, box, "#ffffff")

    def _draw_line(self, points: Floats, box: Sequence[float], colour: str) -> None:
        """Draw a line through points, 0..1 from a box's top left corner, on a dark edge."""
        corner, size = np.array(box[:2]), np.subtract(box[2:], box[:2])
        x, y = (corner + np.clip(points, 0, 1) * size).T
        width = 0.012 * 72 * (box[3] - box[1])
        for colour_of, width_pt in (("#000000", 2.2 * width), (colour, width)):
            self._axes.plot(x, y, color=colour_of, linewidth=width_pt, solid_joinstyle="round")

    def _title_pt(self, tile: float) -> float:
        """Return the size at which each title fits its block, points."""
        return min(
            self._paper.fitted_pt(_title_of(block), self._units(number) * tile)
            for number, block in enumerate(self._blocks)
        )

    def _heading(self, block: Block, head: int | None, width: float) -> str:
        if head is None:
            return block.mean_name
        words = f"{block.unit} {head}"
        return words if self._paper.text_width(words) < width else f"{head}"

    def _mark_random(self, x: float, y: float, height: float, width: float) -> None:
        size = 72 * min(0.3 * height, 0.8 * width / (0.72 * len("random weights")))
        self._axes.text(
            x, y, "random weights", ha="center", va="center", fontsize=size, color="#ffffff",
            alpha=0.9, fontweight="bold",
            bbox={"facecolor": "#000000", "alpha": 0.55, "linewidth": 0, "pad": size / 6},
        )  # fmt: skip

    def _bar_words(self) -> list[Bar]:
        """Return a bar for each kind of map."""
        words = {
            "attention": "attention / that of a patch if all were alike",
            "activation": "activation / its mean over the patches",
        }
        if self._look.scale == "row":
            return [
                Bar(words[kind].partition(" / ")[0], "0", "most in its row") for kind in self._tops
            ]
        return [Bar(words[kind], "0", f"{top:.1f}", 1 / top) for kind, top in self._tops.items()]


def _title_of(block: Block) -> str:
    layer = "" if len(block.layers) > 1 else f"layer {block.layers[0]}"
    words = (block.model, block.kind, block.shown, layer)
    return " \N{MIDDLE DOT} ".join(filter(None, words))


def _shortened(name: str, most: float) -> str:
    if len(name) <= most:
        return name
    end = max(1, int(most * 0.6))
    return f"{name[: max(1, int(most) - end - 1)]}\N{HORIZONTAL ELLIPSIS}{name[-end:]}"
