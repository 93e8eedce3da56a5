"""Everything that annotating a recording writes but the mark that it is done."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields
from datetime import datetime
from fractions import Fraction
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from stream.annotation.events import events_beside, read_events
from stream.annotation.measuring import MomentWriter
from stream.annotation.moments import Stretch
from stream.annotation.stretches import StretchFinder, StretchRules
from stream.command_line.options import Options
from stream.errors import SourceFormatError
from stream.jobs.opening import open_sink
from stream.jobs.options import AnnotateOptions, RegionOptions
from stream.jobs.recordings import Recording
from stream.protocols import Source
from stream.scenes import SceneReader
from stream.sources.options import PartOptions
from stream.tables.elan.links import Media
from stream.tables.elan.options import ElanOptions
from stream.tables.elan.package import ElanPackage
from stream.tables.hand_pictures import HandPictures
from stream.tables.maps import MapsFile
from stream.tables.moment_file import MomentFile
from stream.tables.parquet import attention_table, frames_table
from stream.tables.pose import PoseFile
from stream.tables.report import Report
from stream.tables.subtitles import write_srt, write_vtt

if TYPE_CHECKING:
    from stream.jobs.factories import LoadedModel
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["AnnotationOutputs", "parameters_of"]


class AnnotationOutputs:
    """The writers of one recording; a ``stream.jobs.account.Output``.

    Args:
        recording: Says where they write.
        options: Say what they write.
        source: Where the frames come from.
        model: What makes the maps.
        stack: Closes what is open; should it be left by an exception, nothing stays of it.

    Attributes:
        scene_readers: To be handed scenes, before their moments are asked for.
        writers: To be handed moments.
        sink: For the video with its overlay; None where none was asked for.
        stretches: What lasted; once ``finish`` was called.

    Raises:
        OutputError: Something cannot be written.
        OptionError: What was asked for cannot be had.
    """

    def __init__(
        self,
        recording: Recording,
        options: Options,
        source: Source,
        model: LoadedModel,
        stack: ExitStack,
    ) -> None:
        asked = options[AnnotateOptions]
        self._base = recording.folder / recording.stem
        self._video = recording.path
        self._paths: set[Path] = set()
        self._finder = StretchFinder()
        self._pose: PoseFile | None = None
        self._report: Report | None = None
        self._asked = asked
        self._warnings: list[str] = []
        self.scene_readers: list[SceneReader] = []
        self.sink: Mp4Sink | None = None
        self.stretches: Sequence[Stretch] = ()
        is_picture = options[RegionOptions].region == "frame"
        facts = {
            "recording": recording.path.name,  # its folder is nobody's business
            "model": model.name,
            "layer": f"{model.layer}",
            "precision": model.precision,
            "weights": model.weights_sha256 or "random",
        }
        if asked.video:
            part = options[PartOptions]
            self.sink = stack.enter_context(
                open_sink(
                    options,
                    self._path(".overlay.mp4"),
                    source,
                    audio_from=recording.path,
                    end_s=part.end_s,
                )
            )
        self._elan = stack.enter_context(
            ElanPackage(
                self._path(".eaf"),
                media=Media(
                    video=recording.path,
                    overlay=self._path(".overlay.mp4") if asked.video else None,
                    start_s=source.info.start_s,
                ),
                options=options[ElanOptions],
                parameters=parameters_of(self._finder.rules),
                picture=is_picture,
                date=datetime.now().astimezone(),
            )
        )
        endings = (".parquet", ".csv") if asked.csv else (".parquet",)
        files: list[MomentFile] = [
            frames_table([self._path(f".frames{ending}") for ending in endings], facts),
            attention_table([self._path(f".attention{ending}") for ending in endings], facts),
        ]
        if asked.maps:
            files.append(MapsFile(self._path(".maps.npz")))
        if asked.pose:
            self._pose = PoseFile(self._path(".pose"), source.info.size_wh, rate_hz=asked.pose_rate)
            files.append(self._pose)
        if asked.report:
            pictures = HandPictures()
            self._report = Report(
                self._path(".html"),
                title=recording.path.stem,
                video=PurePath(os.path.relpath(recording.path, recording.folder)),
                facts=facts,
                pictures=pictures,
            )
            self.scene_readers.append(pictures)
        self._files = [stack.enter_context(file) for file in files]
        if self._report is not None:
            stack.enter_context(self._report)
        reports = [self._report] if self._report is not None else []
        self.writers: list[MomentWriter] = [self._finder, *self._files, *reports, self._elan]

    @property
    def rules(self) -> StretchRules:
        """When something counted as a stretch."""
        return self._finder.rules

    @property
    def paths(self) -> set[Path]:
        """All that is written."""
        return self._paths | set(self._elan.paths)

    @property
    def written_path(self) -> Path:
        """The file that a person opens first."""
        return self._path(".eaf")

    @property
    def word_of_earlier(self) -> str:
        """Nothing: earlier files are replaced one by one."""
        return ""

    @property
    def warnings(self) -> list[str]:
        """What is not in the files as asked for, a line each."""
        of_pose = self._pose.warnings if self._pose is not None else ()
        of_sink = self.sink.warnings if self.sink is not None else ()
        return [*self._warnings, *of_pose, *of_sink]

    def finish(self) -> None:
        """Put every file in its place, once all moments were handed on.

        Raises:
            OutputError: One cannot be written.
        """
        self._finder.close()
        self.stretches = [*self._finder.stretches, *self._events_until(self._finder.end_s)]
        for file in self._files:
            file.close()
        if self._report is not None:
            self._report.stretches = self.stretches
            self._report.close()
        write_vtt(self._path(".vtt"), self.stretches)
        if self._asked.srt:
            write_srt(self._path(".srt"), self.stretches)
        if self.sink is not None:
            self.sink.close()
        self._warnings += self._elan.finish(self.stretches)

    def _events_until(self, end_s: Fraction | None) -> list[Stretch]:
        """Return what a live recording's own table tells, if one lies beside the video."""
        table = events_beside(self._video)
        if table is None or end_s is None:
            return []
        try:
            return read_events(table, end_s)
        except SourceFormatError as error:
            self._warnings.append(f"its marks and settings are left out: {error}")
            return []

    def _path(self, ending: str) -> Path:
        path = self._base.with_name(f"{self._base.name}{ending}")
        self._paths.add(path)
        return path


def parameters_of(rules: StretchRules) -> Mapping[str, str]:
    """Return the rules by which stretches were found, as they are stored."""
    return {each.name: f"{getattr(rules, each.name):g}" for each in fields(rules)}
