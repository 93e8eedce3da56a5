"""Which files beside a video are Signlight's still, and which have become a person's."""

from __future__ import annotations

from pathlib import Path

from stream.errors import OutputError
from stream.whole_files import told_of

__all__ = ["MARK", "is_replaceable", "refuse_changed"]

MARK = " written by Signlight, and by nobody since "
"""A comment in each file. ELAN leaves comments out when it saves."""


def is_replaceable(path: Path) -> bool:
    """Return whether nothing is lost where ``path`` is written: no file, or as we wrote it.

    Raises:
        OutputError: It cannot be read.
    """
    with told_of(path):
        return not path.exists() or (path.is_file() and MARK.encode() in path.read_bytes())


def refuse_changed(path: Path) -> None:
    """Make sure that writing ``path`` loses nobody's work.

    Raises:
        OutputError: Somebody else wrote or changed it.
    """
    if not is_replaceable(path):
        raise OutputError(
            f"{path} was saved by another program and stays as it is; move it elsewhere, "
            "or have the new tiers added to a copy of it with --into"
        )
