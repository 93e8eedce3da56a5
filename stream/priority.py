"""Which thread goes first when there are more of them than cores, and how many there are."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

__all__ = ["num_threads_beside_picture", "run_after_others"]

NICENESS = 10
"""Enough for the scheduler to give others a core whenever they want one, and far from starving."""


def run_after_others() -> None:
    """Let the calling thread have only what the others leave; a hint, which may change nothing.

    On Linux niceness belongs to the thread (sched(7)); elsewhere to the process, which is left
    alone. Threads that the calling one starts from here on inherit it.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def num_threads_beside_picture() -> int:
    """Return how many threads a model may use while a picture moves: one core stays free.

    Left alone, a model takes every core, and the picture waits for each of its matrix products.
    """
    return max(1, (os.cpu_count() or 1) - 1)
