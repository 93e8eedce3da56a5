"""Keys of the live view that change the look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from overlays.layouts import LAYOUTS
from overlays.style import COLORMAPS, NORMALIZATIONS, Style
from stream.keys import Key, actions_of

__all__ = ["HEAD_KEYS", "LAYOUT_KEYS", "SWITCH_KEYS", "restyle"]

THRESHOLDS = (None, 0.5, 0.6, 0.8, 0.95)
"""Shares of the attention that the threshold key steps through; 0.6 is the DINO paper's."""
ALPHA_STEPS = 10
"""Steps from clear to solid."""

Restyle = Callable[[Style, str, int], tuple[Style, str]]
"""From a look, the key and the model's number of heads to another look and a few words."""


def restyle(style: Style, key: str, *, num_heads: int) -> tuple[Style, str] | None:
    """Return the look after a key press and a few words about it, or None for other keys.

    Args:
        style: The look so far.
        key: What was pressed, as a screen names it.
        num_heads: Heads of the model; a head that it lacks changes nothing.
    """
    action = _ACTIONS.get(key)
    return action(style, key, num_heads) if action else None


def _choose_head(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
    head = int(key)
    if head >= num_heads:
        return style, f"no head {head}: there are 0 to {num_heads - 1}"
    return replace(style, head=head), f"head {head}"


def _step_head(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
    step = 1 if key == ">" else -1
    before = style.head if isinstance(style.head, int) else (-1 if step > 0 else num_heads)
    head = (before + step) % num_heads
    return replace(style, head=head), f"head {head}"


def _choose_mean(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
    return replace(style, head="mean"), "mean of all heads"


def _choose_all(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
    return replace(style, head="all"), "all heads"


def _next_layout(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
    if style.head == "all":  # a grid whatever the layout: going on from it leaves it
        style = replace(style, head="mean", layout="heads")
    layout = _after(style.layout, tuple(LAYOUTS))
    return replace(style, layout=layout), f"layout: {layout}"


def _change_alpha(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
    step = 1 if key in "+=" else -1
    alpha = min(max(round(style.alpha * ALPHA_STEPS) + step, 0), ALPHA_STEPS) / ALPHA_STEPS
    return replace(style, alpha=alpha), f"map {alpha:.0%} opaque"


def _next_threshold(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
    threshold = _after(style.threshold, THRESHOLDS)
    words = "outline: off" if threshold is None else f"outline of {threshold:.0%} of the map"
    return replace(style, threshold=threshold), words


def _stepping(press: str, words: str, field: str, choices: Sequence[str]) -> Key[Restyle]:
    def step(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
        choice = _after(getattr(style, field), choices)
        return _with(style, field, choice), f"{words}: {choice}"

    return Key((press,), words, step)


def _switching(press: str, words: str, field: str) -> Key[Restyle]:
    def switch(style: Style, key: str, num_heads: int) -> tuple[Style, str]:
        is_on = not getattr(style, field)
        return _with(style, field, is_on), f"{words} {'on' if is_on else 'off'}"

    return Key((press,), words, switch)


def _with(style: Style, field: str, value: object) -> Style:
    given: dict[str, Any] = {field: value}
    return replace(style, **given)


def _after(choice: Any, choices: Sequence[Any]) -> Any:  # noqa: ANN401
    """Return the choice after this one, going round; the first where this one is not listed."""
    index = choices.index(choice) + 1 if choice in choices else 0
    return choices[index % len(choices)]


HEAD_KEYS: tuple[Key[Restyle], ...] = (
    Key(tuple("0123456789"), "one head", _choose_head, caps=("0", "\N{EN DASH}", "9")),
    Key(("<", ">"), "head before, after", _step_head),
    Key(("m",), "mean of all heads", _choose_mean),
    Key(("a",), "all heads, as a grid", _choose_all),
)
LAYOUT_KEYS: tuple[Key[Restyle], ...] = (
    Key(("l",), "layout", _next_layout),
    _stepping("n", "normalisation", "normalize", NORMALIZATIONS),
    _stepping("c", "colormap", "colormap", COLORMAPS),
    Key(("+", "=", "-", "_"), "map stronger, weaker", _change_alpha, caps=("+", "-")),
    Key(("t",), "outline of the attention", _next_threshold),
)
SWITCH_KEYS: tuple[Key[Restyle], ...] = (
    _switching("k", "skeleton", "skeleton"),
    _switching("f", "mirror", "mirror"),
    _switching("h", "read-outs", "hud"),
)
_ACTIONS = actions_of((*HEAD_KEYS, *LAYOUT_KEYS, *SWITCH_KEYS))
