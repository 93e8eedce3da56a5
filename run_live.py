"""Signlight's command line: picks the parts, wires them, turns errors into exit codes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.registry import DEFAULT_MODEL, MODELS, find_spec
from overlays.style import COLORMAPS, Style
from stream.errors import SignlightError, SourceError, SourceFormatError, WorkerError
from stream.naming import default_output, fresh_path, refuse_input
from stream.options import Options, parse_args
from stream.stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    from rich.console import Console

    from models import DinoModel
    from overlays.live_view import LiveView
    from stream.frames import RgbImage
    from stream.protocols import CropCutter, HandFinder, Sink, Source
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["main"]

EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments after the program's name; None takes the process's own.

    Returns:
        0 done, 1 it could not (one line on stderr says what and what to do), 130 interrupted.

    Raises:
        SystemExit: Code 2 for wrong usage, 0 after ``--help``.
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
    command = {"live": _live, "export": _export, "models": _models, "fetch": _fetch}
    try:
        return command[options.command](options)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        if options.verbose:
            raise
        print(f"signlight: {_one_line(error)}", file=sys.stderr)
        return EXIT_FAILED


def _one_line(error: BaseException) -> str:
    """Return what a person needs to know: what is wrong and what to do."""
    if isinstance(error, WorkerError) and error.__cause__ is not None:
        return _one_line(error.__cause__)
    message = " ".join(str(error).split())
    if isinstance(error, (SignlightError, ValueError)):
        return message
    if isinstance(error, ImportError):
        return (
            f"a library cannot be loaded: {message}; install Signlight again, "
            "and on a bare Linux its system libraries (README, Set-up)"
        )
    return f"{type(error).__name__}: {message} (a fault of Signlight's: -v shows where)"


@dataclass
class _Parts:
    """What both loops are made of."""

    source: Source
    finder: HandFinder
    cut: CropCutter
    model: DinoModel
    view: LiveView


def _open_parts(options: Options, stack: ExitStack, *, num_threads: int | None) -> _Parts:
    """Open source, model and hand finder, in the order in which they are likely to fail."""
    from models import load_model
    from models.crops import Cropper, WholeFrameFinder
    from overlays.live_view import LiveView
    from stream.progress import download_bar
    from stream.sources import open_source

    source = open_source(
        options.source,
        start_s=options.start_s,
        end_s=options.end_s,
        max_frames=options.max_frames,
    )
    stack.enter_context(source)
    with download_bar(_terminal()) as progress:
        model = stack.enter_context(
            load_model(
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
        )
        finder: HandFinder = WholeFrameFinder()
        if options.region == "hands":
            from models.hands import MediaPipeHandFinder

            finder = MediaPipeHandFinder(
                max_hands=options.max_hands, bundle=options.hand_model, progress=progress
            )
    stack.enter_context(finder)
    if isinstance(options.head, int) and options.head >= model.num_heads:
        raise ValueError(
            f"--head {options.head}: {model.name} has heads 0 to {model.num_heads - 1}"
        )
    style = Style(
        head=options.head,
        layout=options.layout,
        colormap=options.colormap,
        alpha=options.alpha,
        threshold=options.threshold,
        normalize=options.normalize,
        skeleton=options.skeleton,
        hud=options.hud,
        mirror=options.mirror,
    )
    return _Parts(
        source=source,
        finder=finder,
        cut=Cropper(size_px=options.crop_size, patch_px=model.patch_px),
        model=model,
        view=LiveView(style),
    )


# ------------------------------------------------------------------------------------------- live


def _live(options: Options) -> int:
    from stream.live import LiveLoop
    from stream.sinks.window import Window

    with ExitStack() as stack:
        # First what costs a moment and may fail: a missing display must not wait for a model.
        screen = stack.enter_context(Window()) if options.window else None
        # One core stays free for the picture; the model would take them all.
        num_threads = max(1, (os.cpu_count() or 1) - 1)
        parts = _open_parts(options, stack, num_threads=num_threads)
        save_to = None
        if options.output is not None:
            save_to = stack.enter_context(_open_sink(options, options.output, parts.source))
        controls = _Controls(options, parts)
        with stop_on_signals() as stop:
            report = LiveLoop(
                source=parts.source,
                finder=parts.finder,
                cut=parts.cut,
                model=parts.model,
                renderer=parts.view,
                screen=screen,
                controls=controls,
                save_to=save_to,
                stop=stop.event,
            ).run()
    _terminal().print(
        f"{report.num_shown} frames shown, {report.dropped_capture} dropped, "
        f"95 % within {report.late_p95_ms:.0f} ms; "
        f"{report.num_maps} maps, 95 % younger than {report.age_p95_ms:.0f} ms"
    )
    if save_to is not None:
        _terminal().print(f"saved {options.output}")
    return _exit_code(stop)


class _Controls:
    """Keys of the live view that the loop does not know: look, layer, files."""

    def __init__(self, options: Options, parts: _Parts) -> None:
        self._options = options
        self._parts = parts

    def press(self, key: str) -> str | None:
        """Change look or layer; return a notice to show, if any."""
        from overlays.keys import restyle

        view, model = self._parts.view, self._parts.model
        if key in ("[", "]"):
            layer = model.layer + (1 if key == "]" else -1)
            if layer in model.spec.layers:
                model.layer = layer
            return f"layer {model.layer}"
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
        return _open_sink(self._options, path, self._parts.source), path.name

    def save_snapshot(self, canvas: RgbImage) -> str:
        """Write a PNG to the working folder; return a notice."""
        from stream.sinks.png import write_png

        path = fresh_path(".png", now=datetime.now())
        write_png(path, canvas)
        return f"saved {path.name}"


# ----------------------------------------------------------------------------------------- export


def _export(options: Options) -> int:
    from stream.hashing import sha256_of
    from stream.offline import ExportReport, export
    from stream.progress import export_bar
    from stream.sidecar import versions, write_sidecar

    source_path = Path(options.source) if Path(options.source).is_file() else None
    output = options.output or default_output(options.source)
    started_s = time.monotonic()
    report = ExportReport()
    with ExitStack() as stack:
        parts = _open_parts(options, stack, num_threads=None)
        info = parts.source.info
        if info.is_live:
            raise SourceError(
                f"{info.name}: a live source has no end to export to; "
                f"record it with: signlight {info.name} --save {output}"
            )
        sink = _open_sink(
            options,
            output,
            parts.source,
            audio_from=source_path,
            start_s=options.start_s,
            end_s=options.end_s,
        )
        try:
            with (
                sink,
                stop_on_signals() as stop,
                export_bar(_terminal(), output.name, info.num_frames) as show,
            ):
                export(
                    source=parts.source,
                    finder=parts.finder,
                    cut=parts.cut,
                    model=parts.model,
                    renderer=parts.view,
                    sink=sink,
                    stop=stop.event,
                    report=report,
                    on_frame=show,
                )
        finally:
            # What was broken off is there as well, and says how it was made.
            if report.num_frames:
                content = {
                    "frames": report.num_frames,
                    "frames_with_hand": report.num_frames_with_hand,
                    "hands": report.num_hands,
                    "model": parts.model.name,
                    "weights_sha256": parts.model.weights_sha256,
                    "source_sha256": sha256_of(source_path) if source_path else None,
                    "options": _plain(options),
                    "versions": versions(),
                    "seconds": round(time.monotonic() - started_s, 3),
                    "warnings": [*parts.source.warnings, *sink.warnings],
                }
                write_sidecar(output.with_suffix(".json"), content)
    if not report.num_frames and stop.signum is None:
        raise SourceFormatError(f"{info.name}: no frame between --start and --end; nothing written")
    for warning in (*parts.source.warnings, *sink.warnings):
        _terminal().print(f"note: {warning}", markup=False)
    print(output)
    return _exit_code(stop)


def _open_sink(options: Options, path: Path, source: Source, **origin: Any) -> Mp4Sink:  # noqa: ANN401
    """Return a sink with the encoder that was asked for; ``origin``: what an export knows beside.

    The live view has a time 0 and no sound of its own.
    """
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


def _plain(options: Options) -> dict[str, Any]:
    """Return options as JSON can hold them."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(options).items()
    }


