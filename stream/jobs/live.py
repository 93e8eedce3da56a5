"""The live view: a window on a camera, a stream or a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stream.command_line.options import Options
from stream.jobs.factories import Factories
from stream.jobs.opening import open_live_source, open_menu, open_pre_roll, open_sink
from stream.jobs.options import LiveOptions, ViewOptions
from stream.jobs.progress import say
from stream.jobs.working_folder import WorkingFolder
from stream.live import LiveLoop
from stream.naming import doubts_about_source
from stream.priority import num_threads_beside_picture
from stream.protocols import LiveRenderer, Screen, Source
from stream.sources import require_source
from stream.sources.options import SourceOptions
from stream.sources.playing import PlayedSource
from stream.stopping import stop_on_signals

if TYPE_CHECKING:
    from stream.jobs.factories import Controls

__all__ = ["Live", "show"]


@dataclass(frozen=True, slots=True)
class Live:
    """Shows every captured frame with the newest maps, and records it where asked to."""

    options: Options
    """What to show, and how."""
    factories: Factories
    """How its parts are made."""

    def run(self) -> int:
        """Show until the source ends or a person quits, say what came of it; return the exit code.

        Raises:
            SignlightError: It could not; recordings are whole up to then.
        """
        asked = self.options[LiveOptions]
        notes = self.factories.check(self.options)
        with ExitStack() as stack:
            # First what costs a moment and may fail: a missing display must not wait for a model,
            # and whoever misspelt a file need not be told of displays.
            require_source(asked.source)
            screen = None
            if asked.window:
                from stream.screens.window import Window

                screen = stack.enter_context(Window())
            source = stack.enter_context(open_live_source(self.options, loop=asked.loop))
            return show(
                self.options,
                self.factories,
                screen=screen,
                source=source,
                output=asked.output,
                notes=notes,
                stays=not asked.quit_at_end,
                greeting="? shows the keys",
                names_marks=True,
            )


def show(
    options: Options,
    factories: Factories,
    *,
    screen: Screen | None,
    source: Source,
    output: Path | None,
    notes: Sequence[str],
    stays: bool = False,
    greeting: str = "",
    names_marks: bool = False,
    connect: Callable[[LiveRenderer, Controls], LiveRenderer] = lambda view, controls: view,
) -> int:
    """Show a source until it ends or a person quits, and say what came of it.

    Args:
        options: What to show, and how.
        factories: How the parts are made.
        screen: Where; None shows nothing.
        source: What; closed at the end.
        output: MP4 that records all of it.
        notes: What to say at the end, a line each.
        stays: The last picture of a recording stays until a person quits.
        greeting: Notice on the first picture.
        names_marks: A mark's name is typed after its key.
        connect: Called with what draws and what is pressed; returns what is to draw.

    Returns:
        The exit code.

    Raises:
        SignlightError: It could not; recordings are whole up to then.
    """
    with ExitStack() as stack:
        keeps_last = options[ViewOptions].pre_roll > 0
        played = Path(options[SourceOptions].source)
        has_sound = isinstance(source, PlayedSource) and played.is_file()
        files = WorkingFolder(
            partial(open_sink, options, source=source, audio_from=played if has_sound else None),
            partial(open_pre_roll, options, source) if keeps_last else None,
        )
        save_to = None
        if output is not None:
            save_to = stack.enter_context(files.open_whole(output))
        open_model = partial(factories.open_model, num_threads=num_threads_beside_picture())
        # The model makes itself ready while hand finder and look are opened.
        attention = stack.enter_context(open_menu(options, factories, open_model))
        finder = stack.enter_context(factories.open_finder(options))
        view = factories.make_view(options)
        controls = factories.make_controls(view, attention)
        with stop_on_signals() as stop:
            loop = LiveLoop(
                source=source,
                finder=finder,
                attention=attention,
                renderer=connect(view, controls),
                screen=screen,
                controls=controls,
                files=files,
                save_to=save_to,
                stop=stop.event,
                stays=stays,
                player=source if isinstance(source, PlayedSource) else None,
                greeting=greeting,
                names_marks=names_marks,
            )
            try:
                report = loop.run()
            except BaseException:  # even of a view that failed its files are named
                _name(files)
                raise
    say(f"{report}")
    of_source = (*doubts_about_source(options[SourceOptions].source), *source.warnings)
    for warning in (*notes, *attention.warnings, *of_source):
        say(f"note: {warning}")
    _name(files)
    if save_to is not None and not report.num_shown:
        say("nothing was shown to save")
    for fault in report.faults:
        say(f"error: {fault}")
    return 1 if report.faults else stop.exit_code


def _name(files: WorkingFolder) -> None:
    """Say which files there are, whatever became of the view."""
    for warning in files.warnings:
        say(f"note: {warning}")
    for path in files.recordings:
        say(f"saved {path}")
