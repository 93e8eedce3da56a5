"""What FFmpeg says while it works."""

from __future__ import annotations

import av

__all__ = ["ignore_messages"]


def ignore_messages() -> None:
    """Have PyAV hand on none of FFmpeg's messages, which is its default.

    A decoder's thread that has something to say waits for Python's lock, and who closes that
    decoder waits for the thread with the lock in hand: neither would go on.
    """
    av.logging.set_level(None)
