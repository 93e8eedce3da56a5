"""What written files are called, and what they must not be."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from stream.errors import OutputError

__all__ = [
    "CLEAN",
    "EVENTS",
    "OVERLAY",
    "default_output",
    "doubts_about_source",
    "fresh_path",
    "last_name",
    "refuse_input",
    "without_folders",
]

_WAY_THERE = re.compile(r"\S*[/\\](?=[^\s/\\])")

OVERLAY = ".overlay"
"""Stem's ending of a video that Signlight drew on."""
CLEAN = ".clean"
"""The same of a live recording's other take: the frames as they came."""
EVENTS = ".events.csv"
"""Ending, after the takes' common stem, of the table of what was set and marked meanwhile."""


def last_name(source: str) -> str:
    """Return the name of a file, a folder or what a URL leads to, without the way there."""
    if "://" in source:
        return PurePosixPath(urlsplit(source).path).name
    path = Path(source)
    if path.name in ("", ".."):  # ".", ".." and "/" have no name to build on
        path = path.resolve()
    return path.name


def without_folders(words: str) -> str:
    """Return words in which paths and addresses are cut to their last names, for who looks in.

    Names of folders, hosts and users are nobody's business but the terminal's.
    """
    return _WAY_THERE.sub("", words)


def default_output(source: str, *, with_suffix: bool = False) -> Path:
    """Return INPUT.overlay.mp4 beside a file or folder; in the working folder for a URL.

    Args:
        source: File, folder or URL.
        with_suffix: Keep the suffix of a file too, or say that it is a folder: for a name that
            differs from that of other inputs.
    """
    name = last_name(source)
    if "://" in source:
        folder, spare = Path(), "stream"
    else:
        path = Path(source)
        folder = path.resolve().parent if path.name in ("", "..") else path.parent
        spare = "pictures"
    if "://" not in source and Path(source).is_dir():
        stem = f"{name}.folder" if with_suffix else name
    else:
        stem = name if with_suffix else Path(name).stem
    return folder / f"{stem or spare}{OVERLAY}.mp4"


def doubts_about_source(source: str) -> list[str]:
    """Return what a person may have meant or expected of a source otherwise, a line each."""
    lines, path = [], Path(source)
    if path.name.isdecimal() and path.parent == Path() and source != path.name:
        lines.append(f"{path.name} was taken for the file or folder of that name, not for a camera")
    if "://" not in source and path.exists() and not (path.is_file() or path.is_dir()):
        lines.append(f"{source} can be read once only: its sound, if it has any, is left out")
    return lines


def fresh_path(suffix: str, *, now: datetime) -> Path:
    """Return a name in the working folder that is not taken: the date, the time, a number."""
    stem = f"signlight-{now:%Y%m%d-%H%M%S}"
    path, number = Path(f"{stem}{suffix}"), 1
    while path.exists():
        number += 1
        path = Path(f"{stem}-{number}{suffix}")
    return path


def refuse_input(output: Path, source: str) -> None:
    """Make sure that writing ``output`` does not destroy ``source``.

    Raises:
        OutputError: They are the same file.
    """
    try:
        is_same = output.exists() and Path(source).exists() and output.samefile(source)
    except OSError:  # what cannot be looked at is refused elsewhere, with the reason
        return
    if is_same:
        raise OutputError(f"{output} is the input; choose another name for the output")
