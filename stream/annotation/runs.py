"""Values a frame as stretches of time: without flicker, with exact boundaries, streaming."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Levels", "Run", "Runs"]

Value = TypeVar("Value")
Amounts = npt.NDArray[np.float64]
_NOTHING = np.zeros(1)


@dataclass(slots=True, kw_only=True)
class Run(Generic[Value]):
    """Frames in a row with one value."""

    value: Value
    start_s: Fraction
    """When the first is shown."""
    amounts: Amounts
    """What its frames came with, summed up."""


class Runs(Generic[Value]):
    """Joins frames with the same value; a run that is too short belongs to the one before it.

    The first of a row belongs to the one after it. A row is ended by a frame without a value; what
    is all of a row stays, however short.

    Args:
        min_s: How long a run must last, seconds.
        on_run: Called with each finished run and its end.
    """

    def __init__(self, min_s: float, on_run: Callable[[Run[Value], Fraction], None]) -> None:
        self._min_s = min_s
        self._on_run = on_run
        self._run: Run[Value] | None = None
        self._next: Run[Value] | None = None
        """What may become the run once it has lasted."""

    @property
    def value(self) -> Value | None:
        """What has lasted; None before a row."""
        return self._run.value if self._run else None

    def put(self, time_s: Fraction, value: Value, amounts: Amounts = _NOTHING) -> None:
        """Take the next frame, shown from ``time_s`` on."""
        self._settle(time_s)
        if self._run is None:
            self._run = Run(value=value, start_s=time_s, amounts=amounts)
            return
        if self._next and self._next.value != value:  # it did not last
            self._run.amounts = self._run.amounts + self._next.amounts
            self._next = None
        if self._next:
            self._next.amounts = self._next.amounts + amounts
        elif value == self._run.value:
            self._run.amounts = self._run.amounts + amounts
        else:
            self._next = Run(value=value, start_s=time_s, amounts=amounts)

    def end(self, time_s: Fraction) -> None:
        """End the row at ``time_s``, where the frame is shown that is not of it."""
        self._settle(time_s)
        if self._run:
            if self._next:
                self._run.amounts = self._run.amounts + self._next.amounts
            self._on_run(self._run, time_s)
        self._run = self._next = None

    def _settle(self, time_s: Fraction) -> None:
        """Go on to the next run if it has lasted by ``time_s``."""
        if not (self._run and self._next) or time_s - self._next.start_s < self._min_s:
            return
        if self._next.start_s - self._run.start_s < self._min_s:
            self._next.start_s = self._run.start_s
            self._next.amounts = self._next.amounts + self._run.amounts
        else:
            self._on_run(self._run, self._next.start_s)
        self._run, self._next = self._next, None


class Levels:
    """Runs of frames in which something goes on, and of those in which it rests.

    Hysteresis in both directions: what goes on is an unbroken row of frames that do not rest, in
    some of which it goes on for certain. It begins and ends where the rest ends and begins.

    Args:
        min_s: How long a run must last, seconds.
        on_run: Called with each finished run, whose value says whether it goes on, and its end.
    """

    def __init__(self, min_s: float, on_run: Callable[[Run[bool], Fraction], None]) -> None:
        self._runs = Runs(min_s, on_run)
        self._goes_on = False
        self._undecided: Run[None] | None = None

    def put(
        self, time_s: Fraction, *, is_on: bool, is_at_rest: bool, amounts: Amounts = _NOTHING
    ) -> None:
        """Take the next frame, shown from ``time_s`` on; it may be neither."""
        if not (is_on or is_at_rest or self._goes_on):
            if self._undecided:
                self._undecided.amounts = self._undecided.amounts + amounts
            else:
                self._undecided = Run(value=None, start_s=time_s, amounts=amounts)
            return
        self._goes_on = not is_at_rest
        self._decide()
        self._runs.put(time_s, self._goes_on, amounts)

    def end(self, time_s: Fraction) -> None:
        """End the row at ``time_s``, where the frame is shown that is not of it."""
        self._goes_on = False
        self._decide()
        self._runs.end(time_s)

    def _decide(self) -> None:
        if self._undecided:
            self._runs.put(self._undecided.start_s, self._goes_on, self._undecided.amounts)
            self._undecided = None
