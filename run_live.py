"""Signlight's command line: picks the parts, wires them, turns errors into exit codes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.fitting import check_options, doubts_about
from models.registry import DEFAULT_MODEL, MODELS, find_spec
from overlays.style import COLORMAPS, Style
from stream.errors import (
    OptionError,
    OutputError,
    SignlightError,
    SourceError,
    SourceFormatError,
    in_one_line,
)
from stream.installed import doubts_about_opencv
from stream.naming import doubts_about_source, refuse_input
from stream.options import BenchOptions, Options, parse_args
from stream.priority import let_waiting_threads_sleep, num_threads_beside_picture
from stream.stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    from rich.console import Console

    from models import DinoModel
    from models.crops import Cropper
    from overlays.live_view import LiveView
    from stream.newest_maps import NewestMaps
    from stream.protocols import HandFinder, Source
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["main"]

SAMPLE_CLIP = Path(__file__).with_name("samples") / "fingerspelling.mp4"
"""What is measured where no clip is named; an installed Signlight comes without it."""
EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments after the program's name; None takes the process's own.

    Returns:
        0 done, 1 it could not (one line on stderr says what and what to do), 130 Ctrl-C, and as
        shells count 128 and its number for another signal (143 for SIGTERM).

    Raises:
        SystemExit: Code 2 for wrong usage, 0 after ``--help`` and ``--version``.
    """
    options = parse_args(
        sys.argv[1:] if argv is None else argv,
        models=tuple(MODELS),
        default_model=DEFAULT_MODEL,
        colormaps=COLORMAPS,
    )
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    if options.command in ("live", "export"):  # not where DINO's own way is timed, which it slows
        let_waiting_threads_sleep()
    for doubt in doubts_about_opencv():  # before it is loaded, which may fail
        from stream.progress import say

        say(f"note: {doubt}")
    run = {"live": _live, "export": _export, "models": _models, "fetch": _fetch, "bench": _bench}
    try:
        code = run[options.command](options)
        sys.stdout.flush()  # the last moment to notice here that nobody reads any more
        return code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough: what is still in its buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:
        if options.verbose:
            raise
        print(f"signlight: {in_one_line(error)}", file=sys.stderr)
        return EXIT_FAILED


@dataclass
class _Parts:
    """What both loops are made of, beside source and sink."""

    finder: HandFinder
    cut: Cropper
    model: DinoModel
    view: LiveView


def _open_source(options: Options) -> Source:
    from stream.sources import open_source
    from stream.sources.picture_options import PictureOptions

    try:
        return open_source(
            options.source,
            start_s=options.start_s,
            end_s=options.end_s,
            max_frames=options.max_frames,
            pictures=PictureOptions(deinterlace=options.deinterlace, max_pixels=options.max_pixels),
        )
    except ValueError as error:
        if isinstance(error, SignlightError):
            raise
        raise OptionError(f"{options.source}: {error}") from error


def _open_model(options: Options, stack: ExitStack, *, num_threads: int | None) -> DinoModel:
    from models import load_model
    from stream.progress import download_bar

    with download_bar(_terminal()) as progress:
        model = load_model(
            options.model,
            weights=options.weights,
            random_weights=options.random_weights,
            device=options.device,
            runtime=options.runtime,
            precision=options.precision,
            layer=options.layer,
            num_threads=num_threads,
            progress=progress,
        )
    return stack.enter_context(model)


def _open_attention(options: Options, stack: ExitStack, model: DinoModel) -> NewestMaps:
    """Start the attention thread of the live view."""
    from stream.newest_maps import NewestMaps

    # The size of a whole picture is known with the first of them, which then warms up as well.
    is_known = options.region == "hands"
    warm_up = partial(model.warm_up, _cropper(options, model).size_px) if is_known else None
    return stack.enter_context(NewestMaps(model, warm_up=warm_up))


def _cropper(options: Options, model: DinoModel) -> Cropper:
    from models.crops import Cropper

    return Cropper(size_px=options.crop_size or model.spec.crop_px, patch_px=model.patch_px)


