"""Motion of hands whose speed is known, at even and uneven times."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from stream.annotation.moments import Motion
from stream.annotation.motion import MAX_GAP_S, SMOOTHING_S, MotionLine, joint_angles
from stream.annotation.parts import palm_length_px
from tests.stream.annotation.hands import rendered

HAND = rendered("B", 5).landmarks.astype(np.float64)
PALM_PX = float(palm_length_px(HAND))
EVEN = [Fraction(index, 30) for index in range(24)]
SLOW = [Fraction(index, 10) for index in range(10)]
UNEVEN = [Fraction(sum((1, 3, 2, 5)[k % 4] for k in range(index)), 100) for index in range(40)]
Places = Callable[[float], npt.NDArray[np.float64]]


def motions_of(
    times: Iterable[Fraction], hand_at: Callable[[float], npt.NDArray[np.float64] | None]
) -> list[Motion | None]:
    line = MotionLine()
    motions = []
    for time_s in times:
        hand = hand_at(float(time_s))
        motions += line.write(time_s, {} if hand is None else {7: hand.astype(np.float32)})
    motions += line.close()
    return [by_track.get(7) for by_track in motions]


@pytest.mark.parametrize("times", [EVEN, UNEVEN, SLOW], ids=["even", "uneven", "slow"])
def test_speed_is_right_at_the_actual_times(times: list[Fraction]) -> None:
    """A palm that flies a parabola: order 2 gives it back, whatever the rate."""
    acceleration = np.array([PALM_PX * 2, -PALM_PX])
    motions = motions_of(times, lambda t: HAND + acceleration * t * t / 2)
    assert len(motions) == len(times)
    for time_s, motion in list(zip(times, motions, strict=True))[2:-2]:
        assert motion is not None
        expected = np.hypot(2.0, 1.0) * float(time_s)
        assert motion.palm_speed == pytest.approx(expected, rel=1e-3, abs=1e-4)
        middle = HAND[[0, 5, 9, 13, 17]].mean(0) + acceleration * float(time_s) ** 2 / 2
        assert motion.palm_xy == pytest.approx(middle, abs=0.01)
        assert motion.palm_px == pytest.approx(PALM_PX, rel=1e-4)
        assert motion.shape_speed == pytest.approx(0, abs=1e-3)


def test_ends_have_a_speed_too() -> None:
    motions = motions_of(EVEN, lambda t: HAND + np.array([PALM_PX * t, 0.0]))
    for motion in motions:
        assert motion is not None
        assert motion.palm_speed == pytest.approx(1, rel=1e-3)


def test_jitter_is_smoothed() -> None:
    rng = np.random.default_rng(0)
    times = [Fraction(index, 30) for index in range(300)]
    motions = motions_of(times, lambda t: HAND + rng.normal(0, 0.01 * PALM_PX, (21, 2)))
    middles = np.array([motion.palm_xy for motion in motions if motion])[5:-5]
    # The mean of five points jitters by 0.0045 palm lengths, unsmoothed.
    assert middles.std(0).max() < 0.0036 * PALM_PX


def test_gap_is_not_bridged() -> None:
    """The hand is away from 0.3 s to 0.5 s and comes back elsewhere: it has not flown there."""
    motions = motions_of(
        EVEN,
        lambda t: None if 0.3 <= t < 0.5 else HAND + (500.0 if t >= 0.5 else 0.0),
    )
    for time_s, motion in zip(EVEN, motions, strict=True):
        if Fraction(3, 10) <= time_s < Fraction(1, 2):
            assert motion is None
        else:
            assert motion is not None
            assert motion.palm_speed == pytest.approx(0, abs=1e-3)


def test_frames_far_apart_are_no_neighbours() -> None:
    pause = Fraction(MAX_GAP_S) + Fraction(1, 100)
    times = EVEN[:6] + [time_s + EVEN[5] + pause for time_s in EVEN[:6]]
    motions = motions_of(times, lambda t: HAND + (500.0 if t > 0.3 else 0.0))
    assert [motion.palm_speed for motion in motions if motion] == pytest.approx([0] * 12, abs=1e-3)


def test_two_frames_do_not_make_a_speed() -> None:
    motions = motions_of(EVEN, lambda t: HAND + 100 * t if t < 0.05 else None)
    seen = [motion for motion in motions if motion]
    assert len(seen) == 2
    for motion in seen:
        assert np.isnan(motion.palm_speed)
        assert np.isnan(motion.shape_speed)
        assert np.isnan(motion.joint_rates).all()
        assert np.isfinite(motion.palm_xy).all()


def test_motion_comes_out_soon_and_in_order() -> None:
    line = MotionLine()
    num_out = 0
    for index in range(200):
        shifted = (HAND + index).astype(np.float32)
        for motions in line.write(Fraction(index, 30), {0: shifted}):
            assert motions[0].palm_xy[0] == pytest.approx(
                HAND[[0, 5, 9, 13, 17], 0].mean() + num_out, abs=0.05
            )
            num_out += 1
        assert index + 1 - num_out <= np.ceil(SMOOTHING_S * 30) + 1
    assert num_out + len(line.close()) == 200
    assert not line.close()


def test_shape_speed_is_what_the_palm_does_not_explain() -> None:
    def turning(t: float) -> npt.NDArray[np.float64]:
        turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) * (1 + t / 2)
        return HAND @ turn.T + 300 * t

    def bending(t: float) -> npt.NDArray[np.float64]:
        hand = HAND.copy()
        hand[8, 0] += PALM_PX * t
        return hand

    for motion in motions_of(EVEN, turning):
        assert motion is not None
        assert motion.shape_speed < 0.02
    for motion in motions_of(EVEN, bending):
        assert motion is not None
        assert motion.shape_speed == pytest.approx(np.sqrt(1 / 21), rel=0.01)


def test_joints_bend_from_straight() -> None:
    hand = np.zeros((21, 2))
    for finger in range(5):
        hand[1 + 4 * finger : 5 + 4 * finger, 0] = (1, 2, 3, 4)
    assert joint_angles(hand) == pytest.approx(np.zeros(15))
    hand[8] = (3.0, 5.0)
    hand[17:21] = [(1, 0), (1, 1), (0, 1), (0, 0)]
    angles = joint_angles(hand).reshape(5, 3)
    assert angles[1] == pytest.approx([0, 0, np.pi / 2])
    assert angles[4] == pytest.approx([np.pi / 2] * 3)


def test_joint_rates_are_the_change_of_the_angles() -> None:
    def bending(t: float) -> npt.NDArray[np.float64]:
        hand = np.zeros((21, 2))
        for finger in range(5):
            hand[1 + 4 * finger : 5 + 4 * finger, 0] = (10, 20, 30, 40)
        angle = 0.5 + 1.5 * t
        hand[8] = hand[7] + 10 * np.array([np.cos(angle), np.sin(angle)])
        return hand

    for time_s, motion in zip(EVEN, motions_of(EVEN, bending), strict=True):
        assert motion is not None
        assert motion.joint_angles[5] == pytest.approx(0.5 + 1.5 * float(time_s), abs=0.01)
        assert motion.joint_rates[5] == pytest.approx(1.5, abs=0.02)
        assert np.delete(motion.joint_rates, 5) == pytest.approx(np.zeros(14), abs=1e-3)
