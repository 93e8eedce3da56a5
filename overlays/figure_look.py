"""How a figure for paper or screen is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from overlays.style import COLORMAPS, Head, Heads
from stream.command_line.option import OptionGroup, option
from stream.command_line.values import Integer, Name, Several, Share

__all__ = ["FigureLook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureLook(OptionGroup):
    """Everything that a person chooses about the look of a figure.

    Raises:
        ValueError: A value is not allowed; the message lists those that are.
    """

    title = "look"

    heads: tuple[Head, ...] = option(
        ("all",),
        "maps to draw: mean, all (the mean and every head), or heads as 0,3",
        metavar="N,...|mean|all",
        values=Several(Heads()),
    )
    width: Literal["column", "page", "slide"] = option(
        "page", "89 mm, 183 mm, or a slide of 16:9 with its height"
    )
    theme: Literal["light", "dark"] = option("light", "paper or dark room")
    scale: Literal["row", "common"] = option(
        "row",
        "colours from nothing to the strongest patches of a row's maps, or of all maps of a kind",
        flag="--range",
    )
    colormap: str = option(
        "inferno",
        "colours of the maps; all of these survive grey printing",
        metavar="NAME",
        values=Name(name for name in COLORMAPS if name != "turbo"),
    )
    outline: float | None = option(
        None,
        "outline the fewest patches that hold this share of a map, 0 to 1",
        metavar="MASS",
        values=Share(),
        unset="off",
    )
    landmarks: bool = option(False, "landmarks of the hand on its picture")
    signs: int = option(
        10,
        "most rows to draw, spread over all signs; the numbers are of all of them",
        metavar="N",
        values=Integer(1, 200),
    )
