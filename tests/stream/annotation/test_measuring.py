"""Scenes become moments: in order, exact, without their pictures; with real models, too."""

from __future__ import annotations

import gc
import threading
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from models import load_model
from models.crops import Cropper
from models.hands.finder import MediaPipeHandFinder
from stream.annotation.measuring import Measurer
from stream.annotation.moments import Moment
from stream.geometry import HandRegion
from stream.scene import Scene
from stream.scenes import SceneMaker, Scenes
from stream.sources.file import FileSource
from tests.stream.annotation.hands import FRAME_WH, GRID_HW, maps_of, region_of, rendered, scene_of

HAND = (rendered("B", 5).landmarks + 100).astype(np.float64)


class Kept:
    """A writer that keeps what it is handed."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []

    def write(self, moment: Moment) -> None:
        self.moments.append(moment)

    def close(self) -> None:
        """Do nothing."""


def moments_of(*scenes: Scene) -> list[Moment]:
    kept = Kept()
    measurer = Measurer([kept])
    for scene in scenes:
        measurer.write(scene)
    measurer.close()
    measurer.close()
    return kept.moments


def test_every_scene_is_one_moment_at_its_exact_time() -> None:
    times = [Fraction(index * 1001, 30000) + Fraction(7, 90000) for index in range(12)]
    moments = moments_of(
        *(
            scene_of(index, region_of(HAND), time_s=time_s, duration=2)
            for index, time_s in enumerate(times)
        )
    )
    assert [moment.time_s for moment in moments] == times
    assert [moment.frame_index for moment in moments] == list(range(12))
    for moment in moments:
        assert moment.pts * moment.time_base == moment.time_s
        assert moment.duration_s == 2 * moment.time_base
        assert moment.absent == {"left": "not yet"}


def test_all_writers_get_all_moments() -> None:
    writers = [Kept(), Kept()]
    measurer = Measurer(writers)
    for index in range(5):
        measurer.write(scene_of(index))
    measurer.close()
    assert [len(writer.moments) for writer in writers] == [5, 5]
    assert writers[0].moments == writers[1].moments


def test_held_hand_has_no_motion_and_a_reason() -> None:
    hands = [region_of(HAND, unseen_s=max(0, index - 5) / 30) for index in range(9)]
    moments = moments_of(*(scene_of(index, hand) for index, hand in enumerate(hands)))
    assert [moment.hands[0].motion is None for moment in moments] == [False] * 6 + [True] * 3
    assert [moment.absent.get("right") for moment in moments] == [None] * 6 + ["lost"] * 3


def test_focus_is_of_maps_of_this_very_frame() -> None:
    weights = np.full((2, *GRID_HW), 1 / 784)
    scenes = [
        scene_of(index, region_of(HAND), maps=maps_of(weights, frame_index=min(index, 3)))
        for index in range(6)
    ]
    moments = moments_of(*scenes)
    assert [moment.hands[0].focus is not None for moment in moments] == [True] * 4 + [False] * 2
    assert all(moment.hands[0].maps for moment in moments)
    divergences = [m.hands[0].focus.divergence_to_before[0] for m in moments if m.hands[0].focus]
    assert np.isnan(divergences[0])
    assert divergences[1:] == pytest.approx([0] * 3, abs=1e-6)


def test_whole_picture_has_no_motion_and_nobody_is_absent() -> None:
    whole = HandRegion.whole_frame(FRAME_WH)
    maps = maps_of(np.full((2, *GRID_HW), 1 / 784))
    (moment,) = moments_of(scene_of(0, whole, maps=maps))
    assert moment.absent == {}
    (hand,) = moment.hands
    assert hand.motion is None
    assert hand.focus is not None


def test_pictures_are_let_go_at_once() -> None:
    measurer = Measurer([])
    for index in range(4):
        scene = scene_of(index, region_of(HAND))
        assert scene.frame.image.base is not None
        picture = weakref.ref(scene.frame.image.base)
        measurer.write(scene)
        del scene
        gc.collect()
        assert picture() is None


def test_moments_do_not_pile_up() -> None:
    kept = Kept()
    measurer = Measurer([kept])
    for index in range(300):
        measurer.write(scene_of(index, region_of(HAND)))
        assert index - len(kept.moments) < 5


def test_moments_of_a_clip_with_real_models(sample_clip: Path) -> None:
    kept = Kept()
    measurer = Measurer([kept])
    model = load_model("dino_hands8", device="cpu")
    with (
        FileSource(sample_clip, end_s=0.5) as source,
        MediaPipeHandFinder() as finder,
        Scenes(
            source,
            SceneMaker(
                finder=finder,
                cut=Cropper(size_px=model.spec.crop_px, patch_px=model.patch_px),
                model=model,
            ),
            stop=threading.Event(),
        ) as scenes,
    ):
        for scene in scenes:
            measurer.write(scene)
    measurer.close()
    assert len(kept.moments) == 15
    for moment in kept.moments:
        (hand,) = moment.hands
        assert hand.region.handedness == "right"
        assert hand.motion is not None
        assert hand.focus is not None
        assert hand.motion.palm_speed < 0.5
        assert hand.focus.mass_on_hand.shape == (model.num_heads + 1,)
        assert 0.2 < hand.focus.mass_on_hand[-1] < 1
        assert hand.focus.lift_on_hand[-1] > 1
    later = [m.hands[0].focus for m in kept.moments[1:] if m.hands[0].focus]
    assert max(focus.divergence_to_before[-1] for focus in later) < 0.1
