"""Models for several who look at once, each in turn."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stream.closing import Closing
from stream.command_line.options import Options
from stream.geometry import HandCrop
from stream.scene import AttentionMaps

if TYPE_CHECKING:
    from stream.jobs.factories import LoadedModel

__all__ = ["ModelSeat", "SharedModels"]


class SharedModels:
    """Opens each model once, for all who ask for it, and closes it after the last of them.

    Who asks for maps waits for its turn, in the order of asking: with one thread each, everybody
    has as many batches as the others. Any thread.

    Args:
        open_model: Opens the model that options ask for; called by one thread at a time.
    """

    def __init__(self, open_model: Callable[[Options], LoadedModel]) -> None:
        self._open_model = open_model
        self._opening = threading.Lock()
        self._models: dict[str, tuple[LoadedModel, int, int]] = {}
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    def open(self, options: Options) -> ModelSeat:
        """Return a seat at the model that the options name; who asks closes it."""
        name: str = options.by_name["model"]
        with self._opening:
            if name not in self._models:
                opened = self._open_model(options)
                self._models[name] = (opened, opened.layer, 0)
            model, layer, num_seats = self._models[name]
            self._models[name] = (model, layer, num_seats + 1)
        return ModelSeat(self, name, model, layer)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it for the length of the block."""
        me = object()
        with self._changed:
            self._waiting.append(me)
            self._changed.wait_for(lambda: self._waiting[0] is me)
        try:
            yield
        finally:
            with self._changed:
                self._waiting.popleft()
                self._changed.notify_all()

    def leave(self, name: str) -> None:
        """Give a seat back."""
        with self._opening:
            model, layer, num_seats = self._models.pop(name)
            if num_seats > 1:
                self._models[name] = (model, layer, num_seats - 1)
            else:
                model.__exit__(None, None, None)


class ModelSeat(Closing):
    """A model as one of those has it who share it; made by :class:`SharedModels`.

    What is not here is asked of the model itself.

    Attributes:
        layer: Layer whose maps this seat is given; set it from any thread.
    """

    def __init__(self, shared: SharedModels, name: str, model: LoadedModel, layer: int) -> None:
        self.layer = layer
        self._shared = shared
        self._name = name
        self._model = model
        self._is_closed = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model says
        return getattr(self._model, name)

    def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
        """Return the maps of crops when it is this seat's turn."""
        with self._shared.turn():
            self._model.layer = self.layer
            return self._model.attend_crops(crops)

    def warm_up(self, size_px: int) -> None:
        """Do what has to be done once for crops of a size, when it is this seat's turn."""
        with self._shared.turn():
            self._model.warm_up(size_px)

    def close(self) -> None:
        """Give the seat back; harmless when called again."""
        if not self._is_closed:
            self._is_closed = True
            self._shared.leave(self._name)
