"""JSON files that Signlight writes: whole or not at all, and over nobody else's."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from stream.errors import OutputError
from stream.whole_files import written_whole

__all__ = ["is_free", "write_json"]


def is_free(path: Path, keys: AbstractSet[str]) -> bool:
    """Return whether ``path`` may be written: nothing is there, or an object with all of ``keys``.

    The keys are those by which a file of the same kind is known.
    """
    if not path.exists():
        return True
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # whatever it is, it is not ours
        return False
    return isinstance(content, dict) and keys <= content.keys()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as JSON, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        with written_whole(path) as unfinished:
            unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot write it: {error.strerror}; choose another folder"
        ) from error
