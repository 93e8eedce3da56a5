"""How a file of ELAN's leads to a video or to curves."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from stream.errors import OutputError

__all__ = ["Media", "link_to", "media_type"]

_NO_XML = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Of these some cannot stand in XML, and ELAN finds no file by the others."""
_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is watched beside the tiers."""

    video: Path | None
    """The recording; None where it is no file, but a folder of pictures or a stream."""
    overlay: Path | None = None
    """The MP4 with its overlay, in sync with it."""
    start_s: Fraction = Fraction(0)
    """Where the recording's container starts: times in tiers and curves count from there."""


def link_to(target: Path, folder: Path) -> str:
    """Return the way from a folder to a file as ELAN follows it: relative, spaces as they are.

    It goes on leading there when both are moved together. ELAN would take what stands before a
    colon for the name of a protocol, and a backslash for a slash.

    Raises:
        OutputError: ELAN could not follow it.
    """
    there = Path(os.path.realpath(target.parent)) / target.name
    try:
        way = Path(os.path.relpath(there, os.path.realpath(folder))).as_posix()
    except ValueError as error:  # on another drive
        raise OutputError(
            f"{folder} is on another drive than {target}: ELAN could not be led there; "
            "write to the same drive"
        ) from error
    if bad := {":", "\\"} & set(way) or set(_NO_XML.findall(way)):
        raise OutputError(
            f"{target}: ELAN follows no path with {min(bad)!r} in it; rename the file or folder"
        )
    return way if way.startswith("../") else f"./{way}"


def media_type(path: Path) -> str:
    """Return the type of a video in ELAN's words."""
    return _TYPES.get(path.suffix.lower(), "video/*")
