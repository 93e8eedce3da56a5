"""Keys of the live view: all of them, and what its loop does not know: look, layer, files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from overlays.keys import HEAD_KEYS, LAYOUT_KEYS, SWITCH_KEYS, restyle
from stream.frames import RgbImage
from stream.keys import Key, actions_of
from stream.live import LiveLoop
from stream.naming import fresh_path
from stream.protocols import Sink

if TYPE_CHECKING:
    from overlays.live_view import LiveView
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["KEYS", "KeyControls", "LayeredModel"]


class LayeredModel(Protocol):
    """What keys change about a model."""

    layer: int

    @property
    def layers(self) -> range:
        """Layers that it can be set to."""

    @property
    def num_heads(self) -> int:
        """Maps beside the mean."""


class KeyControls:
    """Reacts to keys; a ``stream.live.LiveControls``.

    Args:
        view: Its style and its card of keys are changed.
        model: Its layer is changed.
        open_sink: Opens the file that the record key asks for.
    """

    def __init__(
        self,
        view: LiveView,
        model: LayeredModel,
        *,
        open_sink: Callable[[Path], Mp4Sink],
    ) -> None:
        self._view = view
        self._model = model
        self._open_sink = open_sink
        self._sinks: list[Mp4Sink] = []
        self._paths: list[Path] = []

    @property
    def warnings(self) -> list[str]:
        """What is not in the recordings as it should be."""
        return [warning for sink in self._sinks for warning in sink.warnings]

    @property
    def recordings(self) -> list[Path]:
        """Files that were recorded; those that never got a frame do not exist."""
        return [path for path in dict.fromkeys(self._paths) if path.exists()]

    def press(self, key: str) -> str | None:
        """Change look or layer; return a notice to show, if any."""
        if own := _OWN_ACTIONS.get(key):
            return own(self, key)
        result = restyle(self._view.style, key, num_heads=self._model.num_heads)
        if result is None:
            return None
        self._view.style, notice = result
        return notice

    def change_layer(self, key: str) -> str:
        """Read the layer before or after; return a notice."""
        model = self._model
        layer = model.layer + (1 if key == "]" else -1)
        if layer in model.layers:
            model.layer = layer
        return f"layer {model.layer}{', the only one' if len(model.layers) == 1 else ''}"

    def toggle_help(self, key: str) -> None:
        """Show the card of keys, or take it away."""
        self._view.is_help_shown = not self._view.is_help_shown

    def open_recording(self) -> tuple[Sink, str]:
        """Return a sink for a new file in the working folder, and the file's name."""
        path = fresh_path(".mp4", now=datetime.now())
        self._sinks.append(self._open_sink(path))
        self._paths.append(path)
        return self._sinks[-1], path.name

    def save_snapshot(self, canvas: RgbImage) -> str:
        """Write a PNG to the working folder; return a notice."""
        from stream.sinks.png import write_png

        path = fresh_path(".png", now=datetime.now())
        write_png(path, canvas)
        return f"saved {path.name}"


_Press = Callable[[KeyControls, str], str | None]
_LAYER: Key[_Press] = Key(("[", "]"), "layer before, after", KeyControls.change_layer)
_HELP: Key[_Press] = Key(
    ("?",), "the keys, on the picture", KeyControls.toggle_help, on_card="this card"
)
_OWN_ACTIONS = actions_of((_LAYER, _HELP))
_QUIT, *_LOOP_KEYS = LiveLoop.KEYS

KEYS: tuple[tuple[Key[Any], ...], ...] = (
    (*HEAD_KEYS, _LAYER, *LAYOUT_KEYS),
    (*SWITCH_KEYS, *_LOOP_KEYS, _HELP, _QUIT),
)
"""Every key, in two columns as people are shown them."""
