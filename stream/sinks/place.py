"""Where a recording may be written, and what it may replace."""

from __future__ import annotations

import os
from pathlib import Path

import av
from av.error import FFmpegError

from stream.errors import OutputError

__all__ = ["MADE_WITH", "check_place"]

MADE_WITH = "made with Signlight"
"""The comment in a recording by which it is known as ours."""
_MARK = "Signlight"


def check_place(path: Path, *, audio_from: Path | None = None) -> None:
    """Raise unless a recording may be written to ``path``.

    A recording replaces an empty file and one of Signlight's, whole or cut short, and nothing else:
    a name that was mistaken must not cost anyone a recording.

    Args:
        path: File to write.
        audio_from: Recording that is read meanwhile.

    Raises:
        OutputError: It may not; the message says why, and what to do.
    """
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"there is no folder {folder} to write {path.name} to; create it first")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputError(f"{path} may not be written; write elsewhere")
    if (
        audio_from is not None
        and path.exists()
        and audio_from.exists()
        and path.samefile(audio_from)
    ):
        raise OutputError(f"{path} is the input itself; give another name for the output")
    if path.is_file() and path.stat().st_size:
        _check_replaceable(path)


def _check_replaceable(path: Path) -> None:
    way_out = "delete it or give another name for the output"
    try:
        with av.open(f"file:{path}", format="mp4") as container:
            comment = container.metadata.get("comment", "")
    except (FFmpegError, OSError):
        raise OutputError(f"{path} is there already and is no MP4; {way_out}") from None
    if _MARK not in comment:
        raise OutputError(
            f"{path} is there already, a recording that Signlight did not make; {way_out}"
        )
