"""Where figures are written."""

from __future__ import annotations

import json
import os
from pathlib import Path

from stream.errors import OutputError

__all__ = ["check_figures"]


def check_figures(path: Path) -> None:
    """Make sure, before minutes of measuring, that figures can be written to ``path``.

    Raises:
        OutputError: Its folder is missing or may not be written, or something else stands there.
    """
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written: check its folder and your permissions")
    if not path.exists():
        return
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None
    if not (isinstance(content, dict) and {"machine", "matrix", "maps"} <= content.keys()):
        raise OutputError(f"{path} is there already and holds no figures; choose another name")
