"""Keys of the live view: all of them, and what its loop does not know: look and layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from overlays.keys import HEAD_KEYS, LAYOUT_KEYS, SWITCH_KEYS, restyle
from overlays.settings import set_style, settings_of
from stream.keys import Key, Setting, actions_of
from stream.live import LiveLoop

if TYPE_CHECKING:
    from overlays.live_view import LiveView

__all__ = ["KEYS", "KeyControls", "LayeredModel"]


class LayeredModel(Protocol):
    """What keys change about a model, and which of them it is; see ``stream.model_menu``."""

    layer: int

    @property
    def layers(self) -> range:
        """Layers that it can be set to."""

    @property
    def num_heads(self) -> int:
        """Maps beside the mean."""

    @property
    def name(self) -> str:
        """The model at work."""

    @property
    def names(self) -> tuple[str, ...]:
        """Models that can be chosen."""

    def choose(self, name: str) -> str:
        """Have another model take over once it is ready; return a notice."""

    def news(self) -> str | None:
        """Return, once, what has become of a choice."""


class KeyControls:
    """Reacts to keys; a ``stream.live_parts.LiveControls``.

    Args:
        view: Its style and its card of keys are changed.
        model: Its layer is changed, and it for another.
    """

    def __init__(self, view: LiveView, model: LayeredModel) -> None:
        self._view = view
        self._model = model

    def press(self, key: str) -> str | None:
        """Change look, layer or model; return a notice to show, if any.

        Args:
            key: As a screen names it; or NAME=VALUE for one of ``settings``.
        """
        name, equals, value = key.partition("=")
        if name and equals:
            return self._set(name, value)
        if own := _OWN_ACTIONS.get(key):
            return own(self, key)
        result = restyle(self._view.style, key, num_heads=self._model.num_heads)
        if result is None:
            return None
        self._view.style, notice = result
        return notice

    def dismiss(self) -> bool:
        """Take the card of keys away; return whether it was there."""
        was_shown, self._view.is_help_shown = self._view.is_help_shown, False
        return was_shown

    def news(self) -> str | None:
        """Return, once, what has become of a choice of model."""
        news = self._model.news()
        head = self._view.style.head
        if news and isinstance(head, int) and head >= self._model.num_heads:
            self._view.style = replace(self._view.style, head="mean")
        return news

    @property
    def keys(self) -> tuple[Key[Any], ...]:
        """Every key there is, the loop's own among them."""
        return tuple(key for column in KEYS for key in column)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What can be set, and what it is set to."""
        return settings_of(self._view.style, self._model)

    def _set(self, name: str, value: str) -> str:
        if name == "model":
            return self._model.choose(value)
        if name != "layer":
            self._view.style, notice = set_style(
                self._view.style, name, value, num_heads=self._model.num_heads
            )
            return notice
        if value.isdecimal() and int(value) in self._model.layers:
            self._model.layer = int(value)
            return f"layer {value}"
        return f"no layer {value}"

    def change_layer(self, key: str) -> str:
        """Read the layer before or after; return a notice."""
        model = self._model
        layer = model.layer + (1 if key == "]" else -1)
        if layer in model.layers:
            model.layer = layer
        return f"layer {model.layer}{', the only one' if len(model.layers) == 1 else ''}"

    def next_model(self, key: str) -> str:
        """Choose the model after; return a notice."""
        names = self._model.names
        if len(names) == 1:
            return f"{names[0]} is the only model here"
        return self._model.choose(names[(names.index(self._model.name) + 1) % len(names)])

    def toggle_help(self, key: str) -> None:
        """Show the card of keys, or take it away."""
        self._view.is_help_shown = not self._view.is_help_shown


_Press = Callable[[KeyControls, str], str | None]
_LAYER: Key[_Press] = Key(("[", "]"), "layer before, after", KeyControls.change_layer)
_MODEL: Key[_Press] = Key(("d",), "model after", KeyControls.next_model)
_HELP: Key[_Press] = Key(
    ("?",), "the keys, on the picture", KeyControls.toggle_help, on_card="this card"
)
_OWN_ACTIONS = actions_of((_LAYER, _MODEL, _HELP))
_LOOP_KEYS = [key for key in LiveLoop.KEYS if key not in LiveLoop.WINDOW_KEYS]

KEYS: tuple[tuple[Key[Any], ...], ...] = (
    (*HEAD_KEYS, _LAYER, _MODEL, *LAYOUT_KEYS),
    (*SWITCH_KEYS, *_LOOP_KEYS, _HELP, *LiveLoop.WINDOW_KEYS),
)
"""Every key, in two columns as people are shown them."""
