"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["remove_unfinished", "written_whole"]

_PREFIX, _SUFFIX = ".signlight-", ".part"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield where to write a file that takes the place of ``path`` once the block is left.

    It is beside ``path``, under a hidden name that no other process and no other thread uses. What
    is at ``path`` meanwhile stays as it was; where the block raises, it stays for good and what was
    written is removed. A link stays a link, to a new file.

    Raises:
        OSError: The new file could not take its place.
    """
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f"{_PREFIX}{secrets.token_hex(6)}{_SUFFIX}")
    try:
        yield unfinished
        unfinished.replace(target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left half written in a folder that no other one writes to."""
    for left in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):
            left.unlink()
