"""The model at work in a live view, and the next one, which gets ready while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from stream.channel import Channel, ChannelClosed
from stream.closing import Closing
from stream.errors import SignlightError, in_one_line
from stream.frames import Frame
from stream.geometry import HandRegion
from stream.naming import without_folders
from stream.newest_maps import NewestMaps
from stream.priority import run_after_others
from stream.scene import AgedMaps
from stream.worker import Worker

__all__ = ["ModelAtWork", "ModelMenu"]


class _Model(Protocol):
    layer: int

    @property
    def layers(self) -> range: ...

    @property
    def num_heads(self) -> int: ...

    @property
    def warnings(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, eq=False)
class ModelAtWork:
    """A model, and the thread on which it makes maps."""

    name: str
    """What the menu calls it."""
    model: _Model
    """The model."""
    maps: NewestMaps
    """Its thread, which is running."""
    close: Callable[[], None]
    """Ends the thread and closes the model."""


class ModelMenu(Closing):
    """Makes the maps of a live view; a ``stream.protocols.LiveAttention``.

    Another model is opened and warmed up on a thread of its own. It takes over between two frames,
    and the one before is closed on that thread: the picture waits for neither.

    Used by one thread.

    Args:
        name: The model to begin with.
        names: Models that can be chosen.
        open_model: Opens the model of a name, with its thread running.
    """

    def __init__(
        self, name: str, names: Sequence[str], open_model: Callable[[str], ModelAtWork]
    ) -> None:
        self.names = tuple(names)
        """Models that can be chosen."""
        self._open_model = open_model
        self._now = open_model(name)
        self._warnings = list(self._now.model.warnings)
        self._submitted: tuple[Frame, tuple[HandRegion, ...]] | None = None
        self._num_batches = self._dropped = 0
        self._news: Channel[str] = Channel(1, keep="latest")
        self._choices: Channel[str] = Channel(1, keep="latest")
        self._ready: Channel[ModelAtWork] = Channel(1, keep="all")
        self._retired: Channel[ModelAtWork] = Channel(1, keep="all")
        self._changes: Worker[str, None] = Worker(
            self._change_to, inbox=self._choices, outbox=None, name="next-model"
        )
        self._changes.start()

    @property
    def name(self) -> str:
        """The model at work; one that was chosen later may be getting ready."""
        return self._now.name

    @property
    def layer(self) -> int:
        """Layer whose maps are made, from 0."""
        return self._now.model.layer

    @layer.setter
    def layer(self, layer: int) -> None:
        self._now.model.layer = layer

    @property
    def layers(self) -> range:
        """Layers that can be read."""
        return self._now.model.layers

    @property
    def num_heads(self) -> int:
        """Maps beside the mean."""
        return self._now.model.num_heads

    @property
    def warnings(self) -> Sequence[str]:
        """What a person should know of the models that were at work, a line each."""
        return self._warnings

    def choose(self, name: str) -> str:
        """Have another model take over as soon as it is ready; return a notice."""
        if name not in self.names:
            return f"there is no model {name} here"
        self._choices.put(name)
        return f"model: {name}, in a moment" if name != self._now.name else f"model: {name}"

    def news(self) -> str | None:
        """Return, once, what has become of a choice."""
        return self._news.get(0)

    @property
    def num_batches(self) -> int:
        """See ``NewestMaps``."""
        return self._num_batches + self._now.maps.num_batches

    @property
    def dropped(self) -> int:
        """See ``NewestMaps``."""
        return self._dropped + self._now.maps.dropped

    @property
    def per_s(self) -> float:
        """See ``NewestMaps``."""
        return self._now.maps.per_s

    @property
    def compute_ms(self) -> float:
        """See ``NewestMaps``."""
        return self._now.maps.compute_ms

    def submit(self, frame: Frame, hands: Iterable[HandRegion]) -> None:
        """See ``NewestMaps``."""
        self._changes.check()
        self._submitted = frame, tuple(hands)
        self._now.maps.submit(*self._submitted)

    def check(self) -> None:
        """See ``NewestMaps``."""
        self._now.maps.check()
        self._changes.check()

    def at(self, frame: Frame, hands: Iterable[HandRegion]) -> dict[int, AgedMaps]:
        """See ``NewestMaps``; a model that has got ready takes over."""
        if (ready := self._ready.get(0)) is not None:
            self._num_batches += self._now.maps.num_batches
            self._dropped += self._now.maps.dropped
            self._retired.put(self._now)
            self._now = ready
            self._warnings += [line for line in ready.model.warnings if line not in self._warnings]
            self._news.put(f"model: {ready.name}")
            if self._submitted is not None:  # a frozen picture is not handed over again
                ready.maps.submit(*self._submitted)
        return self._now.maps.at(frame, hands)

    def close(self) -> None:
        """End all threads and close the models; harmless when called again."""
        self._choices.discard()
        self._retired.close()
        self._changes.join()
        with suppress(ChannelClosed):
            while (ready := self._ready.get(0)) is not None:
                ready.close()
        self._now.close()

    def _change_to(self, name: str) -> None:
        """Get a model ready, hand it over and close the one before; on the menu's own thread."""
        if name == self._now.name:
            return
        run_after_others()
        try:
            ready = self._open_model(name)
        except SignlightError as error:
            self._fail(name, error)
            return
        try:
            ready.maps.wait_ready()
        except SignlightError as error:
            ready.close()
            self._fail(name, error)
            return
        self._ready.put(ready)
        with suppress(ChannelClosed):  # the view has ended meanwhile
            retired = self._retired.get()
            assert retired is not None  # get() without a timeout waits for an item
            retired.close()

    def _fail(self, name: str, error: SignlightError) -> None:
        self._news.put(f"{name} cannot be had: {without_folders(in_one_line(error))}")
