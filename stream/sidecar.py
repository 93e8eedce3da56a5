"""The JSON file beside an exported video that says how it was made."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from stream.errors import OutputError

__all__ = ["versions", "write_sidecar"]

RECORDED = ("signlight", "av", "mediapipe", "numpy", "opencv-python", "torch", "torchvision")
"""Distributions whose versions change what an export looks like."""


def versions() -> dict[str, str]:
    """Return the versions of Python and of the distributions that make the picture."""
    return {"python": platform.python_version()} | {name: _version(name) for name in RECORDED}


def write_sidecar(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as JSON, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise OutputError(
            f"{path}: cannot write it: {error.strerror}; choose another folder"
        ) from error


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed as a distribution"
