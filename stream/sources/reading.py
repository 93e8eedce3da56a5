"""Reading a source to its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from stream.frames import Frame
from stream.protocols import Source

__all__ = ["frames_of"]


def frames_of(source: Source, stop: threading.Event) -> Iterator[Frame]:
    """Yield the frames of ``source`` until its end, or until ``stop`` is set."""
    while not stop.is_set() and (frame := source.read()) is not None:
        yield frame
        del frame  # the next one may be long in coming
