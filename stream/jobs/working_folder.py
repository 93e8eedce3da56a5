"""Where the live view's recordings and snapshots go: the working folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stream.frames import RgbImage
from stream.naming import fresh_path
from stream.protocols import Sink

if TYPE_CHECKING:
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["WorkingFolder"]


class WorkingFolder:
    """Makes files under fresh names; a ``stream.live.LiveFiles``.

    Args:
        open_sink: Opens the file that the record key asks for.
    """

    def __init__(self, open_sink: Callable[[Path], Mp4Sink]) -> None:
        self._open_sink = open_sink
        self._sinks: list[Mp4Sink] = []
        self._paths: list[Path] = []

    @property
    def warnings(self) -> list[str]:
        """What is not in the recordings as it should be."""
        return [warning for sink in self._sinks for warning in sink.warnings]

    @property
    def recordings(self) -> list[Path]:
        """Files that were recorded; those that never got a frame do not exist."""
        return [path for path in dict.fromkeys(self._paths) if path.exists()]

    def open_recording(self) -> tuple[Sink, str]:
        """Return a sink for a new file, and the file's name."""
        path = fresh_path(".mp4", now=datetime.now())
        self._sinks.append(self._open_sink(path))
        self._paths.append(path)
        return self._sinks[-1], path.name

    def save_snapshot(self, canvas: RgbImage) -> str:
        """Write a PNG; return a notice."""
        from stream.sinks.png import write_png

        path = fresh_path(".png", now=datetime.now())
        write_png(path, canvas)
        return f"saved {path.name}"
