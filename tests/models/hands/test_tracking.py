"""Identity, smoothing and hold of hands, on scripted movements."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.hands.tracking import HAND_LANDMARKS, HandDetection, HandTracker
from stream.geometry import Handedness, HandRegion

SIZE_PX = 100.0


def hand_at(
    x: float, y: float, handedness: Handedness = "right", *, score: float = 0.95, size: float = 1
) -> HandDetection:
    """Return an open hand whose palm is centred on (x, y), 100 px long unless scaled."""
    fan = np.linspace(-0.35, 0.35, 5)[:, None]
    length = np.array([0.25, 0.5, 0.75, 1.0])[None, :]
    fingers = np.stack([np.sin(fan) * length, -np.cos(fan) * length], axis=-1).reshape(20, 2)
    points = np.concatenate([np.zeros((1, 2)), fingers]) * SIZE_PX * size
    points -= points[[0, 5, 9, 13, 17]].mean(axis=0)
    if handedness == "left":
        points[:, 0] *= -1
    return HandDetection(landmarks=points + np.array([x, y]), handedness=handedness, score=score)


def follow(
    tracker: HandTracker,
    script: Callable[[float], list[HandDetection]],
    *,
    fps: float = 30,
    start_s: float = 0,
    end_s: float = 1,
) -> Iterator[tuple[float, tuple[HandRegion, ...]]]:
    for index in range(round(start_s * fps), round(end_s * fps)):
        yield index / fps, tracker.update(script(index / fps), index / fps)


def by_id(regions: tuple[HandRegion, ...]) -> dict[int, HandRegion]:
    return {region.track_id: region for region in regions}


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


def test_two_hands_that_look_alike_are_a_left_and_a_right_one() -> None:
    def alike(time_s: float) -> list[HandDetection]:
        del time_s
        return [hand_at(200, 200, score=0.95), hand_at(420, 210, score=0.55)]

    for _, hands in follow(HandTracker(max_hands=2), alike):
        assert {hand.handedness for hand in hands} == {"left", "right"}
        assert by_id(hands)[0].handedness == "right"


def test_two_sure_right_hands_are_of_two_signers() -> None:
    def signers(time_s: float) -> list[HandDetection]:
        del time_s
        return [hand_at(200, 200), hand_at(900, 210)]

    (*_, (_, hands)) = follow(HandTracker(max_hands=2), signers)
    assert [hand.handedness for hand in hands] == ["right", "right"]


def test_arm_outranks_the_look_of_the_hand() -> None:
    def looks_left(time_s: float) -> list[HandDetection]:
        hand = hand_at(200, 200, "left")
        seldom = round(time_s * 30) % 15 == 3
        return [replace(hand, handedness="right", by_arm=True) if seldom else hand]

    sides = [hands[0].handedness for _, hands in follow(HandTracker(max_hands=2), looks_left)]
    assert sides == ["left"] * 3 + ["right"] * 27


def test_hand_that_was_looked_for_as_one_is_not_taken_for_the_other() -> None:
    """Two hands lie side by side, and for a frame each looks like the other."""
    tracker = HandTracker(max_hands=2)
    places: dict[Handedness, float] = {"right": 200, "left": 240}
    for index in range(5):
        before = tracker.update([hand_at(x, 200, side) for side, x in places.items()], index / 30)
    region = {hand.handedness: hand for hand in before}
    seen = [
        replace(hand_at(200, 200, "left"), follows=region["right"]),
        replace(hand_at(240, 200, "right"), follows=region["left"]),
    ]
    after = by_id(tracker.update(seen, 5 / 30))
    for hand in before:
        assert after[hand.track_id].centre_xy == pytest.approx(hand.centre_xy, abs=5)


def test_hand_that_leaves_does_not_rename_the_other() -> None:
    def leave(time_s: float) -> list[HandDetection]:
        right = hand_at(100 - 300 * time_s, 200, "right")
        left = hand_at(400, 220 + 50 * time_s, "left")
        return [left] if 0.4 <= time_s < 1.2 else [right, left]

    history = list(follow(HandTracker(max_hands=2), leave, end_s=1.6))
    lefts = {hand.track_id for _, hands in history for hand in hands if hand.handedness == "left"}
    rights = {hand.track_id for _, hands in history for hand in hands if hand.handedness == "right"}
    assert len(lefts) == len(rights) == 1
    assert not lefts & rights


def test_one_signer_has_one_right_hand_however_far_it_jumps() -> None:
    tracker = HandTracker(max_hands=2)
    tracker.update([hand_at(100, 100)], 0.0)
    (region,) = tracker.update([hand_at(1500, 700)], 1 / 30)
    assert region.track_id == 0
    assert region.unseen_s == 0
    assert region.centre_xy == pytest.approx(hand_centre(hand_at(1500, 700)), abs=1e-3)


def test_two_signers_have_two_right_hands() -> None:
    tracker = HandTracker(max_hands=4)
    tracker.update([hand_at(100, 100)], 0.0)
    tracker.update([hand_at(100, 100)], 1 / 30)
    regions = tracker.update([hand_at(1500, 700)], 2 / 30)
    assert [(region.track_id, region.unseen_s > 0) for region in regions] == [(0, True), (1, False)]


def test_odd_labels_do_not_flip_the_hand() -> None:
    rng = np.random.default_rng(0)

    def mislabelled(time_s: float) -> list[HandDetection]:
        wrong = time_s > 0.2 and rng.random() < 0.25
        return [hand_at(200, 200, "left" if wrong else "right", score=0.7 if wrong else 0.95)]

    history = list(follow(HandTracker(max_hands=2), mislabelled, end_s=4))
    assert {hand.handedness for _, hands in history for hand in hands} == {"right"}
    assert {hand.track_id for _, hands in history for hand in hands} == {0}


def test_wrong_start_is_outvoted_once() -> None:
    def late(time_s: float) -> list[HandDetection]:
        return [hand_at(200, 200, "left" if time_s < 0.1 else "right", score=0.9)]

    labels = [hands[0].handedness for _, hands in follow(HandTracker(max_hands=2), late)]
    changes = [pair for pair in itertools.pairwise(labels) if pair[0] != pair[1]]
    assert changes == [("left", "right")]


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


@pytest.mark.parametrize("fps", [25, 60])
def test_resting_hand_is_calm(fps: float) -> None:
    rng = np.random.default_rng(1)
    raw: list[npt.NDArray[Any]] = []

    def tremble(time_s: float) -> list[HandDetection]:
        del time_s
        hand = hand_at(200, 200)
        raw.append(hand.landmarks + rng.normal(scale=0.005 * SIZE_PX, size=(HAND_LANDMARKS, 2)))
        return [HandDetection(landmarks=raw[-1], handedness="right", score=0.9)]

    history = list(follow(HandTracker(max_hands=1), tremble, fps=fps, end_s=4))
    smooth = np.stack([landmarks_of(hands[0]) for _, hands in history])
    boxes = np.array([hands[0].box_xyxy for _, hands in history])
    assert _jitter(smooth) < 0.5 * _jitter(np.stack(raw))
    assert _jitter(boxes[10:]) < 0.5 * _jitter(np.stack(raw))


@pytest.mark.parametrize("fps", [25, 60])
def test_moving_hand_is_not_left_behind(fps: float) -> None:
    """Start from rest at 5 hand sizes a second: fast signing."""

    def start(time_s: float) -> list[HandDetection]:
        return [hand_at(200 + 5 * SIZE_PX * max(0.0, time_s - 0.5), 200)]

    lag = []
    for time_s, hands in follow(HandTracker(max_hands=1), start, fps=fps):
        away = landmarks_of(hands[0]) - start(time_s)[0].landmarks
        lag.append(float(np.linalg.norm(away, axis=1).mean()) / SIZE_PX)
    assert max(lag) < 0.06
    assert lag[-1] < 0.03


def test_box_holds_the_whole_hand_at_once() -> None:
    """A hand that opens within one frame is inside its box in that very frame."""
    tracker = HandTracker(max_hands=1)
    for index in range(10):
        tracker.update([hand_at(200, 200, size=0.5)], index / 30)
    (region,) = tracker.update([hand_at(200, 200)], 10 / 30)
    left, top, right, bottom = region.box_xyxy
    low, high = landmarks_of(region).min(axis=0), landmarks_of(region).max(axis=0)
    border = 0.1 * SIZE_PX
    assert left < low[0] - border / 2
    assert top < low[1] - border / 2
    assert right > high[0] + border / 2
    assert bottom > high[1] + border / 2


def test_box_shrinks_slowly() -> None:
    """In motion blur landmarks bunch up for a frame or two; the hand has not shrunk."""
    tracker = HandTracker(max_hands=1)
    for index in range(10):
        (before,) = tracker.update([hand_at(200, 200)], index / 30)
    (after,) = tracker.update([hand_at(200, 200, size=0.4)], 10 / 30)
    assert _width(after) > 0.7 * _width(before)
    for index in range(11, 60):
        (after,) = tracker.update([hand_at(200, 200, size=0.4)], index / 30)
    assert _width(after) == pytest.approx(0.4 * _width(before), rel=0.05)


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


def landmarks_of(region: HandRegion) -> npt.NDArray[np.float32]:
    assert region.landmarks is not None
    return region.landmarks


def hand_centre(hand: HandDetection) -> tuple[float, float]:
    middle = (hand.landmarks.min(axis=0) + hand.landmarks.max(axis=0)) / 2
    return float(middle[0]), float(middle[1])


def _place(region: HandRegion, places: npt.NDArray[Any]) -> int:
    """Return which of ``places`` the region's palm is nearest to."""
    palm = landmarks_of(region)[[0, 5, 9, 13, 17]].mean(axis=0)
    return int(np.linalg.norm(places - palm, axis=1).argmin())


def _jitter(values: npt.NDArray[Any]) -> float:
    return float(np.abs(np.diff(values, n=2, axis=0)).mean())


def _width(region: HandRegion) -> float:
    return region.box_xyxy[2] - region.box_xyxy[0]


def test_a_hand_seen_once_is_not_held_but_keeps_its_number() -> None:
    tracker = HandTracker(max_hands=2)
    (first,) = tracker.update([hand_at(100, 100)], 0)
    assert tracker.update([], 0.04) == ()
    (again,) = tracker.update([hand_at(100, 100)], 0.08)
    assert again.track_id == first.track_id
    (held,) = tracker.update([], 0.12)
    assert held.track_id == first.track_id
    assert held.unseen_s == pytest.approx(0.04)
