"""Stretches of moments: on the right frame, without flicker, and those of the rendered clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, islice, pairwise

import av
import numpy as np
import numpy.typing as npt
import pytest

from models.hands.finder import MediaPipeHandFinder
from samples.clips import FRAME_RATE, SIZE_WH, Clip, Fingerspelling, TwoHands
from samples.hand import landmarks_of
from stream.annotation.measuring import Measurer
from stream.annotation.moments import Stretch, TierKind
from stream.annotation.parts import palm_axes
from stream.annotation.stretches import StretchFinder, StretchRules
from stream.frames import Frame
from stream.geometry import Handedness, HandRegion
from stream.scene import Scene
from tests.conftest import ROOT
from tests.stream.annotation.hands import FRAME_WH, maps_of, region_of, rendered, scene_of

HAND = (rendered("B", 5).landmarks + 100).astype(np.float64)
PALM_PX = float(np.linalg.norm(palm_axes(HAND)[1][1]))
RULES = StretchRules()


def stretches_of(scenes: Iterable[Scene], rules: StretchRules = RULES) -> list[Stretch]:
    finder = StretchFinder(rules)
    measurer = Measurer([finder])
    for scene in scenes:
        measurer.write(scene)
    measurer.close()
    finder.close()
    return finder.stretches


def frames_of(
    stretches: Iterable[Stretch], tier: TierKind, hand: Handedness | None = "right"
) -> list[tuple[int, int, str]]:
    """First frame, frame after and value at 30 frames a second."""
    found = []
    for stretch in stretches:
        if (stretch.tier, stretch.hand) == (tier, hand):
            start, end = stretch.start_s * 30, stretch.end_s * 30
            assert start.denominator == end.denominator == 1, "no frame begins there"
            found.append((int(start), int(end), stretch.value))
    return found


def walked(speeds: Iterable[float]) -> Iterator[HandRegion]:
    """A hand that goes right at a speed in palm lengths a second, frame by frame."""
    x = 0.0
    for speed in speeds:
        yield region_of(HAND + np.array([x, 0]))
        x += speed * PALM_PX / 30


def test_palm_that_goes_and_stops_holds_and_moves() -> None:
    speeds = [0.0] * 20 + [4.0] * 15 + [0.1] * 20
    stretches = stretches_of(scene_of(i, hand) for i, hand in enumerate(walked(speeds)))
    (hold, move, rest) = frames_of(stretches, "phase")
    assert [hold[2], move[2], rest[2]] == ["hold", "movement", "hold"]
    assert (hold[0], hold[1], move[1], rest[1]) == (0, move[0], rest[0], 55)
    assert abs(move[0] - 20) <= 2
    assert abs(move[1] - 35) <= 2
    assert not frames_of(stretches, "handshape change")
    assert frames_of(stretches, "dominant hand", None) == [(move[0], move[1], "right")]


def test_slow_drift_and_twitch_are_no_movement() -> None:
    speeds = [0.6] * 20 + [0.0] * 10 + [1.2] + [0.0] * 10
    stretches = stretches_of(scene_of(i, hand) for i, hand in enumerate(walked(speeds)))
    assert frames_of(stretches, "phase") == [(0, 41, "hold")]


def test_fingers_that_bend_change_the_handshape() -> None:
    def hand(index: int) -> HandRegion:
        bent = HAND.copy()
        share = min(max((index - 20) / 12, 0), 1)
        bent[[7, 8, 11, 12]] += share * (HAND[[5, 5, 9, 9]] - HAND[[7, 8, 11, 12]])
        return region_of(bent)

    stretches = stretches_of(scene_of(index, hand(index)) for index in range(50))
    ((start, end, value),) = frames_of(stretches, "handshape change")
    assert abs(start - 20) <= 2
    assert abs(end - 32) <= 2
    assert value == ""
    assert [value for *_, value in frames_of(stretches, "phase")] == ["hold", "movement", "hold"]


def absent(*, left_px: float = 0.0) -> list[tuple[int, int, str]]:
    """What is told of a hand seen in frames 10 to 19, then held, then gone."""
    scenes = []
    for index in range(40):
        hand = region_of(HAND - np.array([left_px, 0]), unseen_s=max(0, index - 19) / 30)
        scenes.append(scene_of(index, *([hand] if 10 <= index < 26 else [])))
    return frames_of(stretches_of(scenes), "not seen")


def test_reason_why_a_hand_is_not_seen() -> None:
    assert absent() == [(0, 10, "not yet"), (20, 40, "lost")]
    at_the_edge = float(HAND[:, 0].min()) + 1
    assert absent(left_px=at_the_edge)[1] == (20, 40, "left the picture")


def test_short_losses_and_sightings_are_none() -> None:
    def is_seen(index: int) -> bool:
        return (index < 20 and index not in (8, 9)) or index in (30, 31)

    stretches = stretches_of(
        scene_of(index, *([region_of(HAND)] if is_seen(index) else [])) for index in range(40)
    )
    assert frames_of(stretches, "in view") == [(0, 20, "in view")]
    assert frames_of(stretches, "not seen") == [(20, 40, "lost")]
    assert frames_of(stretches, "not seen", "left") == [(0, 40, "not yet")]
    assert frames_of(stretches, "number of hands", None) == [(0, 20, "1"), (20, 40, "0")]


@pytest.mark.parametrize(
    ("left_speed", "right_speed", "expected"),
    [(4.0, 0.0, "left"), (2.0, 4.0, "right"), (4.0, 3.5, "both")],
)
def test_dominant_hand_is_the_one_that_moves_more(
    left_speed: float, right_speed: float, expected: str
) -> None:
    def speeds(speed: float) -> list[float]:
        return [0.0] * 15 + [speed] * 20 + [0.0] * 15

    pairs = zip(walked(speeds(left_speed)), walked(speeds(right_speed)), strict=True)
    stretches = stretches_of(
        scene_of(index, replace(left, handedness="left", track_id=1), right)
        for index, (left, right) in enumerate(pairs)
    )
    ((_, _, value),) = frames_of(stretches, "dominant hand", None)
    assert value == expected
    assert frames_of(stretches, "number of hands", None) == [(0, 50, "2")]


def attended(
    head_of: Callable[[int], int | None], rules: StretchRules = RULES, *, is_whole: bool = False
) -> list[Stretch]:
    """Maps of three heads; one is the most focused, the others a little less; None: no hand."""
    blurs = np.exp(-((np.arange(28) - 14) ** 2)[:, None] / np.array([20.0, 10.0]))
    less, more = (np.outer(line, line) for line in blurs.T)
    region = HandRegion.whole_frame(FRAME_WH) if is_whole else region_of(HAND)
    scenes = []
    for index in range(40):
        if head_of(index) is None:
            scenes.append(scene_of(index))
            continue
        heads = np.stack([more if head == head_of(index) else less for head in range(3)])
        scenes.append(scene_of(index, region, maps=maps_of(heads, frame_index=index)))
    return stretches_of(scenes, rules)


def test_most_focused_head_does_not_flicker() -> None:
    stretches = attended(lambda index: 2 if index in (5, 6, 11) or index >= 20 else 0)
    assert frames_of(stretches, "most focused head") == [(0, 20, "0"), (20, 40, "2")]


def test_most_focused_head_outlasts_a_loss_too_short_to_count() -> None:
    stretches = attended(lambda index: None if index in (4, 5, *range(30, 34)) else index // 34)
    assert frames_of(stretches, "most focused head") == [(0, 30, "0"), (34, 40, "1")]
    assert frames_of(stretches, "in view") == [(0, 30, "in view"), (34, 40, "in view")]


def test_slightly_more_focused_head_changes_nothing() -> None:
    """The two blurs differ by 0.12 in normalised entropy."""
    for margin, heads in [(0.1, ["0", "1"]), (0.2, ["0"])]:
        stretches = attended(lambda index: index // 20, StretchRules(focus_margin=margin))
        assert [value for *_, value in frames_of(stretches, "most focused head")] == heads


def test_whole_picture_has_a_focused_head_alone() -> None:
    stretches = attended(lambda index: index // 20, is_whole=True)
    assert {stretch.tier for stretch in stretches} == {"most focused head"}
    assert frames_of(stretches, "most focused head", None) == [(0, 20, "0"), (20, 40, "1")]


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)])
def test_boundaries_are_times_of_frames(rate: Fraction) -> None:
    """Exactly, with an offset start; the last frame lasts as long as it says, or as the one before.

    At these rates a step is no whole number of milliseconds.
    """
    offset = Fraction(7, 90000)
    times = [offset + index / rate for index in range(60)]
    for duration, end_s in [(None, times[-1] + 1 / rate), (3, times[-1] + 3 * _tick(times[-1]))]:
        scenes = []
        for index, time_s in enumerate(times):
            hand = region_of(HAND + np.array([5.0 * max(0, index - 30), 0]))
            scenes.append(scene_of(index, hand, time_s=time_s, duration=duration))
        stretches = stretches_of(scenes)
        boundaries = {stretch.start_s for stretch in stretches} | {
            stretch.end_s for stretch in stretches
        }
        assert boundaries <= {*times, end_s}
        assert {times[0], end_s} < boundaries


def _tick(time_s: Fraction) -> Fraction:
    return Fraction(1, time_s.denominator)


def test_single_frame_lasts() -> None:
    stretches = stretches_of([scene_of(0, region_of(HAND))])
    assert {stretch.tier for stretch in stretches} == {"in view", "not seen", "number of hands"}
    assert all(stretch.end_s > stretch.start_s for stretch in stretches)


def test_nothing_is_found_in_nothing_and_closing_twice_is_harmless() -> None:
    finder = StretchFinder()
    finder.close()
    assert finder.stretches == []
    finder.close()


# MediaPipe on the clips that come with the project, against what was rendered.


@pytest.fixture(scope="module")
def fingerspelling() -> list[Stretch]:
    return stretches_of(_found("fingerspelling", 165))


@pytest.fixture(scope="module")
def two_hands() -> list[Stretch]:
    return stretches_of(_found("two_hands", 264))


def test_letters_are_holds_and_changes_movements(fingerspelling: list[Stretch]) -> None:
    phases = frames_of(fingerspelling, "phase")
    assert [value for *_, value in phases] == ["hold", "movement"] * 4 + ["hold"]
    moves = [(start, end) for start, end, value in phases if value == "movement"]
    for move, change_s in zip(moves, Fingerspelling().changes_s[:4], strict=True):
        for boundary, time_s in zip(move, change_s, strict=True):
            assert abs(boundary - math.ceil(time_s * FRAME_RATE - 1e-6)) <= 2
    assert len(frames_of(fingerspelling, "handshape change")) == 4
    assert frames_of(fingerspelling, "in view") == [(0, 165, "in view")]
    assert {value for *_, value in frames_of(fingerspelling, "dominant hand", None)} == {"right"}


@pytest.mark.parametrize("hand", ["left", "right"])
def test_phases_of_two_hands_are_the_true_ones(two_hands: list[Stretch], hand: Handedness) -> None:
    clip = TwoHands()
    changes = [
        here[1]
        for here, after in pairwise(frames_of(two_hands, "phase", hand))
        if here[1] == after[0]
    ]
    expected = _true_changes(clip, 0 if hand == "right" else 1)
    assert len(changes) >= 4
    for change in changes:
        assert min(abs(change - other) for other in expected) <= 2
    if hand == "right":  # the left one is hidden now and then
        assert len(changes) == len(expected)


def test_left_hand_leaves_the_picture(two_hands: list[Stretch]) -> None:
    reasons = frames_of(two_hands, "not seen", "left")
    start, end, _ = max(reasons, key=lambda stretch: stretch[1] - stretch[0])
    assert (start, end, "left the picture") in reasons
    assert 5.0 < start / 30 < 5.8
    assert 6.4 < end / 30 < 7.4
    (alone,) = (
        count for count in frames_of(two_hands, "number of hands", None) if count[0] == start
    )
    assert alone[2] == "1"


def _found(name: str, num_frames: int) -> Iterator[Scene]:
    """A clip's scenes without maps, read at half its size, which MediaPipe does not mind."""
    width, height = SIZE_WH[0] // 2, SIZE_WH[1] // 2
    with (
        MediaPipeHandFinder() as finder,
        av.open(str(ROOT / "samples" / f"{name}.mp4")) as container,
    ):
        for index, picture in enumerate(islice(container.decode(video=0), num_frames)):
            assert picture.pts is not None
            assert picture.time_base is not None
            frame = Frame(
                image=picture.to_ndarray(format="rgb24", width=width, height=height),
                pts=picture.pts,
                time_base=picture.time_base,
                index=index,
                captured_ns=0,
            )
            yield Scene(frame=frame, hands=finder.find(frame), maps={})


