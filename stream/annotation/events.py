"""Marks, settings and losses of a live recording, as stretches: read from its table of events."""

from __future__ import annotations

import csv
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from stream.annotation.moments import Stretch, TierKind
from stream.errors import SourceFormatError
from stream.naming import CLEAN, EVENTS, OVERLAY
from stream.takes import MARK, SIGNAL

__all__ = ["events_beside", "read_events"]

MARK_S: Final = Fraction(1, 2)
"""How long a mark lasts, unless another comes before: a moment could not be clicked on."""
_MOST_BYTES: Final = 2**24
_Told = tuple[Fraction, str, str]


def events_beside(video: Path) -> Path | None:
    """Return the table that belongs to a recording's take; None where there is none."""
    for take in (CLEAN, OVERLAY):
        if video.stem.endswith(take):
            table = video.with_name(f"{video.stem.removesuffix(take)}{EVENTS}")
            return table if table.is_file() else None
    return None


def read_events(table: Path, end_s: Fraction) -> list[Stretch]:
    """Return marks, what was set (a stretch from each change to the next or the end), and losses.

    A loss lasts from the last picture before it to the first one after it, or to the end.

    Args:
        table: As ``stream.jobs.working_folder`` writes it: time_s, setting, value.
        end_s: When the recording ends, in seconds.

    Raises:
        SourceFormatError: It is no such table.
    """
    try:
        if table.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too large")
        with table.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            told = [(Fraction(row["time_s"]), row["setting"], row["value"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, csv.Error) as error:
        raise SourceFormatError(f"{table.name} is no table of events ({error})") from error
    told = sorted(event for event in told if 0 <= event[0] < end_s)
    marks, signals = ([event for event in told if event[1] == kind] for kind in (MARK, SIGNAL))
    changes = [event for event in told if event[1] not in (MARK, SIGNAL)]
    states = _stretches(SIGNAL, [(time_s, state) for time_s, _, state in signals], end_s, end_s)
    return [
        *_stretches(MARK, [(time_s, name) for time_s, _, name in marks], end_s, MARK_S),
        *_stretches("setting", _changes_at_once(changes), end_s, end_s),
        *(state for state in states if state.value == "lost"),  # not "back"
    ]


def _changes_at_once(changes: list[_Told]) -> list[tuple[Fraction, str]]:
    return [
        (time_s, ", ".join(f"{name} {value}" for _, name, value in at_once))
        for time_s, at_once in groupby(changes, key=lambda event: event[0])
    ]


def _stretches(
    tier: TierKind, begins: list[tuple[Fraction, str]], end_s: Fraction, longest_s: Fraction
) -> list[Stretch]:
    return [
        Stretch(
            tier=tier,
            hand=None,
            start_s=start_s,
            end_s=min(until_s, start_s + longest_s),
            value=value,
        )
        for (start_s, value), (until_s, _) in pairwise([*begins, (end_s, "")])
        if until_s > start_s
    ]
