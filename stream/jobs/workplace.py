"""Files that belong together: made out of sight, then put in their places, the telling one last."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from stream.closing import Closing
from stream.errors import OutputError
from stream.locks import lock

__all__ = ["Workplace"]

PREFIX, SUFFIX = ".signlight-", ".part"
LOCK_NAME = ".lock"


class Workplace(Closing):
    """A hidden folder in which files are made that will lie beside it.

    What a killed run left is cleared away; what another one is at work in stays.

    Args:
        folder: Where the files will lie; it is made, too.

    Attributes:
        folder: Where the files will lie.
        path: Where they are made.

    Raises:
        OutputError: Nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / f"{PREFIX}{secrets.token_hex(6)}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob(f"{PREFIX}*{SUFFIX}"):
                _clear(left)
            self.path.mkdir()
            self._lock = os.open(self.path / LOCK_NAME, os.O_CREAT | os.O_RDWR)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot hold results ({error.strerror}); choose another folder"
            ) from error
        lock(self._lock)

    def publish(self, *, last: str) -> None:
        """Put every file in its place, over earlier ones of its name; the one called ``last`` last.

        Raises:
            OutputError: One could not be put there; ``last`` is not there then.
        """
        names = sorted(path.name for path in self.path.iterdir() if path.name != LOCK_NAME)
        try:
            (self.folder / last).unlink(missing_ok=True)
            for name in sorted(names, key=lambda name: name == last):
                target = self.folder / name
                if target.is_dir() and not target.is_symlink():
                    shutil.rmtree(target)
                (self.path / name).replace(target)
        except OSError as error:
            raise OutputError(f"{self.folder}: {error.strerror}; choose another folder") from error

    def close(self) -> None:
        """Clear away what was not published."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
            shutil.rmtree(self.path, ignore_errors=True)


def _clear(left: Path) -> None:
    """Remove what a killed run left, unless a run is still at work in it."""
    with suppress(OSError):
        descriptor = os.open(left / LOCK_NAME, os.O_RDWR)
        try:
            is_free = lock(descriptor)
        finally:
            os.close(descriptor)
        if is_free:
            shutil.rmtree(left, ignore_errors=True)
