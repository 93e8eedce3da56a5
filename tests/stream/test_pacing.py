from __future__ import annotations

import pytest

from stream.pacing import MAX_LATENESS_NS, Pacer
from stream.stats import RateMeter
from tests.fakes import FakeClock


def test_frames_are_due_at_their_distance_from_the_first() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    start_ns = clock.now_ns()
    assert pacer.due_ns(7.0) == start_ns
    assert pacer.due_ns(7.5) == start_ns + 500_000_000


def test_small_delay_is_caught_up_and_a_long_one_is_not_rushed() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    start_ns = pacer.due_ns(0.0)
    clock.time_ns += 100_000_000
    assert pacer.due_ns(0.04) == start_ns + 40_000_000
    clock.time_ns += MAX_LATENESS_NS + 1
    assert pacer.due_ns(0.08) == clock.now_ns()


def test_restart_makes_the_next_frame_due_now() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    pacer.due_ns(0.0)
    clock.time_ns += 300_000_000
    pacer.restart()
    assert pacer.due_ns(0.04) == clock.now_ns()


def test_rate_counts_intervals_not_ticks() -> None:
    meter = RateMeter(window_s=1.0)
    assert meter.per_s(0) == 0.0
    for tick in range(61):
        meter.tick(tick * 20_000_000)
    assert meter.per_s(1_200_000_000) == pytest.approx(50.0)
    assert meter.per_s(1_210_000_000) == pytest.approx(50.0)


def test_rate_falls_when_nothing_comes_any_more() -> None:
    meter = RateMeter(window_s=1.0)
    for tick in range(11):
        meter.tick(tick * 100_000_000)
    assert meter.per_s(2_000_000_000) == pytest.approx(11 / 2.0)
    assert meter.per_s(3_100_000_000) == 0.0


def test_playing_begins_when_the_first_picture_is_there() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    assert pacer.due_ns(2.0) == clock.now_ns()
    clock.sleep_until(clock.now_ns() + 200_000_000)
    pacer.begin(2.0)
    assert pacer.due_ns(2.5) == clock.now_ns() + 500_000_000
