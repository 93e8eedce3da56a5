"""What a signal does: end a loop in peace, or interrupt what has none."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

__all__ = ["Interrupted", "Stop", "interrupted_by_signals", "stop_on_signals"]


class Interrupted(KeyboardInterrupt):
    """A signal other than Ctrl-C's ended the work; ``signum`` is its number."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        self.signum = signum


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

    That is the main thread's to do; in another nothing changes.
    """
    stop = Stop()
    with _handled(("SIGINT", "SIGTERM", "SIGHUP"), stop):
        yield stop


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Have termination and a closed terminal interrupt the block, as Ctrl-C does.

    So what is half made is cleared away. In another than the main thread nothing changes.
    """

    def interrupt(signum: int, _frame: object) -> NoReturn:
        raise Interrupted(signum)

    with _handled(("SIGTERM", "SIGHUP"), interrupt):
        yield


@contextmanager
def _handled(names: tuple[str, ...], handler: Callable[[int, object], object]) -> Iterator[None]:
    before = {}
    is_main = threading.current_thread() is threading.main_thread()
    for name in names if is_main else ():
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        # One who starts us with nohup wants us to outlive the terminal.
        if number is not None and (name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN):
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
