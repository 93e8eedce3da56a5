"""Which hand is a left one and which a right one, on scripted movements."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from models.hands.tracking import HandDetection, HandTracker
from stream.geometry import Handedness
from tests.models.hands.movements import by_id, follow, hand_at


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
    assert region.centre_xy == pytest.approx(_centre(hand_at(1500, 700)), abs=1e-3)


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


def _centre(hand: HandDetection) -> tuple[float, float]:
    middle = (hand.landmarks.min(axis=0) + hand.landmarks.max(axis=0)) / 2
    return float(middle[0]), float(middle[1])
