"""What jobs need of the layers above: how models, hands, looks and keys are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stream.command_line.options import Options
from stream.protocols import AttentionModel, CropCutter, HandFinder

if TYPE_CHECKING:
    from stream.jobs.sidecar import ModelFacts
    from stream.keys import Key
    from stream.live_parts import LiveControls
    from stream.screens.page import Settable

    class LoadedModel(AttentionModel, ModelFacts, AbstractContextManager[Any], Protocol):
        """A model that is ready; leaving its block closes it."""

        @property
        def warnings(self) -> Sequence[str]:
            """What a person should know of these weights, a line each."""

        layer: int

        @property
        def layers(self) -> range:
            """Layers that can be read, from 0."""

        @property
        def num_heads(self) -> int:
            """Maps beside the mean."""

        def warm_up(self, size_px: int) -> None:
            """Do what has to be done once for crops of a size."""

    class Controls(LiveControls, Settable, Protocol):
        """Keys and settings."""

        @property
        def keys(self) -> Sequence[Key[Any]]:
            """Every key there is, the loop's own among them."""

    class Cutter(CropCutter, Protocol):
        """Cuts crops of one size."""

        size_px: int
        """Side of a hand's crop in pixels."""


__all__ = ["Factories", "OpenModel"]


class OpenModel(Protocol):
    """Loads the model that the options ask for."""

    def __call__(self, options: Options, *, num_threads: int | None = None) -> LoadedModel:
        """Return the model; ``num_threads`` of the processor, None as fits an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factories:
    """How the parts are made that ``stream`` does not know.

    Functions of modules, so that another process finds them by name. Who calls them closes what
    they return.
    """

    check: Callable[[Options], list[str]]
    """Refuses, with an OptionError, what does not fit the model; returns doubts, a line each."""
    each_model: Callable[[Options], list[Options]]
    """Returns the options of each model and layer, where a command asks for several."""
    ready_models: Callable[[Options], tuple[str, ...]]
    """Returns the models that can be chosen in place of the one asked for, itself among them."""
    open_model: OpenModel
    """Loads the model; downloads with a progress bar."""
    open_finder: Callable[[Options], HandFinder]
    """Opens the hand finder; downloads with a progress bar."""
    open_still_finder: Callable[[Options], HandFinder]
    """Opens the finder of hands in pictures that have nothing to do with each other."""
    make_cutter: Callable[[Options, Any], Cutter]
    """Returns what cuts crops for a loaded model."""
    make_view: Callable[[Options], Any]
    """Returns what draws scenes, a ``stream.protocols.LiveRenderer``."""
    make_controls: Callable[[Any, Any], Controls]
    """Returns keys and settings for a view that ``make_view`` made and a loaded model."""
    save_figure: Callable[..., None]
    """Draws signs and their maps into a file; see ``overlays.figure``."""
    save_matrix: Callable[..., None]
    """Draws how heads differ into a file; see ``overlays.figure``."""
