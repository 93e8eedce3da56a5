"""Every frame of a recording, with its sound, to an MP4."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from stream.command_line.options import Options
from stream.errors import SourceError, SourceFormatError
from stream.hashing import sha256_of
from stream.jobs import sidecar
from stream.jobs.account import Account
from stream.jobs.factories import Factories
from stream.jobs.opening import open_sink, open_source
from stream.jobs.options import ExportOptions, RegionOptions
from stream.jobs.progress import export_bar, print_path, say, terminal
from stream.protocols import Source
from stream.scene import Scene
from stream.scenes import SceneMaker, Scenes
from stream.sources.options import PartOptions
from stream.stopping import stop_on_signals
from stream.video import Video

__all__ = ["Export"]


@dataclass(frozen=True, slots=True)
class Export:
    """Draws attention on every frame of a recording and writes an MP4."""

    options: Options
    """What to export, and how."""
    factories: Factories
    """How its parts are made."""

    def run(self) -> int:
        """Export, show how it goes, print the path; return the exit code.

        Raises:
            SignlightError: It could not; what was written before plays, and is told of.
        """
        options, factories, began_s = self.options, self.factories, time.monotonic()
        asked, part = options[ExportOptions], options[PartOptions]
        notes = factories.check(options)
        path, of_name = (asked.output, []) if asked.output else sidecar.choose_output(asked.source)
        with ExitStack() as stack:
            source = stack.enter_context(open_source(options))
            _refuse_live(source, asked.source, path)
            sidecar.check_sidecar(path.with_suffix(".json"))
            source_path = Path(asked.source) if Path(asked.source).is_file() else None
            sink = open_sink(
                options,
                path,
                source,
                audio_from=asked.source if "://" in asked.source else source_path,
                start_s=part.start_s,
                end_s=part.end_s,
            )
            model = stack.enter_context(factories.open_model(options))
            finder = stack.enter_context(factories.open_finder(options))
            cut = factories.make_cutter(options, model)
            account = Account(
                options=options.but(crop_size=cut.size_px),
                source=source,
                # What is large is read before the first frame: nobody waits for it after Ctrl-C.
                source_sha256=sha256_of(source_path) if source_path else None,
                model=model,
                output=sink,
                notes=[*notes, *of_name],
                began_s=began_s,
            )
            bar = export_bar(
                terminal(),
                path.name,
                source.info.num_frames,
                finds_hands=options[RegionOptions].region == "hands",
            )
            stop = stack.enter_context(stop_on_signals())
            with account.kept_if_broken_off(), sink, bar as show:

                def count(scene: Scene) -> None:
                    account.count(scene)
                    show(account.tally)

                maker = SceneMaker(finder=finder, cut=cut, model=model)
                with (
                    Scenes(source, maker, stop=stop.event) as scenes,
                    Video(factories.make_view(options), sink, on_written=count) as video,
                ):
                    for scene in scenes:
                        video.write(scene)
                if was_stopped := stop.signum is not None:  # not: while the file is finished
                    sink.keep_earlier()
            num_frames = account.tally.num_frames
            stopped = f"stopped after {num_frames} frames"
            account.write(*([stopped] if was_stopped else []))
        if not num_frames and stop.signum is None:
            raise SourceFormatError(
                f"{source.info.name} has no frame to export; nothing was written"
            )
        for warning in account.warnings:
            say(f"note: {warning}")
        if was_stopped:
            say(f"{stopped}; what was written is whole{sink.word_of_earlier}")
        if num_frames:
            print_path(sink.written_path)
        return stop.exit_code


def _refuse_live(source: Source, asked_for: str, path: Path) -> None:
    info = source.info
    if info.is_live:
        given = info.name if "://" in asked_for else asked_for
        raise SourceError(
            f"{info.name} is live and has no end to export to; "
            f"record it with: signlight {given} --save {path}"
        )
