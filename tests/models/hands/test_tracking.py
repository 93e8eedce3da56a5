"""Identity and hold of hands, on scripted movements."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.hands.tracking import HandDetection, HandTracker
from stream.geometry import HandRegion
from tests.models.hands.movements import by_id, follow, hand_at, landmarks_of


@pytest.mark.parametrize("fps", [25, 30, 60])
def test_crossing_hands_keep_their_numbers(fps: float) -> None:
    def cross(time_s: float) -> list[HandDetection]:
        right = hand_at(100 + 400 * time_s, 200, "right")
        left = hand_at(500 - 400 * time_s, 220, "left")
        # While they overlap, the detector sees the one in front, and calls it wrongly at times.
        if abs(time_s - 0.5) < 0.06:
            return [hand_at(500 - 400 * time_s, 220, "right", score=0.6)]
        return [left, right] if int(time_s * fps) % 2 else [right, left]

    tracker = HandTracker(max_hands=2)
    history = list(follow(tracker, cross, fps=fps))
    first, last = by_id(history[0][1]), by_id(history[-1][1])
    assert set(first) == set(last) == {0, 1}
    assert {region.track_id for _, regions in history for region in regions} == {0, 1}
    for number, region in first.items():
        assert last[number].handedness == region.handedness
        moved = last[number].centre_xy[0] - region.centre_xy[0]
        assert moved > 300 if region.handedness == "right" else moved < -300


def test_hands_of_one_side_cross_by_their_velocity() -> None:
    def cross(time_s: float) -> list[HandDetection]:
        return [hand_at(100 + 400 * time_s, 200), hand_at(500 - 400 * time_s, 245)]

    history = list(follow(HandTracker(max_hands=4), cross))
    first, last = by_id(history[0][1]), by_id(history[-1][1])
    assert set(first) == set(last)
    for number, region in first.items():
        assert abs(last[number].centre_xy[0] - region.centre_xy[0]) > 300


def test_lost_hand_is_held_where_it_was_heading_then_dropped() -> None:
    def vanish(time_s: float) -> list[HandDetection]:
        return [hand_at(100 + 300 * time_s, 200)] if time_s < 0.5 else []

    history = list(follow(HandTracker(max_hands=2), vanish, fps=50))
    seen = [regions for time_s, regions in history if time_s < 0.5]
    held = [(time_s, regions) for time_s, regions in history if time_s >= 0.5]
    last_seen_s = 0.48
    for time_s, regions in held:
        assert len(regions) == (1 if time_s - last_seen_s < 0.3 - 1e-9 else 0)
    places = [regions[0].centre_xy[0] for _, regions in held if regions]
    steps = np.diff([seen[-1][0].centre_xy[0], *places])
    assert np.all(steps > 0), "keeps going"
    assert np.all(np.diff(steps) < 0), "and slows down"
    assert sum(steps) < 0.3 * 300, "without running away"
    assert held[0][1][0].unseen_s == pytest.approx(0.02)
    assert held[0][1][0].track_id == seen[0][0].track_id


@pytest.mark.parametrize(
    ("max_hands", "gap_s", "same"),
    [(2, 0.2, True), (2, 1.3, True), (2, 3.5, False), (4, 0.2, True), (4, 0.6, False)],
)
def test_hand_that_comes_back_in_time_is_the_same(max_hands: int, gap_s: float, same: bool) -> None:
    """A signer's hand is remembered for longer than one of several people, who may come and go."""

    def leave(time_s: float) -> list[HandDetection]:
        return [] if 0.5 <= time_s < 0.5 + gap_s else [hand_at(100 + 100 * time_s, 200)]

    history = list(follow(HandTracker(max_hands=max_hands), leave, end_s=4.5))
    assert (history[0][1][0].track_id == history[-1][1][0].track_id) == same
    assert not any(hands for time_s, hands in history if 0.8 <= time_s < 0.5 + gap_s), "not held"


def test_hand_that_was_hidden_behind_the_other_is_still_itself() -> None:
    """It comes back beside the other, and looks like the same side for some frames."""

    def hide(time_s: float) -> list[HandDetection]:
        right = hand_at(200, 200, "right")
        left = hand_at(420, 210, "left" if not 1.8 <= time_s < 2.0 else "right", score=0.8)
        return [right] if 0.5 <= time_s < 1.8 else [right, left]

    history = list(follow(HandTracker(max_hands=2), hide, end_s=3))
    assert {(hand.track_id, hand.handedness) for _, hands in history for hand in hands} == {
        (0, "right"),
        (1, "left"),
    }


