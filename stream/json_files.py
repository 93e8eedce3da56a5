"""JSON files that Signlight writes: whole or not at all, and over nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream.errors import OutputError
from stream.whole_files import told_of, written_whole

__all__ = ["is_free", "read_object", "write_json"]


def is_free(path: Path, is_ours: Callable[[dict[str, Any]], bool]) -> bool:
    """Return whether ``path`` may be written: nothing is there, or an object that is ours.

    Raises:
        OutputError: No file can have that name.
    """
    try:
        if not path.exists():
            return True
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose another name") from error
    content = read_object(path)
    return content is not None and is_ours(content)


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is none, or no file, or something else."""
    if not path.is_file():  # a pipe would have to be waited for
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as JSON, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    with told_of(path), written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