def _true_changes(clip: Clip, hand: int) -> list[int]:
    """Frames in which a hand begins to move or stops, by its rendered landmarks and the rules."""
    paces = []
    before: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
    for index in range(clip.num_frames + 1):  # half a frame before each, and after the last
        truth = clip.hands_at((index - 0.5) / FRAME_RATE)[hand]
        landmarks = landmarks_of(SIZE_WH, truth.pose, truth.body, truth.placement)
        middle, axes = palm_axes(landmarks)
        palm_px = np.linalg.norm(axes[1])
        now = middle, (landmarks - middle) @ axes.T / palm_px**2
        if before:
            palm_speed = np.linalg.norm(now[0] - before[0]) / palm_px * FRAME_RATE
            shape_speed = np.sqrt(((now[1] - before[1]) ** 2).sum(1).mean()) * FRAME_RATE
            paces.append((palm_speed, shape_speed))
        before = now
    rests = [palm < RULES.palm_rest and shape < RULES.shape_rest for palm, shape in paces]
    changes = []
    for is_rest, row in groupby(range(len(paces)), key=lambda index: rests[index]):
        frames = list(row)
        palm_speed, shape_speed = np.max([paces[index] for index in frames], 0)
        if not is_rest and (palm_speed >= RULES.palm_speed or shape_speed >= RULES.shape_speed):
            changes += [frames[0], frames[-1] + 1]
    return [change for change in changes if 0 < change < len(paces)]
