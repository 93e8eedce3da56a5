"""What all writers of moments are: files that are there whole at the end, or not at all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from stream.annotation.moments import Moment
from stream.closing import Closing
from stream.whole_files import WholeFile, told_of

__all__ = ["MomentFile"]


class MomentFile(Closing):
    """Writes moments as they come. Leaving its block by an exception leaves no trace of it.

    Args:
        paths: The files that it makes; what is there stays until the end.

    Raises:
        OutputError: One of them cannot be written.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files: list[WholeFile] = []
        self._is_open = True
        try:
            for path in paths:
                self._files.append(WholeFile(path))
        except BaseException:
            for file in self._files:
                file.discard()
            raise

    @property
    def paths(self) -> list[Path]:
        """The files that it makes."""
        return [file.path for file in self._files]

    @abstractmethod
    def write(self, moment: Moment) -> None:
        """Take the next moment.

        Raises:
            OutputError: It cannot be written.
        """

    @abstractmethod
    def _finish(self) -> None:
        """Write what waits."""

    def _release(self) -> None:
        """Let go of what holds the files; called after the end, too."""

    def close(self) -> None:
        """Write what waits, and put the files into their places; harmless when called again.

        Raises:
            OutputError: Not all could be written; then what was there before stays.
        """
        if not self._is_open:
            return
        try:
            with told_of(self._files[0].path):
                self._finish()
            self._is_open = False
            for file in self._files:
                file.keep()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Leave no trace of what is not closed."""
        self._is_open = False
        with suppress(OSError, ValueError):  # its last words do not matter
            self._release()
        for file in self._files:
            file.discard()

    def __exit__(self, *exc_info: object) -> None:
        if exc_info[1] is None:
            self.close()
        else:
            self.discard()
