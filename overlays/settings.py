"""What a page's menus, sliders and switches set; keys change the same, a step at a time."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overlays.keys import ALPHA_STEPS, THRESHOLDS
from overlays.layouts import LAYOUTS
from overlays.style import COLORMAPS, NORMALIZATIONS, Style
from stream.command_line.option import UsageError, options_of
from stream.keys import Setting

if TYPE_CHECKING:
    from overlays.controls import LayeredModel

__all__ = ["set_style", "settings_of"]

_OPTIONS = options_of(Style)
_SWITCHES = {"on": True, "off": False}


def set_style(style: Style, name: str, text: str, *, num_heads: int) -> tuple[Style, str]:
    """Return the look with one choice set, and a few words about it.

    Args:
        style: The look so far.
        name: A field of it.
        text: As the option of that name is given; of a switch "on" or "off".
        num_heads: Heads of the model; a head that it lacks changes nothing.
    """
    option = _OPTIONS.get(name)
    if option is None:
        return style, f"there is no setting {name}"
    try:
        if option.kind is bool:
            value: Any = _SWITCHES[text]
        else:
            assert option.values is not None  # each field that is no switch has them
            value = option.values.read(text)
        changes = {name: value}
        if name == "layout" and style.head == "all":  # a grid whatever the layout
            changes["head"] = "mean"
        restyled = replace(style, **changes)
    except (argparse.ArgumentTypeError, UsageError, ValueError, KeyError):
        return style, f"{name} cannot be {text}"
    if name == "head" and isinstance(value, int) and value >= num_heads:
        return style, f"no head {value}: there are 0 to {num_heads - 1}"
    return restyled, f"{name}: {text}"


def settings_of(style: Style, model: LayeredModel) -> tuple[Setting, ...]:
    """Return what can be set, and what it is set to."""

    def menu(name: str, words: str, choices: Sequence[str]) -> Setting:
        return Setting(
            name=name, words=words, value=str(getattr(style, name)), choices=tuple(choices)
        )

    def switch(name: str, words: str) -> Setting:
        is_on = bool(getattr(style, name))
        return Setting(
            name=name, words=words, value="on" if is_on else "off", choices=("on", "off")
        )

    thresholds = tuple(map(_share, dict.fromkeys((*THRESHOLDS, style.threshold))))
    heads = ("mean", *map(str, range(model.num_heads)), "all")
    return (
        Setting(name="model", words="Model", value=model.name, choices=model.names),
        menu("head", "Head", heads),
        Setting(
            name="layer",
            words="Layer",
            value=str(model.layer),
            choices=tuple(map(str, model.layers)),
        ),
        menu("layout", "Layout", tuple(LAYOUTS)),
        menu("colormap", "Colours", COLORMAPS),
        Setting(
            name="alpha",
            words="Opacity",
            value=f"{style.alpha:g}",
            range=(0.0, 1.0, 0.5 / ALPHA_STEPS),
        ),
        Setting(
            name="threshold", words="Outline", value=_share(style.threshold), choices=thresholds
        ),
        menu("normalize", "Colour range", NORMALIZATIONS),
        switch("skeleton", "Skeleton"),
        switch("mirror", "Mirror"),
        switch("hud", "Read-outs on the picture"),
    )


def _share(threshold: float | None) -> str:
    return "off" if threshold is None else f"{threshold:g}"
