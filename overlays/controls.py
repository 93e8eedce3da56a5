"""Keys of the live view that its loop does not know: look, layer, files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from overlays.keys import restyle
from overlays.live_view import LiveView
from stream.frames import RgbImage
from stream.naming import fresh_path
from stream.protocols import Sink

if TYPE_CHECKING:
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["KeyControls", "LayeredModel"]


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
        view, model = self._view, self._model
        if key in ("[", "]"):
            layer = model.layer + (1 if key == "]" else -1)
            if layer in model.layers:
                model.layer = layer
            return f"layer {model.layer}{', the only one' if len(model.layers) == 1 else ''}"
        if key == "?":
            view.is_help_shown = not view.is_help_shown
            return None
        result = restyle(view.style, key, num_heads=model.num_heads)
        if result is None:
            return None
        view.style, notice = result
        return notice

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
