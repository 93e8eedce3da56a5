"""The live view as a page in the browser."""

from __future__ import annotations

import webbrowser
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stream.command_line.options import Options
from stream.errors import SignlightError, in_one_line
from stream.jobs.factories import Factories
from stream.jobs.live import show
from stream.jobs.opening import open_live_source
from stream.jobs.options import ServeOptions
from stream.jobs.progress import say
from stream.live import LiveLoop
from stream.naming import last_name
from stream.protocols import LiveRenderer
from stream.screens.options import PageOptions

if TYPE_CHECKING:
    from stream.jobs.factories import Controls
    from stream.screens.page import Page

__all__ = ["Serve"]

CAMERA = "0"
"""What is served where neither a source nor the sample clip is there."""


@dataclass(frozen=True, slots=True)
class Serve:
    """Serves the live view as a page; a recording plays again and again."""

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
        name = self.options[ServeOptions].source
        if not name:
            name = str(self.sample) if self.sample.is_file() else CAMERA
        options = self.options.but(source=name)
        notes = self.factories.check(options)
        with ExitStack() as stack:
            from stream.screens.page import Page

            asked = options[PageOptions]
            title = f"camera {name}" if name.isdecimal() else last_name(name)
            page = stack.enter_context(Page(asked, title=title))
            try:
                source = stack.enter_context(open_live_source(options, loop=True))
                _say_where(page, asked)
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
                # Names of folders are nobody's business but the terminal's.
                page.fail(in_one_line(error).replace(name, title))
                raise


def _connect(page: Page, view: LiveRenderer, controls: Controls) -> LiveRenderer:
    # Who looks in is not who started it.
    page.connect([key for key in controls.keys if key not in LiveLoop.WINDOW_KEYS], controls)
    return page.watch(view)


def _say_where(page: Page, asked: PageOptions) -> None:
    say(f"the page: {page.address}")
    if not page.is_local:
        say(
            "note: other machines reach it by this one's name or address, with the same token. It "
            "goes over the network as it is, to be read by who listens there, and browsers allow a "
            "page their own camera only on localhost or by HTTPS."
        )
    say("Ctrl-C ends it")
    if asked.open_browser and not webbrowser.open(page.address):
        say("note: no browser could be opened; open the address yourself")
