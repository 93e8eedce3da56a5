"""What a person can ask of written videos; read before any library that encodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stream.command_line.option import OptionGroup, UsageError, option
from stream.command_line.values import Choice, Integer

__all__ = ["PRESETS", "EncoderOptions", "VideoName"]

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
"""Speeds of the H.264 encoder, fastest first."""
_SUFFIXES = (".mp4", ".m4v")
"""What a written video may be called; the JSON beside it takes the rest of the name."""


class VideoName:
    """Name of a video to write; a ``stream.command_line.values.Values``."""

    def read(self, text: str) -> Path:
        """Return the path.

        Raises:
            UsageError: It is not called like an MP4.
        """
        if fault := self.fault_of(Path(text)):
            raise UsageError(f"{Path(text)}: the name {fault}")
        return Path(text)

    def fault_of(self, value: object) -> str | None:
        """Return what its name must be like, where it is not."""
        is_video = isinstance(value, Path) and value.suffix.lower() in _SUFFIXES
        return None if is_video else f"must end in {' or '.join(_SUFFIXES)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderOptions(OptionGroup):
    """How video is encoded."""

    title = "encoding"

    crf: int = option(
        20, "quality: 0 lossless, 18 fine, 28 small", metavar="N", values=Integer(0, 51)
    )
    preset: str = option("veryfast", "speed: slower makes smaller files", values=Choice(PRESETS))
    encoder: str = option(
        "libx264",
        "H.264 encoder: libx264, or h264_nvenc, h264_qsv, h264_videotoolbox where the hardware is",
        metavar="NAME",
    )
