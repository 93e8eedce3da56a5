"""Sources that are read to their end."""

from __future__ import annotations

from pathlib import Path

from stream.frames import Frame
from stream.protocols import Source
from stream.sources.file import FileSource

__all__ = ["frames_of", "read_all"]


def read_all(source: Source) -> list[Frame]:
    """Return all frames that are left."""
    return list(iter(source.read, None))


def frames_of(path: Path) -> list[Frame]:
    """Return all frames of a file, which has to give no warning."""
    with FileSource(path) as source:
        frames = read_all(source)
        assert source.warnings == []
    return frames