def _open_finder(options: Options, stack: ExitStack) -> HandFinder:
    if options.region == "frame":
        from models.crops import WholeFrameFinder

        return stack.enter_context(WholeFrameFinder())
    from models.hands.finder import MediaPipeHandFinder
    from stream.progress import download_bar

    with download_bar(_terminal()) as progress:
        finder = MediaPipeHandFinder(
            max_hands=options.max_hands,
            input_mirrored=options.input_mirrored,
            bundle=options.hand_model,
            progress=progress,
        )
    return stack.enter_context(finder)


def _open_parts(options: Options, stack: ExitStack, model: DinoModel) -> _Parts:
    """Open the hand finder, and set up the look."""
    from overlays.live_view import LiveView

    # An option of the look and the field of the style that it sets have one name.
    style = Style(**{field.name: getattr(options, field.name) for field in fields(Style)})
    return _Parts(
        finder=_open_finder(options, stack),
        cut=_cropper(options, model),
        model=model,
        view=LiveView(style),
    )


def _open_sink(options: Options, path: Path, source: Source, **origin: Any) -> Mp4Sink:  # noqa: ANN401
    """Return a sink with the encoder asked for; ``origin``: time 0 and sound, of an export only."""
    from stream.sinks.mp4 import Mp4Sink

    refuse_input(path, options.source)
    return Mp4Sink(
        path,
        frame_rate=source.info.frame_rate,
        crf=options.crf,
        preset=options.preset,
        encoder=options.encoder,
        **origin,
    )


def _live(options: Options) -> int:
    from overlays.controls import KeyControls
    from stream.live import LiveLoop
    from stream.progress import say
    from stream.sinks.window import Window

    check_options(options)
    with ExitStack() as stack:
        # First what costs a moment and may fail: a missing display must not wait for a model.
        screen = stack.enter_context(Window()) if options.window else None
        source = _open_source(options)
        stack.enter_context(source)
        save_to = None
        if options.output is not None:
            save_to = stack.enter_context(_open_sink(options, options.output, source))
        model = _open_model(options, stack, num_threads=num_threads_beside_picture())
        # The model makes itself ready while hand finder and look are opened.
        attention = _open_attention(options, stack, model)
        parts = _open_parts(options, stack, model)
        controls = KeyControls(
            parts.view,
            model,
            layers=model.spec.layers,
            open_sink=partial(_open_sink, options, source=source),
        )
        with stop_on_signals() as stop:
            report = LiveLoop(
                source=source,
                finder=parts.finder,
                cut=parts.cut,
                attention=attention,
                renderer=parts.view,
                screen=screen,
                controls=controls,
                save_to=save_to,
                stop=stop.event,
            ).run()
    say(f"{report}")
    of_files = (*(save_to.warnings if save_to else ()), *controls.warnings)
    of_source = (*doubts_about_source(options.source), *source.warnings)
    for warning in (*doubts_about(options), *model.warnings, *of_source, *of_files):
        say(f"note: {warning}")
    for path in controls.recordings:
        say(f"saved {path}")
    if save_to is not None:
        say(f"saved {options.output}" if report.num_shown else "nothing was shown to save")
    return _exit_code(stop)


