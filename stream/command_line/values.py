"""What the value of an option may be: as a word of the command line, and as a value.

``read`` turns a word into a value, or raises ``argparse.ArgumentTypeError`` with what is allowed,
which argparse makes its line of usage of. ``fault_of`` says the same of a value from code.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from stream.spelling import did_you_mean

__all__ = ["Choice", "Integer", "Name", "Number", "Several", "Share", "Time", "Values"]

Numeric = TypeVar("Numeric", int, float)


class Values(Protocol):
    """What the value of an option may be."""

    def read(self, text: str) -> object:
        """Return the value that a word stands for.

        Raises:
            argparse.ArgumentTypeError: It stands for none.
        """

    def fault_of(self, value: object) -> str | None:
        """Return what a value must be, where it is not: "must be from 0 to 1"."""


class Name:
    """One of some names; of another it is asked what was meant.

    Args:
        names: What there is.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)

    def read(self, text: str) -> str:
        """Return the name; see ``Values``."""
        if text in self.names:
            return text
        raise argparse.ArgumentTypeError(f"no {text!r}: {did_you_mean(text, self.names)}")

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        return None if value in self.names else f"must be one of {', '.join(self.names)}"


class Choice(Name):
    """One of a few names, which the usage lists."""


class Number:
    """A number from ``low`` to ``high``."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def read(self, text: str) -> float:
        """Return the number; see ``Values``."""
        value = _convert(text, float, "number")
        if fault := self.fault_of(value):
            raise argparse.ArgumentTypeError(f"{text} {fault}")
        return value

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        if isinstance(value, float | int) and self._low <= value <= self._high:  # refuses NaN too
            return None
        return f"must be from {self._low:g} to {self._high:g}"


class Integer:
    """A whole number from ``low`` to ``high``; None: without end."""

    def __init__(self, low: int, high: int | None) -> None:
        self._low, self._high = low, high

    def read(self, text: str) -> int:
        """Return the number; see ``Values``."""
        value = _convert(text, int, "integer")
        if fault := self.fault_of(value):
            raise argparse.ArgumentTypeError(f"{value} {fault}")
        return value

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        if not isinstance(value, int) or isinstance(value, bool):
            return "must be a whole number"
        if self._low <= value and (self._high is None or value <= self._high):
            return None
        limit = f">= {self._low}" if self._high is None else f"from {self._low} to {self._high}"
        return f"must be {limit}"


class Several:
    """Values of one kind, with commas between them."""

    def __init__(self, one: Values) -> None:
        self._one = one

    def read(self, text: str) -> tuple[object, ...]:
        """Return the values in order, each once; see ``Values``."""
        return tuple(dict.fromkeys(self._one.read(word.strip()) for word in text.split(",")))

    def fault_of(self, value: object) -> str | None:
        """Return what one of the values must be; see ``Values``."""
        return self._one.fault_of(value)


class Share:
    """A share between 0 and 1, both excluded; None, written "off", for none."""

    def read(self, text: str) -> float | None:
        """Return the share; see ``Values``."""
        if text == "off":
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if fault := self.fault_of(value):
            raise argparse.ArgumentTypeError(f"{text!r} {fault}, or 'off'")
        return value

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        if value is None or (isinstance(value, float | int) and 0 < value < 1):
            return None
        return "must be between 0 and 1"


class Time:
    """A time of a recording in seconds, written ``S``, ``M:S`` or ``H:M:S``."""

    def read(self, text: str) -> float:
        """Return seconds; see ``Values``."""
        try:
            parts = [float(part) for part in text.split(":")]
        except ValueError:
            parts = []
        if (
            not 1 <= len(parts) <= 3
            or not all(math.isfinite(part) and part >= 0 for part in parts)
            or not all(part.is_integer() for part in parts[:-1])
        ):
            raise argparse.ArgumentTypeError(
                f"{text!r} must be seconds (12.5) or h:mm:ss (0:01:02)"
            )
        if any(part >= 60 for part in parts[1:]):
            raise argparse.ArgumentTypeError(
                f"{text!r}: minutes and seconds after a colon end at 59"
            )
        seconds = 0.0
        for part in parts:
            seconds = seconds * 60 + part
        return seconds

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        is_time = isinstance(value, float | int) and math.isfinite(value) and value >= 0
        return None if is_time else "must be seconds, 0 or more"


def _convert(text: str, kind: Callable[[str], Numeric], word: str) -> Numeric:
    try:
        return kind(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid {word} value: {text!r}") from error
