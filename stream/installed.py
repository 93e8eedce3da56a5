"""Versions of what is installed."""

from __future__ import annotations

from importlib import metadata

__all__ = ["version_of"]


def version_of(distribution: str) -> str | None:
    """Return the version of a distribution; None where it is not installed as one."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
