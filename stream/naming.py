"""What written files are called, and what they must not be."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from stream.errors import OutputError

__all__ = ["default_output", "fresh_path", "refuse_input"]


def default_output(source: str) -> Path:
    """Return INPUT.overlay.mp4 beside a file or folder; in the working folder for a URL."""
    if "://" in source:
        name = PurePosixPath(urlsplit(source).path).stem or "stream"
        return Path(f"{name}.overlay.mp4")
    path = Path(source)
    if path.name in ("", ".."):  # ".", ".." and "/" have no name to build on
        path = path.resolve()
    stem = path.name if path.is_dir() else path.stem
    return path.parent / f"{stem or 'pictures'}.overlay.mp4"


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
    if output.exists() and Path(source).exists() and output.samefile(source):
        raise OutputError(f"{output} is the input; choose another name for the output")
