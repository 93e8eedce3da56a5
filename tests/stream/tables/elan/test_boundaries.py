"""Every boundary is on the right frame, whatever the rate and wherever the file starts."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.tables.elan.tiers import milliseconds
from tests.stream.tables.elan.double import frame_on_show, open_in_elan
from tests.stream.tables.elan.making import moments, phases, write_package

RATES = {
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
}
OFFSETS_S = [Fraction(0), Fraction(1, 90000), Fraction(7, 5), Fraction(123457, 90000)]


def _assert_on_the_right_frames(folder: Path, times_s: list[Fraction], end_s: Fraction) -> None:
    write_package(folder / "b.eaf", frames=moments(times_s), stretches=phases(times_s, end_s))
    tiers, curves = open_in_elan(folder / "b.eaf")
    told = tiers["RH-phase"]
    assert [frame_on_show(times_s, start_ms) for start_ms, _, _ in told] == list(
        range(len(times_s))
    )
    # Half open: at its end the next frame is on show, and a millisecond earlier its own.
    assert [end_ms for _, end_ms, _ in told[:-1]] == [start_ms for start_ms, _, _ in told[1:]]
    assert [frame_on_show(times_s, end_ms - 1) for _, end_ms, _ in told] == list(
        range(len(times_s))
    )
    points = [time_ms for time_ms, _ in curves["RH speed"].points]
    assert points == [start_ms for start_ms, _, _ in told]


@pytest.mark.parametrize("offset_s", OFFSETS_S, ids=str)
@pytest.mark.parametrize("rate", RATES)
def test_at_a_steady_rate(tmp_path: Path, rate: str, offset_s: Fraction) -> None:
    times_s = [offset_s + index / RATES[rate] for index in range(120)]
    _assert_on_the_right_frames(tmp_path, times_s, offset_s + 120 / RATES[rate])


@given(
    gaps=st.lists(st.integers(90, 90_000), min_size=1, max_size=25),
    offset=st.integers(0, 900_000),
)
def test_at_a_rate_that_varies(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], offset: int
) -> None:
    ticks = list(accumulate([offset, *gaps]))
    times_s = [Fraction(tick, 90_000) for tick in ticks]
    _assert_on_the_right_frames(tmp_path_factory.mktemp("vfr"), times_s[:-1], times_s[-1])


@given(
    tick=st.integers(0, 10**9),
    step=st.integers(1, 10**4),
    time_base=st.fractions(Fraction(1, 10**6), Fraction(1, 10)),
)
def test_no_boundary_is_before_its_frame_or_a_millisecond_behind(
    tick: int, step: int, time_base: Fraction
) -> None:
    time_s = tick * step * time_base
    assert 0 <= milliseconds(time_s) - time_s * 1000 < 1


def test_rounding_down_or_to_the_nearest_would_be_wrong() -> None:
    times_s = [Fraction(index * 1001, 30000) for index in range(300)]
    wrong = {
        how: sum(
            frame_on_show(times_s, int(time_s * 1000 + more)) != index
            for index, time_s in enumerate(times_s)
        )
        for how, more in (("down", Fraction(0)), ("nearest", Fraction(1, 2)))
    }
    assert wrong["down"] > 280
    assert wrong["nearest"] > 130
