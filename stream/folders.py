"""Folders for results."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.errors import OutputError
from stream.locks import lock
from stream.whole_files import remove_unfinished

__all__ = ["claimed_folder", "make_folder"]


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


@contextmanager
def claimed_folder(path: Path) -> Iterator[None]:
    """Make a folder where it is missing, and keep it from other runs for the length of the block.

    What a killed run left half written in it is removed. Where the system or the disk knows no
    locks on folders, everyone may write.

    Raises:
        OutputError: It cannot be made, nothing can be written into it, or another run has it.
    """
    make_folder(path)
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not lock(descriptor):
            raise OutputError(
                f"{path} is being written by another run of Signlight; "
                "wait for it or choose another folder"
            )
        remove_unfinished(path)
        yield
    finally:
        os.close(descriptor)
