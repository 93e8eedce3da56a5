"""What figures are drawn on: their sizes and colours, their colour bars, and how they are written.

Everything lies in one coordinate system, inches from the figure's top left corner, so that panels
stay square and letters keep their size at every width.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from stream.whole_files import told_of, written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "PAPERS",
    "THEMES",
    "Bar",
    "Paper",
    "Theme",
    "draw_bars",
    "new_page",
    "put_image",
    "save",
    "settings",
]

_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so a figure looks alike on every machine."""
_DPI: Final = 300
_EM: Final = 0.6
"""Width of a letter over the text's size, on the safe side."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A width to draw for; inches and points."""

    width: float
    max_height: float
    text_pt: float
    max_tile: float
    has_fixed_height: bool = False

    @property
    def line(self) -> float:
        """Height of a line of text, inches."""
        return 1.45 * self.text_pt / 72

    @property
    def gap(self) -> float:
        """Between panels, inches."""
        return 0.25 * self.text_pt / 72

    def text_width(self, text: str) -> float:
        """Return about how wide a text is, inches."""
        return len(text) * _EM * self.text_pt / 72

    def fitted_pt(self, text: str, width: float) -> float:
        """Return the size of a text that has so much room, points."""
        return self.text_pt * min(1.0, width / max(1.1 * self.text_width(text), 1e-9))


PAPERS: Final = {
    "column": Paper(89 / 25.4, 240 / 25.4, 5.5, 0.8),
    "page": Paper(183 / 25.4, 240 / 25.4, 7.0, 1.0),
    "slide": Paper(40 / 3, 7.5, 12.0, 1.6, has_fixed_height=True),
}


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours around the panels."""

    paper: str
    ink: str
    quiet: str


THEMES: Final = {
    "light": Theme("#ffffff", "#16161a", "#5c5f66"),
    "dark": Theme("#121212", "#f5f5f2", "#b0b2b6"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """What a colour bar says."""

    words: str
    low: str
    high: str
    one: float | None = None
    """Where 1 is on it, 0 to 1; None for no mark."""


def new_page(width: float, height: float, theme: Theme) -> Axes:
    """Return axes in inches from the top left corner that fill a new figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor=theme.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    axes.axis("off")
    return axes


def put_image(
    axes: Axes,
    image: npt.NDArray[Any],
    box: Sequence[float],
    **colours: Any,  # noqa: ANN401
) -> None:
    """Put an image into a box of a page: a map, float (rows, columns), or RGB pixels."""
    left, top, right, bottom = box
    axes.imshow(
        image, extent=(left, right, bottom, top), aspect="auto", interpolation="nearest"
        if image.ndim == 2 else "antialiased", **colours,
    )  # fmt: skip
    width, height = axes.figure.get_size_inches()  # type: ignore[union-attr]
    axes.set(xlim=(0, width), ylim=(height, 0))


def draw_bars(
    axes: Axes,
    paper: Paper,
    theme: Theme,
    colormap: str,
    height: float,
    bars: Sequence[Bar],
) -> None:
    """Draw colour bars beside each other at the bottom of a page."""
    room = paper.width / len(bars)
    write = partial(axes.text, fontsize=paper.text_pt, color=theme.quiet, va="center")
    for number, bar in enumerate(bars):
        middle, y = (number + 0.5) * room, height - 2.2 * paper.line
        length = min(0.35 * room, 20 * paper.text_pt / 72)
        left, right, half = middle - length / 2, middle + length / 2, 0.25 * paper.line
        if paper.text_width(bar.high) > (room - length) / 2:
            left, right = left - 0.3 * length, right - 0.3 * length
        ramp = np.linspace(0, 1, 256)[None]
        put_image(axes, ramp, (left, y - half, right, y + half), cmap=colormap, vmin=0, vmax=1)
        write(left - 2 * paper.gap, y, bar.low, ha="right")
        write(right + 2 * paper.gap, y, bar.high, ha="left")
        if bar.one is not None and bar.one < 1:
            x = left + bar.one * (right - left)
            axes.plot([x, x], [y - 1.6 * half, y + 1.6 * half], color=theme.ink, linewidth=0.8)
            write(x, y - 2.6 * half, "1", ha="center", fontsize=0.8 * paper.text_pt)
        write((left + right) / 2, y + 1.1 * paper.line, bar.words, ha="center")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, PDF or SVG, as the file's name says, whole or not at all.

    Text stays text; its fonts are embedded.

    Raises:
        OutputError: It cannot be written.
    """
    form = path.suffix.lower()[1:]
    metadata: dict[str, Any] = {"png": {"Software": "Signlight"}}.get(
        form, {"Creator": "Signlight", "CreationDate" if form == "pdf" else "Date": None}
    )
    content = io.BytesIO()
    with settings():
        figure.savefig(content, format=form, dpi=_DPI, metadata=metadata)
    written = content.getvalue()
    with told_of(path), written_whole(path) as unfinished:
        unfinished.write_bytes(_with_font(written) if form == "svg" else written)


def settings() -> AbstractContextManager[None]:
    """Return a block in which matplotlib draws and writes as figures need it."""
    from matplotlib import rc_context

    rules: Any = {
        "font.family": _FONT,
        "pdf.fonttype": 42,  # TrueType: text that can be searched and edited
        "svg.fonttype": "none",
        "svg.hashsalt": "signlight",  # the same figure, the same bytes
        "image.composite_image": False,
    }
    return rc_context(rules)


def _with_font(svg: bytes) -> bytes:
    """Return an SVG file with the letters that it needs of its fonts within it."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from matplotlib.font_manager import FontProperties, findfont

    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())
    rules = []
    for weight in ("normal", "bold"):
        font = TTFont(findfont(FontProperties(family=_FONT, weight=weight)), recalcTimestamp=False)
        options = Options(flavor="woff", hinting=False)
        options.drop_tables += ["FFTM"]  # when it was made; the subsetter does not know it
        subsetter = Subsetter(options)
        subsetter.populate(text="".join(texts))
        subsetter.subset(font)
        font.flavor = "woff"
        content = io.BytesIO()
        font.save(content)
        letters = base64.b64encode(content.getvalue()).decode()
        rules.append(
            f'@font-face {{ font-family: "{_FONT}"; font-weight: {weight}; '
            f'src: url("data:font/woff;base64,{letters}") format("woff"); }}'
        )
    style = f"<style>{' '.join(rules)}</style>"
    return svg.replace(b"<defs>", f"<defs>{style}".encode(), 1)
