"""From a word on the command line to a value.

Each raises ``argparse.ArgumentTypeError`` with what is allowed, or ``ValueError`` for what is no
number at all; argparse turns both into its line of usage.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Literal

from stream.spelling import did_you_mean

__all__ = [
    "integer_type",
    "name_type",
    "number_type",
    "parse_head",
    "parse_threshold",
    "parse_time",
]


def integer_type(low: int, high: int | None) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low`` to ``high`` (None: without end)."""

    def integer(text: str) -> int:
        value = int(text)
        if value < low or (high is not None and value > high):
            limit = f">= {low}" if high is None else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{value} must be {limit}")
        return value

    return integer


def name_type(names: Sequence[str]) -> Callable[[str], str]:
    """Return a parser of ``names`` that asks what was meant by any other."""

    def name(text: str) -> str:
        if text in names:
            return text
        raise argparse.ArgumentTypeError(f"no {text!r}: {did_you_mean(text, names)}")

    return name


def number_type(low: float, high: float) -> Callable[[str], float]:
    """Return a parser of numbers from ``low`` to ``high``."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:  # refuses NaN too
            raise argparse.ArgumentTypeError(f"{text} must be from {low:g} to {high:g}")
        return value

    return number


def parse_head(text: str) -> int | Literal["mean", "all"]:
    """Return a head's number, "mean" or "all"."""
    if text == "mean":
        return "mean"
    if text == "all":
        return "all"
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a head's number, 'mean' or 'all'")


def parse_threshold(text: str) -> float | None:
    """Return a share between 0 and 1, or None for "off"."""
    if text == "off":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be between 0 and 1, or 'off'")
    return value


def parse_time(text: str) -> float:
    """Return seconds from ``S``, ``M:S`` or ``H:M:S``."""
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if (
        not 1 <= len(parts) <= 3
        or not all(math.isfinite(part) and part >= 0 for part in parts)
        or not all(part.is_integer() for part in parts[:-1])
    ):
        raise argparse.ArgumentTypeError(f"{text!r} must be seconds (12.5) or h:mm:ss (0:01:02)")
    if any(part >= 60 for part in parts[1:]):
        raise argparse.ArgumentTypeError(f"{text!r}: minutes and seconds after a colon end at 59")
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + part
    return seconds
