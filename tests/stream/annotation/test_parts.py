"""The parts of a hand on a map's grid, against the masks of rendered hands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import mediapipe as mp
import numpy as np
import pytest

from models.hands.bundle import find_hand_bundle
from samples.hand import HandPicture
from samples.handshapes import LETTERS
from stream.annotation.parts import cover_parts, palm_length_px
from stream.geometry import CropTransform, Handedness
from stream.measures import Floats, mass_on
from tests.stream.annotation.hands import (
    GRID_HW,
    WHOLE_PICTURE,
    bumps_on,
    region_of,
    rendered,
    true_cover,
)


@pytest.fixture(scope="module")
def landmarker() -> Iterator[mp.tasks.vision.HandLandmarker]:
    options = mp.tasks.vision.HandLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_buffer=find_hand_bundle().content)
    )
    with mp.tasks.vision.HandLandmarker.create_from_options(options) as landmarker:
        yield landmarker


def errors_of(cover: Floats, truth: Floats) -> Floats:
    """How far the masses of maps are from those on the true masks, (12, 6)."""
    maps = bumps_on(truth)[:, None]
    return np.abs(mass_on(maps, cover) - mass_on(maps, truth))


def test_masses_are_those_on_the_true_masks() -> None:
    errors = []
    for letter in LETTERS:
        picture = rendered(letter, 5)
        region = region_of(picture.landmarks, picture.handedness)
        errors.append(errors_of(cover_parts(region, WHOLE_PICTURE, GRID_HW), true_cover(picture)))
    assert np.mean(errors, (0, 1)).max() < 0.05


def test_masses_hold_with_landmarks_that_mediapipe_finds(
    landmarker: mp.tasks.vision.HandLandmarker,
) -> None:
    errors = []
    for letter in LETTERS[::2]:
        picture = rendered(letter, 5)
        found = landmarker.detect(mp.Image(mp.ImageFormat.SRGB, picture.image))
        if not found.hand_landmarks:
            continue
        landmarks = np.array([(point.x, point.y) for point in found.hand_landmarks[0]])
        side: Handedness = "left" if found.handedness[0][0].category_name == "Left" else "right"
        region = region_of(landmarks * picture.image.shape[1::-1], side)
        errors.append(errors_of(cover_parts(region, WHOLE_PICTURE, GRID_HW), true_cover(picture)))
    assert len(errors) > 8
    assert np.mean(errors, (0, 1))[:5].max() < 0.05


def test_folded_fingers_hide_the_palm_and_are_hidden_by_the_back() -> None:
    fist = rendered("S", 5)
    region = region_of(fist.landmarks, fist.handedness)
    palm_side = cover_parts(region, WHOLE_PICTURE, GRID_HW)
    other: Handedness = "left" if fist.handedness == "right" else "right"
    back = cover_parts(replace(region, handedness=other), WHOLE_PICTURE, GRID_HW)
    assert palm_side[:5].sum() > 1.5 * back[:5].sum()
    assert palm_side[-1].sum() < back[-1].sum()


def test_parts_share_patches_out_and_leave_the_forearm() -> None:
    picture = rendered("B", 5)
    cover = cover_parts(region_of(picture.landmarks, "right"), WHOLE_PICTURE, GRID_HW)
    hand = cover.sum(0)
    assert cover.min() >= 0
    assert hand.max() == pytest.approx(1)
    assert hand.sum() == pytest.approx(true_cover(picture).sum(), rel=0.15)
    wrist_row = int(picture.landmarks[0, 1] / 8)
    assert not hand[wrist_row + 3 :].any()


@pytest.mark.parametrize("grid_hw", [(7, 7), (14, 14), (28, 28), (56, 56)])
def test_area_does_not_depend_on_the_grid(grid_hw: tuple[int, int]) -> None:
    picture = rendered("V", 5)
    region = region_of(picture.landmarks, picture.handedness)
    areas = cover_parts(region, WHOLE_PICTURE, grid_hw).mean((1, 2))
    expected = cover_parts(region, WHOLE_PICTURE, GRID_HW).mean((1, 2))
    assert areas == pytest.approx(expected, rel=0.05, abs=0.002)


def test_cover_follows_the_crop() -> None:
    """What lies in one quarter of the picture fills a crop of that quarter four times as much."""
    picture: HandPicture = rendered("V", 5)
    region = region_of(picture.landmarks, picture.handedness)
    whole = cover_parts(region, WHOLE_PICTURE, (56, 56))
    quarter = CropTransform(left_px=112.0, top_px=0.0, scale_xy=(0.5, 0.5), crop_wh=(224, 224))
    part = cover_parts(region, quarter, (28, 28))
    assert part.mean() == pytest.approx(whole[:, :28, 28:].mean(), rel=0.05)


@pytest.mark.parametrize("away_px", [-4000.0, 4000.0])
def test_hand_outside_the_crop_covers_nothing(away_px: float) -> None:
    landmarks = rendered("V", 5).landmarks + away_px
    assert not cover_parts(region_of(landmarks), WHOLE_PICTURE, GRID_HW).any()


def test_landmarks_in_one_place_are_harmless() -> None:
    landmarks = np.full((21, 2), 100.0) + np.eye(21, 2)
    assert cover_parts(region_of(landmarks), WHOLE_PICTURE, GRID_HW).sum() < 8


def test_palm_keeps_its_length_where_it_is_foreshortened() -> None:
    flat = rendered("B", 5).landmarks.astype(np.float64)
    middle = flat.mean(0)
    foreshortened = middle + (flat - middle) * (1.0, 0.4)
    assert palm_length_px(foreshortened) > 0.7 * palm_length_px(flat)
    assert palm_length_px(2 * flat) == pytest.approx(2 * palm_length_px(flat))
