"""Reported times made fit for use."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stream.sources.timeline import Span, Timeline

MS = Fraction(1, 1000)


def place(
    reported: list[int | None], *, origin: int | None = 0, frame_ticks: int = 40
) -> tuple[list[int], int]:
    timeline = Timeline(origin=origin, time_base=MS, frame_ticks=frame_ticks)
    return [timeline.place(pts) for pts in reported], timeline.num_repaired


@pytest.mark.parametrize(
    ("reported", "expected", "num_repaired"),
    [
        ([0, 40, 95, 120], [0, 40, 95, 120], 0),
        ([None, None, 80, 120], [0, 40, 80, 120], 2),
        ([0, 40, None, 120], [0, 40, 80, 120], 1),
        # The frame after a repeated one keeps its own place.
        ([0, 40, 40, 120, 160], [0, 40, 60, 120, 160], 1),
        ([0, 40, 80, 70, 160], [0, 40, 80, 100, 160], 1),
        # Another recording, appended.
        ([5000, 5040, 0, 40, 80], [5000, 5040, 5080, 5120, 5160], 1),
        ([-40, 0, 40], [0, 20, 40], 2),
    ],
)
def test_only_what_is_out_of_order_is_moved(
    reported: list[int | None], expected: list[int], num_repaired: int
) -> None:
    assert place(reported) == (expected, num_repaired)


def test_the_origin_becomes_zero() -> None:
    assert place([1000, 1040], origin=1000) == ([0, 40], 0)
    assert place([1000, 1040], origin=900) == ([100, 140], 0)
    assert place([1000, 1040], origin=None) == ([0, 40], 0)


def test_a_repair_takes_one_tick_at_least() -> None:
    assert place([0, 0, 0, 10], frame_ticks=1) == ([0, 1, 2, 10], 2)


def test_times_increase_whatever_is_reported() -> None:
    rng = np.random.default_rng(0)
    reported: list[int | None] = [
        None if rng.random() < 0.1 else int(pts) for pts in rng.integers(-5000, 5000, 500)
    ]
    placed, _ = place(reported)
    assert placed[0] >= 0
    assert np.diff(placed).min() > 0


@pytest.mark.parametrize("time_s", [1.1, Fraction(11, 10)])
def test_a_span_begins_at_the_tick_that_a_decimal_means(time_s: float | Fraction) -> None:
    assert Span(time_s).start_tick(MS) == 1100
    assert Span(time_s).start_tick(Fraction(1, 25)) == 28
    assert Span(None, time_s).end_tick(MS) == 1100
    assert Span().end_tick(MS) is None
