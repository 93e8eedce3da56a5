"""The live view as a page in the browser."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stream.command_line.options import Options
from stream.errors import OptionError, SignlightError, in_one_line
from stream.jobs.factories import Factories
from stream.jobs.live import show
from stream.jobs.opening import open_live_source
from stream.jobs.options import ServeOptions
from stream.jobs.progress import say
from stream.live import LiveLoop
from stream.naming import last_name, without_folders
from stream.protocols import LiveRenderer
from stream.screens.options import PageOptions
from stream.sources.options import PartOptions
from stream.stopping import stop_on_signals

if TYPE_CHECKING:
    from stream.jobs.factories import Controls
    from stream.screens.page import Page
    from stream.screens.page_server import PageServer

__all__ = ["Serve"]

CAMERA = "0"
"""What is served where neither a source nor the sample clip is there."""
POLL_S = 0.5
"""How often it is looked whether the page is still served."""


@dataclass(frozen=True, slots=True)
class Serve:
    """Serves the live view as a page: one for all, or each browser's own camera."""

    options: Options
    """What to show, how, and where."""
    factories: Factories
    """How its parts are made."""
    sample: Path
    """Clip that plays where none is named, if it is there."""

    def run(self) -> int:
        """Serve until the source ends or a signal comes; return the exit code.

        Raises:
            SignlightError: It could not; recordings are whole up to then.
        """
        asked = self.options[PageOptions]
        notes = self.factories.check(self.options)
        with ExitStack() as stack:
            from stream.screens.page_server import PageServer

            server = stack.enter_context(PageServer(asked))
            if not self.options[ServeOptions].own_camera:
                return self._show_to_all(server, asked, notes)
            if self.options[PartOptions] != PartOptions():
                raise OptionError(
                    "--start, --end and --max-frames are of a source here; with --own-camera "
                    "there is none: leave them out"
                )

            from stream.jobs.own_cameras import OwnCameras

            stop = stack.enter_context(stop_on_signals())
            with OwnCameras(self.options, self.factories).opened(server):
                _say_where(server, asked)
                while server.is_running and not stop.event.wait(POLL_S):
                    pass
            for note in notes:
                say(f"note: {note}")
            return stop.exit_code

    def _show_to_all(self, server: PageServer, asked: PageOptions, notes: Sequence[str]) -> int:
        from stream.screens.page import Page

        name = self.options[ServeOptions].source
        if not name:
            name = str(self.sample) if self.sample.is_file() else CAMERA
        options = self.options.but(source=name)
        title = f"camera {name}" if name.isdecimal() else last_name(name)
        with ExitStack() as stack:
            page = stack.enter_context(Page(server, title=title))
            server.open(page.entered, is_common=True)
            try:
                source = stack.enter_context(open_live_source(options, loop=True))
                _say_where(server, asked)
                return show(
                    options,
                    self.factories,
                    screen=page,
                    source=source,
                    output=options[ServeOptions].output,
                    notes=notes,
                    connect=partial(_connect, page),
                )
            except SignlightError as error:
                line = in_one_line(error)
                # A number is no path; a folder's name may have spaces in it.
                page.fail(without_folders(line if name.isdecimal() else line.replace(name, title)))
                raise


def _connect(page: Page, view: LiveRenderer, controls: Controls) -> LiveRenderer:
    # Who looks in is not who started it.
    page.connect([key for key in controls.keys if key not in LiveLoop.WINDOW_KEYS], controls)
    return page.watch(view)


def _say_where(server: PageServer, asked: PageOptions) -> None:
    say(f"the page: {server.address}")
    if not server.admission.is_local:
        say("note: other machines reach it by this one's name or address, with the same token.")
        if not server.is_encrypted:
            say(
                "note: token and pictures go over the network as they are, to be read by who "
                "listens there, and browsers allow a page their own camera only on localhost or by "
                "HTTPS: --cert FILE --key FILE."
            )
    say("Ctrl-C ends it")
    if asked.open_browser and not webbrowser.open(server.address):
        say("note: no browser could be opened; open the address yourself")