def _export(options: Options) -> int:
    from stream import sidecar
    from stream.hashing import sha256_of
    from stream.offline import ExportReport, export
    from stream.progress import export_bar, print_path, say

    check_options(options)
    source_path = Path(options.source) if Path(options.source).is_file() else None
    output, of_name = (
        (options.output, []) if options.output else sidecar.choose_output(options.source)
    )
    started_s = time.monotonic()
    report = ExportReport()
    with ExitStack() as stack:
        source = _open_source(options)
        stack.enter_context(source)
        info = source.info
        if info.is_live:
            given = info.name if "://" in options.source else options.source
            raise SourceError(
                f"{info.name} is live and has no end to export to; "
                f"record it with: signlight {given} --save {output}"
            )
        sidecar.check_sidecar(output.with_suffix(".json"))
        span = {"start_s": options.start_s, "end_s": options.end_s}
        sound = options.source if "://" in options.source else source_path
        sink = _open_sink(options, output, source, audio_from=sound, **span)
        parts = _open_parts(options, stack, _open_model(options, stack, num_threads=None))

        def warnings() -> list[str]:
            of_source = (*doubts_about_source(options.source), *source.warnings)
            of_model = (*doubts_about(options), *parts.model.warnings)
            return [*of_model, *of_name, *of_source, *sink.warnings]

        # What is large is read before the first frame: nobody waits for it after Ctrl-C.
        source_sha256 = sha256_of(source_path) if source_path else None

        def describe(*ending: str) -> None:
            if report.num_frames:
                content = sidecar.describe_export(
                    report,
                    model=parts.model,
                    source_name=info.name,
                    source_sha256=source_sha256,
                    options=replace(options, crop_size=parts.cut.size_px),
                    seconds=time.monotonic() - started_s,
                    warnings=[*warnings(), *ending],
                )
                sidecar.write_sidecar(sink.written_path, content)

        def show_frame(report: ExportReport) -> None:
            if report.num_frames == 1:  # what stood in its place has just been replaced
                sidecar.forget_sidecar(sink.written_path.with_suffix(".json"))
            show(report)

        with stop_on_signals() as stop:
            try:
                bar = export_bar(
                    _terminal(), output.name, info.num_frames, finds_hands=options.region == "hands"
                )
                with sink, bar as show:
                    export(
                        source=source,
                        finder=parts.finder,
                        cut=parts.cut,
                        model=parts.model,
                        renderer=parts.view,
                        sink=sink,
                        stop=stop.event,
                        report=report,
                        on_frame=show_frame,
                    )
                    if was_stopped := stop.signum is not None:  # not: while the file is finished
                        sink.keep_earlier()
            except BaseException as error:
                with suppress(OutputError):  # what went wrong first is what counts
                    describe("broken off: the video may hold fewer frames than were counted")
                if report.num_frames and not isinstance(error, OutputError):
                    plays = f"{sink.written_path} plays, perhaps without its last seconds"
                    say(f"broken off; {plays}{sink.word_of_earlier}")
                raise
            stopped = f"stopped after {report.num_frames} frames"
            describe(*([stopped] if was_stopped else []))
    if not report.num_frames and stop.signum is None:
        raise SourceFormatError(f"{info.name} has no frame to export; nothing was written")
    for warning in warnings():
        say(f"note: {warning}")
    if was_stopped:
        say(f"{stopped}; what was written is whole{sink.word_of_earlier}")
    if report.num_frames:
        print_path(sink.written_path)
    return _exit_code(stop)


def _models(options: Options) -> int:
    from rich.console import Console

    from models.listing import table_of_models

    Console().print(table_of_models())
    print("signlight models fetch NAME downloads what is published; so does the first use of it.")
    return EXIT_DONE


def _fetch(options: Options) -> int:
    from models.weights import fetch_weights
    from stream.progress import download_bar, print_path

    with download_bar(_terminal()) as progress:
        found = fetch_weights(find_spec(options.model), progress=progress)
    print_path(found.path)
    return EXIT_DONE


def _bench(options: Options) -> int:
    from models.bench.command import bench
    from stream.bench.loops import Factories
    from stream.progress import step_line

    assert isinstance(options, BenchOptions)
    factories = Factories(
        open_source=_open_source,
        open_model=_open_model,
        open_attention=_open_attention,
        open_finder=_open_finder,
        open_parts=_open_parts,
        open_sink=_open_sink,
    )
    bench(options, factories, sample=SAMPLE_CLIP, steps=step_line(_terminal()))
    return EXIT_DONE


def _terminal() -> Console:
    """Return the console for bars: stderr, so that stdout holds results alone."""
    from stream.progress import QuietConsole

    return QuietConsole(stderr=True)


def _exit_code(stop: Stop) -> int:
    """Return 0, or as shells do 128 and the signal that ended it: 130 for Ctrl-C."""
    return EXIT_DONE if stop.signum is None else 128 + stop.signum


if __name__ == "__main__":
    sys.exit(main())
