"""A live view for each browser, of its own camera, all by the same models."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from stream.command_line.options import Options
from stream.errors import OutputError
from stream.frames import RgbImage
from stream.jobs.factories import Factories
from stream.jobs.opening import open_menu
from stream.jobs.shared_models import SharedModels
from stream.live import LiveLoop
from stream.priority import num_threads_beside_picture
from stream.screens.page import Page
from stream.screens.page_server import PageServer
from stream.screens.visits import Visits
from stream.sources.browser import BrowserSource
from stream.standby import PreRolls
from stream.takes import Takes

__all__ = ["OwnCameras"]

_LOOP_KEYS = ("space",)
"""Of the loop's own keys: files would be written on the machine that serves, where the person at
the camera is not; the page keeps them in the browser."""


@dataclass(frozen=True, slots=True)
class OwnCameras:
    """Shows each browser that comes its own camera with maps on it."""

    options: Options
    """What to show, and how."""
    factories: Factories
    """How its parts are made."""

    @contextmanager
    def opened(self, server: PageServer) -> Iterator[None]:
        """Let browsers in for the length of the block.

        Raises:
            SignlightError: The model cannot be had.
        """
        num_threads = num_threads_beside_picture()
        models = SharedModels(partial(self.factories.open_model, num_threads=num_threads))
        with ExitStack() as stack:
            # Who comes first need not wait for the model, and it stays when the last has left.
            seat = stack.enter_context(models.open(self.options))
            seat.warm_up(self.factories.make_cutter(self.options, seat).size_px)
            gc.freeze()  # what is there now stays: who collects after a visit need not look at it
            stack.callback(gc.unfreeze)
            visits = stack.enter_context(Visits(server, partial(self._show, models)))
            server.open(visits.entered, is_common=False)
            yield

    def _show(
        self,
        models: SharedModels,
        page: Page,
        camera: BrowserSource,
        stop: threading.Event,
    ) -> None:
        # At a camera one sees oneself as in a mirror.
        options, factories = self.options.but(mirror=True), self.factories
        with ExitStack() as stack:
            attention = stack.enter_context(open_menu(options, factories, models.open))
            finder = stack.enter_context(factories.open_finder(options))
            view = factories.make_view(options)
            controls = factories.make_controls(view, attention)
            theirs = [key for key in LiveLoop.KEYS if key.presses[0] not in _LOOP_KEYS]
            page.connect([key for key in controls.keys if key not in theirs], controls)
            LiveLoop(
                source=camera,
                finder=finder,
                attention=attention,
                renderer=page.watch(view),
                screen=page,
                controls=controls,
                files=_NoFiles(),
                save_to=None,
                stop=stop,
                max_past_bytes=0,
            ).run()


class _NoFiles:
    """Makes no files; a ``stream.live_parts.LiveFiles``."""

    open_standby = None

    def open_recording(self, pre_rolls: PreRolls | None = None) -> tuple[Takes, str]:
        _refuse()

    def save_snapshot(self, canvas: RgbImage) -> str:
        _refuse()


def _refuse() -> NoReturn:
    raise OutputError("the browser keeps what is recorded here")