def test_duplicates_are_one_hand() -> None:
    tracker = HandTracker(max_hands=2)
    regions = tracker.update(
        [hand_at(200, 200, score=0.9), hand_at(212, 208, "left", score=0.6), hand_at(225, 200)], 0.0
    )
    assert len(regions) == 1
    assert regions[0].handedness == "right"


def test_touching_hands_are_two() -> None:
    regions = HandTracker(max_hands=2).update(
        [hand_at(200, 200, "right"), hand_at(230, 200, "left")], 0.0
    )
    assert len(regions) == 2


def test_variable_frame_rate_and_time_lapse_keep_identity() -> None:
    tracker = HandTracker(max_hands=2)
    times = [0.0, 0.0004, 0.04, 0.05, 0.3, 1.3, 2.3, 2.301]
    numbers = set()
    for time_s in times:
        (region,) = tracker.update([hand_at(100 + 20 * time_s, 100)], time_s)
        numbers.add(region.track_id)
    assert numbers == {0}


def test_hand_after_a_loss_of_signal_is_another_one() -> None:
    tracker = HandTracker(max_hands=2)
    tracker.update([hand_at(100, 100)], 5.0)
    (region,) = tracker.update([hand_at(100, 100)], 8.1)
    assert region.track_id == 1


def test_time_that_goes_back_starts_over() -> None:
    tracker = HandTracker(max_hands=2)
    tracker.update([hand_at(100, 100)], 5.0)
    (region,) = tracker.update([hand_at(100, 100)], 0.0)
    assert region.track_id == 1


@pytest.mark.parametrize("time_s", [4.0, 3.9, 0.0, -1e9])
def test_nothing_is_expected_where_time_does_not_advance(time_s: float) -> None:
    tracker = HandTracker(max_hands=2)
    tracker.update([hand_at(200, 200)], 3.9)
    tracker.update([hand_at(220, 200)], 4.0)
    assert tracker.expect(time_s) == ()


def test_longest_followed_come_first_and_no_more_than_asked_for() -> None:
    tracker = HandTracker(max_hands=3)
    tracker.update([hand_at(500, 100)], 0.0)
    tracker.update([hand_at(100, 100), hand_at(500, 100)], 0.1)
    places = [(100, 100), (900, 100), (1300, 100), (500, 100)]
    regions = tracker.update([hand_at(x, y) for x, y in places], 0.2)
    assert [region.track_id for region in regions] == [0, 1, 2]


def test_expected_places_are_those_of_the_hold() -> None:
    tracker = HandTracker(max_hands=1)
    for index in range(10):
        tracker.update([hand_at(100 + 10 * index, 100)], index / 30)
    (expected,) = tracker.expect(0.4)
    (held,) = tracker.update([], 0.4)
    assert expected.box_xyxy == held.box_xyxy


@pytest.mark.parametrize("seed", range(20))
def test_assignment_is_the_best_one(seed: int) -> None:
    """Up to 5 hands of one signer each move a little: the sum of ways is the least possible."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    places = np.cumsum(rng.uniform(60, 120, size=(count, 2)), axis=0)
    moved = places + rng.uniform(-45, 45, size=(count, 2))
    tracker = HandTracker(max_hands=8)
    before = tracker.update([hand_at(x, y) for x, y in places], 0.0)
    order = rng.permutation(count)
    after = by_id(tracker.update([hand_at(*moved[index]) for index in order], 1 / 30))
    start = {region.track_id: _place(region, places) for region in before}
    assert len(before) == count
    ways = np.linalg.norm(places[:, None] - moved[None], axis=-1)
    best = min(
        itertools.permutations(range(count)),
        key=lambda columns: sum(ways[row, column] for row, column in enumerate(columns)),
    )
    for number, region in after.items():
        assert best[start[number]] == _place(region, moved)


@pytest.mark.parametrize("max_hands", [0, 9])
def test_number_of_hands_is_checked(max_hands: int) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        HandTracker(max_hands=max_hands)


def test_a_hand_seen_once_is_not_held_but_keeps_its_number() -> None:
    tracker = HandTracker(max_hands=2)
    (first,) = tracker.update([hand_at(100, 100)], 0)
    assert tracker.update([], 0.04) == ()
    (again,) = tracker.update([hand_at(100, 100)], 0.08)
    assert again.track_id == first.track_id
    (held,) = tracker.update([], 0.12)
    assert held.track_id == first.track_id
    assert held.unseen_s == pytest.approx(0.04)


def _place(region: HandRegion, places: npt.NDArray[Any]) -> int:
    """Return which of ``places`` the region's palm is nearest to."""
    palm = landmarks_of(region)[[0, 5, 9, 13, 17]].mean(axis=0)
    return int(np.linalg.norm(places - palm, axis=1).argmin())
