"""What jobs are asked for: what they read, where it goes, what of it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stream.command_line.option import OptionGroup, UsageError, argument, option
from stream.sinks.options import VideoName
from stream.sources.options import SourceName, SourceOptions

__all__ = ["ExportOptions", "LiveOptions", "RegionOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOptions(OptionGroup):
    """What of a frame the model is shown."""

    title = "model"

    region: Literal["hands", "frame"] = option("hands", "crops around hands, or the whole picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions(SourceOptions):
    """What is seen, and what becomes of the view."""

    source: str = argument(
        "0",
        "camera number, file, folder of images or URL",
        metavar="SOURCE",
        values=SourceName(),
    )
    output: Path | None = option(
        None, "record the view as MP4", flag="--save", metavar="PATH", values=VideoName()
    )
    window: bool = option(True, "run without a display", flag="--no-window")

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if not self.window and self.output is None:
            raise UsageError("--no-window shows nothing: add --save FILE.mp4 to keep what is drawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions(SourceOptions):
    """What is exported, and where to."""

    source: str = argument(
        "",
        "file, folder of images or URL",
        metavar="INPUT",
        values=SourceName(),
        is_required=True,
    )
    output: Path | None = argument(
        None,
        "MP4 to write",
        metavar="OUTPUT",
        values=VideoName(),
        unset="INPUT.overlay.mp4",
    )
