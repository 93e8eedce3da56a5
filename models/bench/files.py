"""Whether a file can take the figures of a benchmark."""

from __future__ import annotations

import os
from pathlib import Path

from stream.errors import OutputError
from stream.json_files import is_free

__all__ = ["check_figures"]


def check_figures(path: Path) -> None:
    """Make sure, before minutes of measuring, that figures can be written to ``path``.

    Raises:
        OutputError: Its folder is missing or may not be written, or something else stands there.
    """
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written: check its folder and your permissions")
    if not is_free(path, lambda content: {"machine", "matrix", "maps"} <= content.keys()):
        raise OutputError(f"{path} is there already and holds no figures; choose another name")
