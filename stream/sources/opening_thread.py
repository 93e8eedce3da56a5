"""Opening what may not answer: with a limit, and so that Ctrl-C is heard meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Opening"]

_Opened = TypeVar("_Opened")
_HEARING_S = 0.2
"""How often to look up from waiting: on Windows Ctrl-C is heard only then."""


class Opening(Generic[_Opened]):
    """Opens something on a thread of its own, since drivers and networks may block for ever.

    Nothing can interrupt a driver. A thread that hangs in one is left behind: it is a daemon, and
    gives back what it opened should it ever return.

    Args:
        make: Opens it; whatever it raises is raised by :meth:`wait`.
        give_back: Releases what was opened and is not wanted any more.
        name: What is opened, for the thread's name.
    """

    def __init__(
        self, make: Callable[[], _Opened], *, give_back: Callable[[_Opened], None], name: str
    ) -> None:
        self._make = make
        self._give_back = give_back
        self._lock = threading.Lock()
        self._is_done = threading.Event()
        self._is_abandoned = False
        self._opened: list[_Opened] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"{name} opening", daemon=True)
        self._thread.start()

    def wait(
        self, timeout_s: float | None = None, *, unless: threading.Event | None = None
    ) -> _Opened:
        """Return what was opened.

        Raises:
            TimeoutError: It took longer than ``timeout_s`` seconds, or ``unless`` is set.
        """
        try:
            left_s = timeout_s
            while not self._is_done.wait(
                _HEARING_S if left_s is None else max(0.0, min(_HEARING_S, left_s))
            ):
                if unless is not None and unless.is_set():
                    break
                if left_s is not None:
                    left_s -= _HEARING_S
                    if left_s <= 0:
                        break
        finally:  # Ctrl-C included
            with self._lock:
                self._is_abandoned = not self._is_done.is_set()
        if self._is_abandoned:
            raise TimeoutError
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._opened[0]

    def _run(self) -> None:
        try:
            self._opened.append(self._make())
        except BaseException as exc:
            self._error = exc
        with self._lock:
            self._is_done.set()
            is_wanted = not self._is_abandoned
        if self._opened and not is_wanted:
            self._give_back(self._opened.pop())
