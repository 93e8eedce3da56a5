"""Folders for results."""

from __future__ import annotations

import tempfile
from pathlib import Path

from stream.errors import OutputError

__all__ = ["make_folder"]


def make_folder(path: Path) -> None:
    """Make a folder where it is missing, and see that files can be written into it.

    Raises:
        OutputError: It cannot be made, or nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OutputError(
            f"{path}: cannot hold results ({error.strerror}); choose another folder"
        ) from error