# ----------------------------------------------------------------------------------------- models


def _models(options: Options) -> int:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from models.weights import cached_path, is_ready

    table = Table(box=box.SIMPLE)
    for title in ("name", "size", "licence", "ready"):
        table.add_column(title, no_wrap=True)
    table.add_column("weights", overflow="fold")
    for spec in MODELS.values():
        table.add_row(
            spec.name,
            f"{spec.size_bytes / 1e6:.0f} MB",
            spec.licence,
            "yes" if is_ready(spec) else "no",
            str(cached_path(spec)),
        )
    Console().print(table)
    print("signlight models fetch NAME downloads what is not ready; so does the first use of it.")
    return EXIT_DONE


def _fetch(options: Options) -> int:
    from models.weights import fetch_weights
    from stream.progress import download_bar

    with download_bar(_terminal()) as progress:
        found = fetch_weights(find_spec(options.model), progress=progress)
    print(found.path)
    return EXIT_DONE


# ---------------------------------------------------------------------------------------- process


def _terminal() -> Console:
    """Return the console for bars and notes: stderr, so that stdout holds results alone."""
    from rich.console import Console

    return Console(stderr=True)


def _exit_code(stop: Stop) -> int:
    """Return 0, or as shells do 128 and the signal that ended it: 130 for Ctrl-C."""
    return EXIT_DONE if stop.signum is None else 128 + stop.signum


if __name__ == "__main__":
    sys.exit(main())
