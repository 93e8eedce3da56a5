"""A source that may be closed while another thread reads it."""

from __future__ import annotations

import threading
from abc import abstractmethod

from stream.closing import Closing
from stream.frames import Frame, SourceInfo

__all__ = ["ClosableSource"]


class ClosableSource(Closing):
    """Keeps reading and closing apart: neither FFmpeg nor OpenCV bears a close during a read.

    ``close`` never waits. While another thread reads, that thread releases the source as soon as
    its read returns; the read's result is lost, and it and every later one return None.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._is_closed = False

    @property
    @abstractmethod
    def info(self) -> SourceInfo:
        """What the source declares about itself."""

    @property
    @abstractmethod
    def warnings(self) -> list[str]:
        """What was wrong so far and could be lived with, a line each."""

    @abstractmethod
    def _read_next(self) -> Frame | None:
        """Return the next frame, or None at the end."""

    @abstractmethod
    def _release(self) -> None:
        """Give back what the source holds; called once or more, never during a read."""

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end and after ``close``.

        Raises:
            SourceError: The source broke; frames read before stay good.
        """
        try:
            with self._turn:
                frame = None if self._is_closed else self._read_next()
        finally:
            if self._is_closed:
                self._release_unless_reading()
        return None if self._is_closed else frame

    def close(self) -> None:
        """Release the source, from any thread; harmless when called again."""
        self._is_closed = True
        self._release_unless_reading()

    def _release_unless_reading(self) -> None:
        if self._turn.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._turn.release()
