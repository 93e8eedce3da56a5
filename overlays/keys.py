"""Keys of the live view that change the look."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from overlays.layouts import LAYOUTS
from overlays.style import COLORMAPS, NORMALIZATIONS, Style

__all__ = ["restyle"]

THRESHOLDS = (None, 0.5, 0.6, 0.8, 0.95)
"""Shares of the attention that the threshold key steps through; 0.6 is the DINO paper's."""
ALPHA_STEPS = 10
"""Steps from clear to solid."""

Choice = TypeVar("Choice")


def restyle(style: Style, key: str, *, num_heads: int) -> tuple[Style, str] | None:
    """Return the look after a key press and a few words about it, or None for other keys.

    Args:
        style: The look so far.
        key: What was pressed, as a screen names it.
        num_heads: Heads of the model; a head that it lacks changes nothing.
    """
    if key in "0123456789" and len(key) == 1:
        head = int(key)
        if head >= num_heads:
            return style, f"no head {head}: there are 0 to {num_heads - 1}"
        return replace(style, head=head), f"head {head}"
    if key == "m":
        return replace(style, head="mean"), "mean of all heads"
    if key == "a":
        return replace(style, head="all"), "all heads"
    if key == "l":
        if style.head == "all":  # a grid whatever the layout: going on from it leaves it
            style = replace(style, head="mean", layout="heads")
        layout = _next(tuple(LAYOUTS), style.layout)
        return replace(style, layout=layout), f"layout: {layout}"
    if key == "c":
        colormap = _next(COLORMAPS, style.colormap)
        return replace(style, colormap=colormap), f"colormap: {colormap}"
    if key == "n":
        normalize = _next(NORMALIZATIONS, style.normalize)
        return replace(style, normalize=normalize), f"normalisation: {normalize}"
    if key in ("+", "=", "-", "_"):
        step = 1 if key in "+=" else -1
        alpha = min(max(round(style.alpha * ALPHA_STEPS) + step, 0), ALPHA_STEPS) / ALPHA_STEPS
        return replace(style, alpha=alpha), f"alpha: {alpha:g}"
    if key == "t":
        threshold = _next(THRESHOLDS, style.threshold)
        words = "outline: off" if threshold is None else f"outline of {threshold:.0%} of the map"
        return replace(style, threshold=threshold), words
    if key == "k":
        return replace(style, skeleton=not style.skeleton), f"skeleton {_flip(style.skeleton)}"
    if key == "f":
        return replace(style, mirror=not style.mirror), f"mirror {_flip(style.mirror)}"
    if key == "h":
        return replace(style, hud=not style.hud), f"read-outs {_flip(style.hud)}"
    return None


def _flip(is_on: bool) -> str:
    return "off" if is_on else "on"


def _next(choices: tuple[Choice, ...], choice: Choice) -> Choice:
    """Return the choice after this one, going round; the first where this one is not listed."""
    index = choices.index(choice) + 1 if choice in choices else 0
    return choices[index % len(choices)]
