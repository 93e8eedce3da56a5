"""Handshapes differ, transitions keep fingers apart, and words are spelled without jumps."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from samples.anatomy import HandBody, build_hand
from samples.contact import deepest_overlap_cm
from samples.hand import Placement, place_in_camera
from samples.handshapes import LETTERS, MOTIONS, pose_of, spell, transition, view_of

SQUEEZE_CM = 0.15
"""Overlap that flesh hides, beyond what the two ends of a transition already have."""


def seen(letter: str) -> npt.NDArray[np.float64]:
    """Landmarks of a letter as its viewer sees them, cm."""
    yaw, pitch, roll = view_of(letter)
    placement = Placement((0.0, 0.0), 100.0, yaw, pitch, roll)
    turn, _ = place_in_camera(placement, HandBody(), (0, 0))
    return build_hand(pose_of(letter), HandBody()).landmarks @ turn.T


def test_the_alphabet_is_complete() -> None:
    assert "".join(sorted((*LETTERS, *MOTIONS))) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert len(LETTERS) == 23
    with pytest.raises(ValueError, match="no handshape for 'ß'"):
        pose_of("ß")


@pytest.mark.parametrize(("a", "b"), list(combinations(LETTERS, 2)))
def test_any_two_letters_look_different(a: str, b: str) -> None:
    assert np.linalg.norm(seen(a) - seen(b), axis=1).max() > 1.2


@pytest.mark.parametrize("letter", LETTERS)
def test_nothing_passes_through_anything(letter: str) -> None:
    assert deepest_overlap_cm(pose_of(letter)) < 0.3


def pairs(count: int) -> list[tuple[str, str]]:
    rng = np.random.default_rng(1)
    return [tuple(rng.choice(LETTERS, 2, replace=False).tolist()) for _ in range(count)]


def deepest(a: str, b: str, *, straight: bool) -> float:
    first, last = pose_of(a), pose_of(b)
    times = np.linspace(0.0, 1.0, 21)
    if straight:
        return max(deepest_overlap_cm(first.mixed(last, t)) for t in times)
    return max(deepest_overlap_cm(transition(first, last, t)) for t in times)


@pytest.mark.parametrize(("a", "b"), [*pairs(24), ("U", "R"), ("A", "S"), ("S", "T"), ("E", "O")])
def test_fingers_pass_on_the_way(a: str, b: str) -> None:
    ends = max(deepest_overlap_cm(pose_of(a)), deepest_overlap_cm(pose_of(b)))
    assert deepest(a, b, straight=False) < ends + SQUEEZE_CM


def test_the_straight_way_would_collide() -> None:
    assert deepest("A", "S", straight=True) > 2 * deepest("A", "S", straight=False)


@pytest.mark.parametrize(("a", "b"), pairs(6))
def test_transition_is_smooth_from_end_to_end(a: str, b: str) -> None:
    first, last = pose_of(a), pose_of(b)
    way = np.array([transition(first, last, t).angles for t in np.linspace(0.0, 1.0, 101)])
    np.testing.assert_allclose(way[0], first.angles, atol=1e-12)
    np.testing.assert_allclose(way[-1], last.angles, atol=1e-12)
    speed = np.abs(np.diff(way, axis=0)).max(axis=1)
    assert speed[[0, -1]].max() < 0.02
    assert speed.max() < 0.12
    assert np.array_equal(transition(first, last, 2.0).angles, way[-1])


def test_word_shows_its_letters_in_order() -> None:
    word = spell("Signlight", letter_s=0.4, change_s=0.3)
    times = np.arange(0.0, word.duration_s, 0.02).tolist()
    shown = [word.pose_at(t)[1] for t in times]
    assert "".join(a for a, b in zip(shown, ["", *shown], strict=False) if a != b) == "SIGNLIGHT"
    assert np.array_equal(word.pose_at(0.2)[0].angles, pose_of("S").angles)
    assert np.array_equal(word.pose_at(99.0)[0].angles, pose_of("T").angles)
    assert word.duration_s == pytest.approx(9 * 0.4 + 8 * 0.3)


def test_motion_letters_move_and_nothing_jumps() -> None:
    word = spell("JAZZX")
    moments = [word.at(t) for t in np.arange(0.0, word.duration_s, 1.0 / 60.0).tolist()]
    places = np.array([m.offset_cm for m in moments])
    for letter in "JZX":
        drawn = places[[m.letter == letter for m in moments]]
        assert np.ptp(drawn, axis=0).min() > 3.0, letter
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() < 2.0
    angles = np.array([m.pose.angles for m in moments])
    assert np.abs(np.diff(angles, axis=0)).max() < 0.35
    views = np.array([m.view for m in moments])
    assert np.abs(np.diff(views, axis=0)).max() < 20.0


def test_doubled_letters_slide() -> None:
    word = spell("LL", letter_s=0.5, change_s=0.3)
    assert word.at(0.1).offset_cm == (0.0, 0.0)
    assert abs(word.at(word.duration_s).offset_cm[0]) > 1.0


@pytest.mark.parametrize("word", ["", "A1", "A B", "É"])
def test_only_letters_can_be_spelled(word: str) -> None:
    with pytest.raises(ValueError, match="a word of the letters A to Z is needed"):
        spell(word)


def test_times_must_be_positive() -> None:
    with pytest.raises(ValueError, match="times must be > 0 s"):
        spell("A", letter_s=0.0)
