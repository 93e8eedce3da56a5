"""How a scene is drawn: one immutable value, replaced as a whole when a key is pressed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from overlays.layouts import LAYOUTS
from stream.command_line.option import OptionGroup, UsageError, option
from stream.command_line.values import Choice, Name, Number, Share
from stream.geometry import Handedness

__all__ = ["COLORMAPS", "NORMALIZATIONS", "Head", "Heads", "Normalization", "Style"]

Head = int | Literal["mean", "all"]
Normalization = Literal["frame", "stable", "absolute"]

NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)
"""In the order in which a key steps through them."""
COLORMAPS = ("inferno", "magma", "plasma", "viridis", "cividis", "turbo", "gray")
"""Perceptually uniform ones first; jet is left out because it shows edges that are not there."""


class Heads:
    """Heads that can be asked for; a ``stream.command_line.values.Values``."""

    def read(self, text: str) -> Head:
        """Return the head; see ``Values``."""
        if text.isdecimal():
            return int(text)
        if fault := self.fault_of(text):
            raise argparse.ArgumentTypeError(f"{text!r} {fault}")
        return "all" if text == "all" else "mean"

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        is_head = is_number or value in ("mean", "all")
        return None if is_head else "must be a head's number, 'mean' or 'all'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style(OptionGroup):
    """Everything that a person chooses about the look.

    Change one choice with ``dataclasses.replace(style, head=3)``.

    Raises:
        ValueError: A value is not allowed; the message lists those that are.
    """

    title = "look"

    head: Head = option(
        "mean", "which head to draw; all = a grid", metavar="N|mean|all", values=Heads()
    )
    layout: str = option("overlay", "; ".join(LAYOUTS.values()), values=Choice(LAYOUTS))
    normalize: Normalization = option(
        "stable",
        "each map's own range; a range that moves slowly; attention x patches (1.0 = uniform)",
    )
    """What the ends of the colour scale mean; see ``overlays.normalize``."""
    colormap: str = option("inferno", "colours of the map", metavar="NAME", values=Name(COLORMAPS))
    alpha: float = option(
        0.6, "opacity of the map where it is strongest, 0 to 1", metavar="A", values=Number(0, 1)
    )
    threshold: float | None = option(
        None,
        "outline, in the hand's colour, the fewest patches that hold this share of the attention, "
        "0 to 1",
        metavar="MASS",
        values=Share(),
        unset="off",
    )
    skeleton: bool = option(True, "landmarks", has_opposite=True)
    hud: bool = option(
        True,
        "read-outs: live rates, delay and what was left out; in exports each frame's time",
        has_opposite=True,
    )
    mirror: bool = option(False, "selfie view; left stays left")
    input_mirrored: bool = False
    """The picture is a selfie view before it is flipped; set by who knows the source."""

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if given.get("head") == "all" and given.get("layout", "heads") != "heads":
            raise UsageError(
                f"--head all is a grid, which --layout {self.layout} is not: leave one of them out"
            )

    @property
    def viewers_left(self) -> Handedness:
        """The signer's hand that is on the left of what is shown."""
        return "right" if self.mirror == self.input_mirrored else "left"
