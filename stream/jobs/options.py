"""What jobs are asked for: what they read, where it goes, what of it is looked at."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from stream.command_line.option import OptionGroup, UsageError, argument, option
from stream.command_line.values import Integer, Number
from stream.jobs.recordings import Shard
from stream.sinks.options import VideoName
from stream.sources.options import SourceName, SourceOptions

__all__ = [
    "AnnotateOptions",
    "ExportOptions",
    "FigureName",
    "FigureOptions",
    "LiveOptions",
    "RegionOptions",
    "ServeOptions",
    "ViewOptions",
]


class Rate:
    """Frames a second, as 25 or 30000/1001; a ``stream.command_line.values.Values``."""

    def read(self, text: str) -> Fraction:
        """Return the rate."""
        try:
            rate = Fraction(text)
        except (ValueError, ZeroDivisionError):
            rate = Fraction(0)
        if fault := self.fault_of(rate):
            raise ArgumentTypeError(f"{text} {fault}")
        return rate

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        is_good = isinstance(value, Fraction) and 0 < value <= 1000
        return None if is_good else "must be frames a second, up to 1000: 25, 29.97 or 30000/1001"


class ShardName:
    """A part of the recordings, as 3/8; a ``stream.command_line.values.Values``."""

    def read(self, text: str) -> Shard:
        """Return the part."""
        try:
            return Shard.parse(text)
        except ValueError as error:
            raise ArgumentTypeError(f"{text}: {error}") from error

    def fault_of(self, value: object) -> str | None:
        """Admit every part there can be."""
        return None


class FigureName:
    """A file to draw into, in one of three formats; a ``stream.command_line.values.Values``."""

    def read(self, text: str) -> Path:
        """Return the path."""
        if fault := self.fault_of(Path(text)):
            raise ArgumentTypeError(f"{text} {fault}")
        return Path(text)

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        is_good = isinstance(value, Path) and value.suffix.lower() in (".png", ".pdf", ".svg")
        return None if is_good else "must end in .png, .pdf or .svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOptions(OptionGroup):
    """What of a frame the model is shown."""

    title = "model"

    region: Literal["hands", "frame"] = option("hands", "crops around hands, or the whole picture")


_ANY_SOURCE = "camera number or part of its name, file, folder of images or URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions(SourceOptions):
    """What becomes of a live view, wherever it is seen."""

    output: Path | None = option(
        None, "record the view as MP4", flag="--save", metavar="PATH", values=VideoName()
    )
    reconnect: bool = option(
        True, "end when a camera or stream is lost; else it is opened again", flag="--no-reconnect"
    )
    pre_roll: float = option(
        0.0,
        "seconds from before the key that a recording begins with, kept encoded all the time",
        metavar="S",
        values=Number(0, 600),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions(ViewOptions):
    """What is seen in the window."""

    source: str = argument("0", _ANY_SOURCE, metavar="SOURCE", values=SourceName())
    window: bool = option(True, "run without a display", flag="--no-window")
    loop: bool = option(False, "play a recording again and again")
    quit_at_end: bool = option(
        False, "close the window when a recording has ended; else its last picture stays"
    )

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if not self.window and self.output is None:
            raise UsageError("--no-window shows nothing: add --save FILE.mp4 to keep what is drawn")
        if not self.window and self.pre_roll:
            raise UsageError("--pre-roll is for the record key, which --no-window does not hear")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions(ViewOptions):
    """What is served as a page."""

    source: str = argument(
        "", _ANY_SOURCE, metavar="SOURCE", values=SourceName(), unset="the sample clip"
    )
    own_camera: bool = option(
        False, "each browser shows its own camera, or a video that is dropped on it, to itself"
    )

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if self.own_camera and self.source:
            raise UsageError(f"--own-camera is in place of a source: leave out {self.source}")
        if self.own_camera and self.output is not None:
            raise UsageError("--save keeps one view; with --own-camera each browser has its own")
        if self.own_camera and self.pre_roll:
            raise UsageError("--pre-roll is for recordings here; with --own-camera there are none")
        if self.own_camera and not self.reconnect:
            raise UsageError("--no-reconnect is of a source here; with --own-camera there is none")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateOptions(SourceOptions):
    """What is annotated, in which forms, and by how many at once."""

    inputs: tuple[str, ...] = argument(
        (), 'videos, folders to search, patterns; or "merge DIR"', metavar="INPUT"
    )
    source: str = ""
    folder: Path | None = option(
        None,
        "folder for all results, in the tree of the folders searched",
        flag="-o",
        metavar="DIR",
        unset="beside each video",
    )
    video: bool = option(False, "the MP4 with its overlay too, in sync beside the video")
    csv: bool = option(False, "the tables as CSV too")
    maps: bool = option(False, "the maps themselves too, as NAME.maps.npz")
    report: bool = option(False, "a page with curves and holds too, as NAME.html")
    pose: bool = option(False, "landmarks as .pose too")
    pose_rate: Fraction | None = option(
        None,
        "frames a second of the .pose",
        metavar="HZ",
        values=Rate(),
        unset="those of the video",
    )
    srt: bool = option(False, "subtitles as .srt too, beside .vtt")
    workers: int = option(
        1, "videos at work at once, a model each", metavar="N", values=Integer(1, 256)
    )
    shard: Shard | None = option(
        None, "the I-th of N parts, for N machines", metavar="I/N", values=ShardName(), unset="all"
    )
    retry_failed: bool = option(False, "try again what failed before")
    ray: str | None = option(
        None,
        "work on the Ray cluster at ADDRESS, or on this machine's",
        metavar="ADDRESS",
        bare="auto",
    )
    ray_gpus: float = option(
        0.0,
        "GPUs of each worker on the cluster; 0.25 shares one by four",
        metavar="N",
        values=Number(0, 64),
    )
    columns: bool = option(False, "print what the columns of the tables mean, and end")

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if not (self.inputs or self.columns):
            raise UsageError("which videos? signlight annotate INPUT...")
        if self.ray is not None and Path(self.ray).exists():
            raise UsageError(
                f"--ray {self.ray}: that is a file or folder, no address; write --ray last"
            )
        if self.pose_rate is not None and not self.pose:
            raise UsageError("--pose-rate is of --pose: give that too")


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureOptions(OptionGroup):
    """Which signs a figure shows, and what is made of them beside it."""

    inputs: tuple[str, ...] = argument(
        (),
        "pictures, folders of them, moments of videos (clip.mp4@1.5)",
        metavar="PICTURE",
        unset="five rendered Irish Sign Language signs",
    )
    output: Path = option(
        Path("figure.png"),
        "figure to write; its numbers go beside it as .csv and .json, its caption as .txt",
        flag="-o",
        metavar="FILE",
        values=FigureName(),
    )
    each: bool = option(False, "a file for each model in place of one for all")
    regions: Literal["hands", "frame", "both"] = option(
        "hands",
        "crops around hands (micro), whole pictures (macro), or one beside the other",
        flag="--region",
    )
    matrix: bool = option(False, "how heads differ, two by two, as a picture too: NAME.matrix.png")
    stable: bool = option(
        False, "group heads by what they look at, and name them by what they keep to"
    )
    baseline: bool = option(
        True, "no comparison with random weights, which takes as long again", flag="--no-baseline"
    )
