"""Keeping a native library's routine lines off the terminal without losing anything else."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

__all__ = ["muted_chatter"]

_CHATTER: Final = re.compile(
    rb"[IW]\d{4} \d\d:|INFO: Created TensorFlow|WARNING: (All log|Logging before|Read-only tensor)"
)
"""How the lines begin that MediaPipe's C++ side always prints and nobody can act on."""
_LOCK = threading.Lock()


@contextmanager
def muted_chatter() -> Iterator[None]:
    """Keep MediaPipe's and TFLite's informational lines off stderr inside the block.

    No flag or variable silences them: C++ threads write them to file descriptor 2. What else is
    written there meanwhile, by whichever thread, appears when the block ends; where nobody reads
    stderr any more it is lost, and that is no error.
    """
    with _LOCK, tempfile.TemporaryFile() as caught:
        try:
            stderr = os.dup(2)
        except OSError:  # there is no stderr, as under pythonw
            yield
            return
        _flush()
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(stderr, 2)
            caught.seek(0)
            with suppress(OSError), os.fdopen(stderr, "wb") as terminal:
                terminal.writelines(line for line in caught if not _CHATTER.match(line))


def _flush() -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # its reader has gone, or it was closed
            sys.stderr.flush()
