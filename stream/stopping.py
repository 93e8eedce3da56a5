"""Ending a loop in peace when a signal comes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Stop", "stop_on_signals"]


class Stop:
    """What the first signal sets; the second does not wait for it to be heeded.

    Attributes:
        event: Set once the loop should end.
        signum: The signal that came; None where none did.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signum: int | None = None

    @property
    def exit_code(self) -> int:
        """0, or as shells count 128 and the signal that came: 130 for Ctrl-C."""
        return 0 if self.signum is None else 128 + self.signum

    def __call__(self, signum: int, _frame: object) -> None:
        """Handle a signal.

        Raises:
            KeyboardInterrupt: It is the second: whoever sends it wants out now.
        """
        if self.signum is not None:
            raise KeyboardInterrupt
        self.signum = signum
        self.event.set()


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turn Ctrl-C, termination and a closed terminal into an event, while the block lasts.

    Only the main thread may use it.
    """
    stop = Stop()
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
