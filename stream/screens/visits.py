"""A view for each browser, of its own camera, on a thread of its own."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from stream.closing import Closing
from stream.errors import SignlightError, in_one_line
from stream.naming import without_folders
from stream.screens.page import Page
from stream.screens.page_server import PageServer
from stream.sources.browser import BrowserSource

__all__ = ["Visits"]

logger = logging.getLogger(__name__)

ShowCamera = Callable[[Page, BrowserSource, threading.Event], None]
"""Shows a camera on a page until the event is set or the camera closed."""


class Visits(Closing):
    """Gives each browser that comes a page with its own camera on it.

    A visitor's place is free again when the visit's thread has ended.

    Args:
        server: Serves the pages.
        show: What a visit is; called on a thread of its own.
    """

    def __init__(self, server: PageServer, show: ShowCamera) -> None:
        self._server = server
        self._show = show
        self._stops: set[threading.Event] = set()

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[Page]:
        """Show a page to one browser; on the server's thread."""
        stop = threading.Event()
        self._stops.add(stop)
        with BrowserSource() as camera:
            page = Page(self._server, title="your camera", camera=camera)
            visit = threading.Thread(
                target=self._visit, args=(page, camera, stop), name="signlight-visit"
            )
            visit.start()
            try:
                yield page
            finally:
                stop.set()
                self._stops.discard(stop)
                camera.close()
                await asyncio.shield(asyncio.to_thread(visit.join))

    def close(self) -> None:
        """End all visits, soon; any thread."""
        for stop in tuple(self._stops):
            stop.set()

    def _visit(self, page: Page, camera: BrowserSource, stop: threading.Event) -> None:
        try:
            self._show_on(page, camera, stop)
        finally:
            # A view's parts know each other, and its networks hold memory that Python does not
            # count: its collector would not come for minutes.
            gc.collect()

    def _show_on(self, page: Page, camera: BrowserSource, stop: threading.Event) -> None:
        with page:
            try:
                self._show(page, camera, stop)
            except SignlightError as error:
                line = in_one_line(error)
                logger.warning("a visit ended: %s", line)
                page.fail(f"This view has ended: {without_folders(line)}.")
