"""Runs of values: boundaries exact, flicker absorbed, memory flat."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.annotation.runs import Levels, Run, Runs

NTSC = Fraction(1001, 30000)


def runs_of(values: Sequence[str | None], min_s: float = 0.1) -> list[tuple[str, int, int, int]]:
    """Value, first frame, frame after and number of frames of each run; None ends a row."""
    found = []

    def keep(run: Run[str], end_s: Fraction) -> None:
        start, end = run.start_s / NTSC, end_s / NTSC
        assert start.denominator == end.denominator == 1
        found.append((run.value, int(start), int(end), int(run.amounts[0])))

    runs = Runs(min_s, keep)
    for index, value in enumerate(values):
        if value is None:
            runs.end(index * NTSC)
        else:
            runs.put(index * NTSC, value, np.ones(1))
    runs.end(len(values) * NTSC)
    return found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("aaaabbbb", [("a", 0, 4), ("b", 4, 8)]),
        ("aaaabaaa", [("a", 0, 8)]),  # flicker
        ("aaaabcaa", [("a", 0, 8)]),
        ("aaaabcccc", [("a", 0, 5), ("c", 5, 9)]),  # too short: to the one before
        ("abbbb", [("b", 0, 5)]),  # there is none before
        ("aaaab", [("a", 0, 5)]),
        ("ab", [("a", 0, 2)]),  # all of a row stays
        ("a", [("a", 0, 1)]),
        ("", []),
        ("aaaa.aaaa", [("a", 0, 4), ("a", 5, 9)]),  # a gap parts
        ("aaaab..bbbb", [("a", 0, 5), ("b", 7, 11)]),
    ],
)
def test_runs(values: str, expected: list[tuple[str, int, int]]) -> None:
    found = runs_of([None if value == "." else value for value in values])
    assert [run[:3] for run in found] == expected
    assert [run[3] for run in found] == [end - start for _, start, end in expected]


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=40))
def test_runs_share_out_all_frames_with_a_value(values: list[str | None]) -> None:
    found = runs_of(values)
    covered = [index for _, start, end, _ in found for index in range(start, end)]
    assert covered == [index for index, value in enumerate(values) if value is not None]
    for (value, _, end, _), (after, start, _, _) in pairwise(found):
        assert end < start or value != after
    for value, start, _, _ in found:
        # Absorbed frames never begin a run, but the first of a row may.
        assert value == values[start] or start == 0 or values[start - 1] is None


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ("..~#~.", [(False, 0, 2), (True, 2, 5), (False, 5, 6)]),
        ("..~~~.", [(False, 0, 6)]),
        ("~~#", [(True, 0, 3)]),
        ("~~.", [(False, 0, 3)]),
        ("~~", [(False, 0, 2)]),
        ("#~#.", [(True, 0, 3), (False, 3, 4)]),
    ],
)
def test_what_goes_on_begins_and_ends_with_rest(
    levels: str, expected: list[tuple[bool, int, int]]
) -> None:
    """Frames at rest (.), in which something goes on for certain (#), and that may be either."""
    found, amounts = [], []

    def keep(run: Run[bool], end_s: Fraction) -> None:
        found.append((run.value, int(run.start_s), int(end_s)))
        amounts.append(int(run.amounts[0]))

    finder = Levels(0.0, keep)
    for index, level in enumerate(levels):
        finder.put(Fraction(index), is_on=level == "#", is_at_rest=level == ".", amounts=np.ones(1))
    finder.end(Fraction(len(levels)))
    assert found == expected
    assert amounts == [end - start for _, start, end in expected]
