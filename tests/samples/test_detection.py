"""MediaPipe takes the rendered hands for real ones: a small version of the detection table."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from samples.handshapes import LETTERS
from tests.bench.detection_table import Finding, findings, random_view, tabulate


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    """What MediaPipe finds in two views of every letter."""
    return list(findings(2 * len(LETTERS), seed=100))


def test_hands_are_found_in_place(found: list[Finding]) -> None:
    missed = [f.letter for f in found if not f.in_place]
    assert len(missed) <= 4, f"not found in place: {missed}"


def test_left_and_right_are_told_apart(found: list[Finding]) -> None:
    exact = [f for f in found if f.in_place]
    wrong = [f.letter for f in exact if not f.same_hand]
    assert len(wrong) <= 4, f"taken for the other hand: {wrong}"


def test_landmarks_agree(found: list[Finding]) -> None:
    assert np.median([f.error for f in found if f.in_place]) <= 0.10


def test_table_has_a_row_for_each_letter_and_one_for_all(found: list[Finding]) -> None:
    console = Console(file=io.StringIO(), width=100)
    table = tabulate(found)
    console.print(table)
    assert table.row_count == len(LETTERS) + 1
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"MediaPipe on {len(found)} rendered views" in text


def test_views_come_from_their_seed_alone() -> None:
    first, second = random_view("Q", 5), random_view("Q", 5)
    assert first.image.tobytes() == second.image.tobytes()
