"""Stretches as annotations of tiers, in whole milliseconds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from stream.annotation.moments import Stretch, TierKind
from stream.tables.elan.options import OF_EVENTS, TierNames, kinds_of_tiers

__all__ = ["Annotation", "Tier", "milliseconds", "tiers_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Something said of a part of the recording."""

    start_ms: int
    """First millisecond of it, >= 0."""
    end_ms: int
    """First millisecond after it, > ``start_ms``."""
    value: str
    """What is said."""
    id: str = ""
    """What it is called in the file it was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Annotations that do not overlap, in order."""

    name: str
    """What it is called."""
    kind: TierKind
    """What it tells of."""
    annotations: tuple[Annotation, ...]
    """What it holds."""


def milliseconds(time_s: Fraction) -> int:
    """Return the first whole millisecond at which what is shown from ``time_s`` on is on show.

    A player shows the last frame that is not later than the moment asked for. Rounded down, a
    boundary would be on the frame before: at 29.97 frames a second nearly always.
    """
    return math.ceil(time_s * 1000)


def tiers_of(
    stretches: Iterable[Stretch], names: TierNames, *, picture: bool, origin_ms: int = 0
) -> tuple[list[Tier], list[str]]:
    """Return all tiers, and a line for what could not be kept.

    Tiers without a stretch are there too, except those of events.

    Args:
        stretches: In any order.
        names: What the tiers are called.
        picture: The maps are of the whole picture, not of hands.
        origin_ms: Media time at which the tiers' time is 0.
    """
    found: dict[str, list[Annotation]] = {}
    num_cut = num_lost = 0
    for stretch in sorted(stretches, key=lambda stretch: stretch.start_s):
        start_ms = milliseconds(stretch.start_s) - origin_ms
        end_ms = milliseconds(stretch.end_s) - origin_ms
        if end_ms <= max(start_ms, 0):
            num_lost += 1
            continue
        of_tier = found.setdefault(names.of(stretch.tier, stretch.hand), [])
        of_tier.append(Annotation(start_ms=max(start_ms, 0), end_ms=end_ms, value=stretch.value))
    tiers = []
    for kind, hand in kinds_of_tiers(picture=picture):
        name = names.of(kind, hand)
        kept = _without_overlaps(given := found.pop(name, []))
        num_cut += sum(before.end_ms > after.start_ms for before, after in pairwise(given))
        if kept or kind not in OF_EVENTS:
            tiers.append(Tier(name=name, kind=kind, annotations=kept))
    assert not found, f"no tiers for {', '.join(found)}"
    warnings = []
    if num_lost:
        warnings.append(
            f"{num_lost} stretches are shorter than a millisecond or before the tiers' time 0, "
            "and not in the .eaf"
        )
    if num_cut:
        warnings.append(f"{num_cut} stretches overlapped the next of their tier and end with it")
    return tiers, warnings


def _without_overlaps(given: Sequence[Annotation]) -> tuple[Annotation, ...]:
    """Let each end where the next begins, as a tier of ELAN's holds one thing at a time."""
    ends_ms = [after.start_ms for after in given[1:]] + [each.end_ms for each in given[-1:]]
    cut = [
        replace(each, end_ms=min(each.end_ms, end_ms))
        for each, end_ms in zip(given, ends_ms, strict=True)
    ]
    return tuple(each for each in cut if each.start_ms < each.end_ms)
