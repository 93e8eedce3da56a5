"""What a person can ask of a source; read before any library that decodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stream.command_line.option import OptionGroup, UsageError, argument, option
from stream.command_line.values import Integer, Time

__all__ = ["MAX_PIXELS", "PartOptions", "PictureOptions", "SourceName", "SourceOptions"]

MAX_PIXELS = 8192 * 4320
"""Those of the largest 8K, 106 MB as RGB: an export of such takes some 2 GB."""


_STANDARD_INPUT = "/dev/stdin"
"""What "-" stands for, as in other programs; Windows has no file of that kind."""


class SourceName:
    """What names a source; a ``stream.command_line.values.Values``."""

    def read(self, text: str) -> str:
        """Return a file or folder so that nothing takes it for a camera or a URL; others as given.

        Raises:
            UsageError: It names nothing.
        """
        if not text:
            raise UsageError("the input has an empty name")  # of a shell's variable that is not set
        try:
            parts = urlsplit(text)
        except ValueError as error:  # of the host in an address
            raise UsageError(f"{text} is no address: {error}") from error
        if parts.scheme.lower() == "file":
            return unquote(parts.path)
        if text == "-":
            return _STANDARD_INPUT
        return f"./{text}" if text.isdecimal() and Path(text).exists() else text

    def fault_of(self, value: object) -> str | None:
        """Admit everything: what is no source is found when it is opened."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions(OptionGroup):
    """What is read; each command says for itself what it takes."""

    source: str = argument("", "file, folder of images or URL", values=SourceName())


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions(OptionGroup):
    """What the pictures of a source are like, and how they are to be decoded."""

    title = "input"

    max_pixels: int = option(
        MAX_PIXELS,
        "pixels of the largest pictures to decode (8K has 33177600): a few bytes may declare more "
        "than there is memory",
        metavar="N",
        values=Integer(1, 2**31 - 1),
    )
    playlists: bool = option(
        False, "open the files and addresses that a playlist (m3u8) names; else it is refused"
    )
    deinterlace: bool = option(
        False,
        "make whole pictures of a file's or stream's interlaced ones, which show combs where "
        "something moves",
    )

    input_mirrored: bool = option(
        False, "the input is a selfie view already: swap what is called left and right"
    )

    def fault_of(self, size_wh: tuple[int, int]) -> str | None:
        """Return what is wrong with pictures of this size; None where nothing is."""
        width, height = size_wh
        if width * height <= self.max_pixels:
            return None
        return (
            f"{width} x {height} pixels are more than {self.max_pixels}; "
            f"give --max-pixels {width * height} if you trust it and have the memory"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOptions(OptionGroup):
    """Which part of a file is read."""

    title = "part of a file"

    start_s: float | None = option(
        None,
        "begin at S (seconds or h:mm:ss)",
        flag="--start",
        metavar="S",
        values=Time(),
        unset="the beginning",
    )
    end_s: float | None = option(
        None,
        "end at S (seconds or h:mm:ss)",
        flag="--end",
        metavar="S",
        values=Time(),
        unset="the end",
    )
    max_frames: int | None = option(
        None, "read at most N frames", metavar="N", values=Integer(1, None), unset="all"
    )

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        start_s = self.start_s or 0.0
        if self.end_s is not None and self.end_s <= start_s:
            raise UsageError(f"--end {self.end_s:g} must be after --start {start_s:g}")
