"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stream.errors import FullDiskError, OutputError

__all__ = ["WholeFile", "remove_unfinished", "told_of", "written_whole"]

_PREFIX, _SUFFIX = ".signlight-", ".part"

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield where to write a file that takes the place of ``path`` once the block is left.

    It is beside ``path``, under a hidden name that no other process and no other thread uses. What
    is at ``path`` meanwhile stays as it was; where the block raises, it stays for good and what was
    written is removed. A link stays a link, to a new file. What was there goes only when the new
    one is on the disk: after a power cut one of the two is there.

    Raises:
        OSError: The new file could not take its place.
    """
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f"{_PREFIX}{secrets.token_hex(6)}{_SUFFIX}")
    try:
        yield unfinished
        if target.exists():
            _flush_to_disk(unfinished)
        unfinished.replace(target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left half written in a folder that no other one writes to."""
    for left in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):
            left.unlink()


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Tell of what goes wrong with a file in one line, with the way out.

    Raises:
        FullDiskError: The block raised an OSError, for want of room.
        OutputError: It raised another.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = f"{path}: cannot write it: {error.strerror or error}"
        if error.errno in _FULL:
            raise FullDiskError(f"{reason}; free some space") from error
        raise OutputError(f"{reason}; choose another folder") from error


class WholeFile:
    """A file that is written bit by bit, and then kept whole or not at all.

    Args:
        path: Where it will be; what is there stays until then.

    Raises:
        OutputError: Nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ending = ExitStack()
        with told_of(path):
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
            unfinished = self._ending.enter_context(written_whole(path))
            self.file: BinaryIO = unfinished.open("w+b")
            """What to write to."""

    def keep(self) -> None:
        """Put what was written into its place; harmless when called again.

        Raises:
            OutputError: Not all could be written: nothing is kept.
        """
        try:
            with told_of(self.path):
                self.file.close()
                self._ending.close()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was written; harmless when called again, and once it is kept."""
        with suppress(OSError):  # of bytes that still waited
            self.file.close()
        with suppress(_DiscardedError):
            self._ending.__exit__(_DiscardedError, _DiscardedError(), None)


class _DiscardedError(Exception):
    """What was written is not wanted."""
