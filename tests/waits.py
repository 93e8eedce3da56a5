"""How long tests wait. Only a test that fails waits this long: waiting ends with what it is for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import Event
from time import monotonic

__all__ = ["PROCESS_S", "WAIT_S", "until"]

WAIT_S = 60.0
"""For something that takes moments in this process, on a machine busy with other things."""
PROCESS_S = 240.0
"""For a process of its own, which loads its libraries before it comes to anything."""


def _let_a_moment_pass() -> None:
    Event().wait(0.02)


def until(
    is_so: Callable[[], bool], what: str, *, between: Callable[[], object] = _let_a_moment_pass
) -> None:
    """Return once ``is_so()``, looking again after each call of ``between``.

    Args:
        is_so: Looks whether what is waited for has come.
        what: What that is, for the message of the failure.
        between: What to do meanwhile: it should take a moment.

    Raises:
        AssertionError: It did not come within :data:`PROCESS_S`.
    """
    give_up = monotonic() + PROCESS_S
    for looks in count(1):
        if is_so():
            return
        assert monotonic() < give_up, f"waited in vain for {what}; looked {looks} times"
        between()
