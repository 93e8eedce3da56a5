"""Locks on open files, which end with the process that holds them."""

from __future__ import annotations

import sys

__all__ = ["lock"]


def lock(descriptor: int) -> bool:
    """Lock an open file until it is closed; return whether nobody else has.

    Where the system or the disk knows no locks, everyone may write.
    """
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
