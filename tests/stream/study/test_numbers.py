"""The numbers of a study, where they are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream.annotation.moments import PARTS
from stream.annotation.parts import cover_parts
from stream.geometry import CropTransform
from stream.measures import mass_on
from stream.study.numbers import LEAST_PICTURES, measure_maps, number_block
from tests.stream.annotation.hands import GRID_HW, WHOLE_PICTURE, maps_of
from tests.stream.study.studied import HAND, block_of, flat

COVER = cover_parts(HAND, WHOLE_PICTURE, GRID_HW)


def test_a_map_without_preference_is_at_chance_and_one_of_the_hand_at_the_most() -> None:
    numbers = number_block(block_of([np.stack([flat(1)[0], COVER.sum(0) >= 1])]), 0)
    area = COVER.sum(0).mean()
    assert numbers.means["mass_on_hand"][0] == pytest.approx(area)
    assert numbers.means["mass_over_area"][0] == pytest.approx(1)
    assert numbers.means["mass_over_area"][1] == pytest.approx(1 / area)
    assert numbers.means["most"] == pytest.approx([1 / area] * 3)
    assert numbers.means["peak_on_hand"][1] == 1
    assert numbers.means["effective_patches"][0] == pytest.approx(28 * 28)
    for part in PARTS:
        assert numbers.means[f"on_{part}"][0] == pytest.approx(1)


def test_a_whole_picture_without_hands_has_numbers_of_detail_alone() -> None:
    numbers = measure_maps(maps_of(flat()), ())
    assert np.isnan(numbers["mass_on_hand"]).all()
    assert np.isnan(numbers["peak_on_hand"]).all()
    assert numbers["effective_patches"] == pytest.approx([784] * 3)


def test_heads_that_share_no_patch_differ_in_full_and_equal_ones_not() -> None:
    halves = flat(3)
    halves[0, :14] = halves[1:, 14:] = 0
    numbers = number_block(block_of([halves]), 0)
    assert numbers.matrix == pytest.approx(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]), abs=1e-9)
    assert numbers.most_alike == (1, 2)
    assert numbers.variation["head_divergence"][0] == pytest.approx(2 / 3)


def test_a_map_that_is_zero_leaves_the_others_their_numbers() -> None:
    signs = [np.concatenate([flat(2), np.zeros((1, *GRID_HW))]), flat(3)]
    numbers = number_block(block_of(signs[:1], kind="activation"), 0)
    assert numbers.most_alike == (0, 1)
    assert np.isnan(numbers.means["mass_on_hand"][2])
    numbers = number_block(block_of(signs, kind="activation"), 0)
    assert numbers.means["mass_over_area"][2] == pytest.approx(1)
    assert numbers.variation["effective_heads"][0] == pytest.approx(1)


def test_heads_are_called_by_the_part_that_they_keep_to() -> None:
    thumb, palm = COVER[PARTS.index("thumb")], COVER[PARTS.index("palm")]
    signs = [np.stack([thumb, palm if number < 3 else thumb]) for number in range(6)]
    numbers = number_block(block_of(signs), 0)
    first, second = numbers.roles
    assert first is not None
    assert (first.name, first.share) == ("thumb", 1)
    assert second is not None
    assert second.name == ""  # half of the time the one, half of the time the other
    assert [group.heads for group in numbers.groups] == [(0,), (1,)]


def test_heads_that_look_at_the_same_are_a_group_whatever_the_sign() -> None:
    thumb, palm = COVER[PARTS.index("thumb")], COVER[PARTS.index("palm")]
    beside = np.clip(1 - COVER.sum(0), 0, 1)
    rng = np.random.default_rng(0)
    signs = []
    for _ in range(6):
        noise = rng.random((4, *GRID_HW)) ** 4
        signs.append(np.stack([palm, thumb, palm, beside]) + 0.3 * noise * (COVER.sum(0) > 0))
    groups = number_block(block_of(signs), 0).groups
    assert [(group.heads, group.role.name) for group in groups] == [
        ((0, 2), "palm"), ((1,), "thumb"), ((3,), "elsewhere"),
    ]  # fmt: skip


def test_what_a_face_gets_is_told_from_the_rest_and_not_twice_where_a_hand_hides_it() -> None:
    face = replace(HAND, face_xyxy=(0.0, 0.0, 224.0, 112.0))
    numbers = measure_maps(maps_of(flat(1)), (face,))
    oval = np.pi / 4 / 2  # of the picture
    hidden = mass_on(flat(1), np.minimum(COVER.sum(0), 1))[0]
    on_face = numbers["mass_on_face"][0]
    assert oval - hidden < on_face < oval
    assert numbers["face_over_area"] == pytest.approx([1, 1])
    parts = ("mass_on_hand", "mass_on_face", "mass_elsewhere")
    assert sum(numbers[name] for name in parts) == pytest.approx([1, 1])
    assert np.isnan(measure_maps(maps_of(flat(1)), (HAND,))["mass_on_face"]).all()


def test_a_crop_changes_nothing_where_both_maps_are_the_same_light() -> None:
    """Of a crop that is the middle of the picture, with patches of half the size."""
    macro = maps_of(np.random.default_rng(0).random((2, *GRID_HW)))
    fine = macro.weights[:, 7:21, 7:21].repeat(2, 1).repeat(2, 2)
    crop = CropTransform(left_px=56.0, top_px=56.0, scale_xy=(0.5, 0.5), crop_wh=(224, 224))
    micro = replace(maps_of(fine), transform=crop)
    numbers = measure_maps(micro, (HAND,), macro)
    assert numbers["crop_divergence"] == pytest.approx([0, 0, 0], abs=1e-9)
    assert numbers["macro_on_hand"] == pytest.approx(numbers["mass_on_hand"], rel=0.02)
    left, right = flat(1), flat(1)
    left[:, :, 14:] = right[:, :, :14] = 0
    apart = measure_maps(replace(maps_of(left), transform=crop), (HAND,), maps_of(right))
    assert apart["crop_divergence"] == pytest.approx([1, 1])


def test_intervals_come_with_enough_signs_and_hold_the_mean() -> None:
    rng = np.random.default_rng(0)
    signs = [rng.random((2, *GRID_HW)) ** 8 for _ in range(LEAST_PICTURES)]
    assert number_block(block_of(signs[1:]), 0).intervals is None
    numbers = number_block(block_of(signs), 0)
    assert numbers.intervals is not None
    low, high = numbers.intervals["mass_on_hand"]
    mean = numbers.means["mass_on_hand"]
    assert (low < mean).all()
    assert (mean < high).all()
    values = numbers.values["mass_on_hand"]
    error = values.std(0, ddof=1) / np.sqrt(LEAST_PICTURES)  # the theory of a mean's error
    assert (high - low)[0] == pytest.approx(2 * 1.96 * error[0], rel=0.15)
    mean_of_heads, interval = numbers.variation["effective_heads"]
    assert interval is not None
    assert interval[0] < mean_of_heads < interval[1]
