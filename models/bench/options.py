"""What a person can ask of the measurement of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.registry import MODELS
from stream.command_line.option import argument, option
from stream.command_line.values import Integer, Name
from stream.sources.options import SourceOptions

__all__ = ["BenchOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions(SourceOptions):
    """What is measured, and how thoroughly."""

    source: str = argument("", "video with a hand in it", metavar="CLIP", unset="the sample clip")
    quick: bool = option(False, "under a minute: few models, part of the clip")
    json_path: Path | None = option(None, "write the figures too", flag="--json", metavar="FILE")
    models: tuple[str, ...] = option(
        (),
        "what to measure, and with the first to export",
        metavar="NAME",
        values=Name(MODELS),
        unset="a selection",
    )
    num_threads: int | None = option(
        None,
        "processor threads of a model",
        flag="--threads",
        metavar="N",
        values=Integer(1, 1024),
        unset="as export and live choose them",
    )
