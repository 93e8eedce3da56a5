"""Which thread goes first when there are more of them than cores, and how many there are."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

__all__ = [
    "SLEEPING",
    "let_waiting_threads_sleep",
    "num_cores",
    "num_threads_beside_picture",
    "run_after_others",
]

SLEEPING = "PASSIVE"
"""What ``OMP_WAIT_POLICY`` says where waiting threads are to sleep."""
NICENESS = 10
"""Enough for the scheduler to give others a core whenever they want one, and far from starving."""


def run_after_others() -> None:
    """Let the calling thread have only what the others leave; a hint, which may change nothing.

    On Linux niceness belongs to the thread (sched(7)); elsewhere to the process, which is left
    alone. Threads that the calling one starts from here on inherit it.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            current = os.getpriority(os.PRIO_PROCESS, thread)  # the program's own may be higher
            os.setpriority(os.PRIO_PROCESS, thread, max(current, NICENESS))


def let_waiting_threads_sleep() -> None:
    """Keep the threads of OpenMP, with which torch computes, from waiting for each other busily.

    Call it before torch is loaded; what the environment says already stays. By default a thread
    that is done with its part spins until the others are, and where they have no core, because
    another stage of the program uses it, takes the core that they wait for: a map of ViT-S/16 took
    2060 ms on two busy cores, and 260 ms where who waits sleeps. OpenVINO's threads sleep anyway.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", SLEEPING)


def num_cores() -> int:
    """Return how many cores this process may use, of all that the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def num_threads_beside_picture() -> int:
    """Return how many threads a model may use while a picture moves: one core stays free.

    Left alone, a model takes every core, and the picture waits for each of its matrix products.
    """
    return max(1, num_cores() - 1)
