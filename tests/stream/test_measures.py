"""Every measure against maps whose answer is known, and against maps that share nothing out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from stream.measures import (
    Floats,
    centroid,
    cover_of,
    effective_heads,
    effective_patches,
    entropy_bits,
    head_divergence,
    jensen_shannon_bits,
    lift,
    mass_mask,
    mass_on,
    normalized_entropy,
    peak_on,
    rank_accuracy,
    shares_of,
    spread,
)

FOCUSED = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.25]])
UNIFORM = np.full((2, 3), 0.1)
HALVES = np.array([[0.0, 0.2, 0.2], [0.0, 0.0, 0.0]])
COVER = np.array([[1.0, 0.6, 0.0], [0.4, 0.0, 0.0]])
WITHOUT_SHARES = {
    "zeros": np.zeros((2, 3)),
    "nan": np.array([[0.1, np.nan, 0.1], [0.1, 0.1, 0.1]]),
    "infinite": np.array([[0.1, np.inf, 0.1], [0.1, 0.1, 0.1]]),
}


def test_effective_heads_count_those_that_differ() -> None:
    corners = np.eye(4).reshape(4, 2, 2)
    assert effective_heads(corners) == pytest.approx(4)
    assert effective_heads(np.stack([corners[0]] * 4)) == pytest.approx(1)
    assert effective_heads(corners[[0, 0, 1, 1]]) == pytest.approx(2)
    assert effective_heads(np.stack([corners[:2], corners[1:3]])).shape == (2,)
    assert np.isnan(effective_heads(np.zeros((2, 2, 2))))


def test_cover_counts_pixels_of_each_patch() -> None:
    masks = np.array([[c == "#" for c in row] for row in ("##..", "##..", "#...", "....")])[None]
    assert cover_of(masks, (2, 2)).tolist() == [[[1.0, 0.0], [0.25, 0.0]]]


def test_lift_is_one_by_chance_and_one_over_area_at_best() -> None:
    cover = np.array([[[1.0, 0.0], [0.0, 0.0]]])
    uniform, focused = np.full((2, 2), 0.25), np.array([[0.5, 0.0], [0.0, 0.0]])
    maps = np.stack([uniform, focused])[None]
    # The second head's other half went to the CLS token itself, which does not count.
    assert lift(maps, cover[:, None]).tolist() == [[1.0, 4.0]]


def test_the_peak_is_on_what_fills_more_than_half_of_it() -> None:
    cover = np.array([[1.0, 0.0], [0.5, 0.6]])
    maps = np.array([[[0.9, 0.1], [0, 0]], [[0, 0], [0.4, 0]], [[0, 0], [0.4, 0.6]]])
    assert peak_on(maps, cover).tolist() == [1, 0, 1]
    assert np.isnan(peak_on(np.zeros((2, 2)), cover))
    assert np.isnan(peak_on(maps, np.zeros((2, 2)))).all()


def test_lift_by_hand() -> None:
    cover = np.array([[[1.0, 0.5], [0.0, 0.0]]])  # area 3/8
    maps = np.array([[[[0.4, 0.2], [0.3, 0.1]]]])  # 0.4 + 0.1 on the hand
    assert lift(maps, cover[:, None])[0, 0] == pytest.approx(0.5 / 0.375)


def test_mass_mask_keeps_the_fewest_patches_with_the_mass() -> None:
    maps = np.array([[[[0.35, 0.3], [0.25, 0.1]], [[0.7, 0.1], [0.1, 0.1]]]])
    assert mass_mask(maps, 0.6).tolist() == [
        [[[True, True], [False, False]], [[True, False], [False, False]]]
    ]
    assert mass_mask(maps, 0.65)[0, 0].sum() == 2  # 0.35 + 0.3 is exactly enough
    assert mass_mask(maps, 0.66)[0, 0].sum() == 3


def test_divergence_of_heads_by_hand() -> None:
    one, other = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    half = np.array([[0.5, 0.5]])
    assert head_divergence(np.stack([one, one])[None]) == pytest.approx(0.0)
    assert head_divergence(np.stack([one, other])[None]) == pytest.approx(1.0)
    # Entropy of (3/4, 1/4) less half an entropy of (1/2, 1/2).
    expected = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)) - 0.5
    assert head_divergence(np.stack([one, half])[None]) == pytest.approx(expected)
    assert head_divergence(one[None, None]) == 0.0


def test_mask_holds_the_mass_with_as_few_patches_as_possible() -> None:
    rng = np.random.default_rng(0)
    for mass in (0.1, 0.5, 0.6, 0.95):
        weights = rng.uniform(0, 1, (14, 14)).astype(np.float32) ** 4
        mask = mass_mask(weights, mass)
        share = weights[mask].sum(dtype=np.float64) / weights.sum(dtype=np.float64)
        weakest = weights[mask].min() / weights.sum(dtype=np.float64)
        assert share >= mass - 1e-6
        assert share - weakest < mass
        assert weights[mask].min() >= weights[~mask].max()


def test_mask_agrees_with_the_published_recipe() -> None:
    """visualize_attention.py: sort rising, keep where the running sum exceeds 1 - threshold."""
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.01, 1, (6, 7)).astype(np.float32)
    order = np.argsort(weights.ravel())
    running = np.cumsum(weights.ravel()[order] / weights.sum())
    expected = np.zeros(weights.size, bool)
    expected[order] = running > 1 - 0.6
    np.testing.assert_array_equal(mass_mask(weights, 0.6), expected.reshape(6, 7))


def test_entropy_of_one_patch_two_patches_and_all() -> None:
    maps = np.stack([FOCUSED, HALVES, UNIFORM])
    assert entropy_bits(maps) == pytest.approx([0.0, 1.0, math.log2(6)])
    assert normalized_entropy(maps) == pytest.approx([0.0, 1 / math.log2(6), 1.0])
    assert effective_patches(maps) == pytest.approx([1.0, 2.0, 6.0])


def test_the_scale_of_a_map_makes_no_difference() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((4, 6, 5, 7)).astype(np.float32)
    for measure in (entropy_bits, effective_patches, centroid, spread, head_divergence):
        assert measure(maps * np.float32(1000)) == pytest.approx(measure(maps), rel=1e-5)


def test_mass_on_a_region_counts_what_it_fills_in_part() -> None:
    assert mass_on(HALVES, COVER) == pytest.approx(0.3)  # 0.6 of one half
    assert mass_on(np.stack([FOCUSED, UNIFORM]), COVER) == pytest.approx([0.0, 2.0 / 6])


def test_rank_accuracy_asks_as_many_patches_as_the_region_has() -> None:
    # Two patches are more than half covered: (0, 0) and (0, 1).
    best = np.array([[0.3, 0.4, 0.1], [0.1, 0.05, 0.05]])
    half = np.array([[0.3, 0.1, 0.4], [0.1, 0.05, 0.05]])
    none = np.array([[0.0, 0.1, 0.4], [0.5, 0.0, 0.0]])
    assert rank_accuracy(np.stack([best, half, none]), COVER).tolist() == [1.0, 0.5, 0.0]
    assert np.isnan(rank_accuracy(best, np.full((2, 3), 0.5)))


def test_centroid_and_spread_are_those_of_the_patches() -> None:
    assert centroid(FOCUSED) == pytest.approx([5 / 6, 3 / 4])
    assert spread(FOCUSED) == pytest.approx([0.0, 0.0])
    assert centroid(HALVES) == pytest.approx([2 / 3, 1 / 4])
    assert spread(HALVES) == pytest.approx([1 / 6, 0.0])
    assert centroid(UNIFORM) == pytest.approx([0.5, 0.5])


def test_divergence_is_symmetric_and_zero_from_itself() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 3, 4, 5))
    assert jensen_shannon_bits(one, one) == pytest.approx(np.zeros(3), abs=1e-12)
    assert jensen_shannon_bits(one, other) == pytest.approx(jensen_shannon_bits(other, one))


def test_a_single_patch_has_all_of_it() -> None:
    single = np.array([[0.3]])
    assert entropy_bits(single) == 0.0
    assert effective_patches(single) == 1.0
    assert np.isnan(normalized_entropy(single))
    assert mass_mask(single, 0.6).tolist() == [[True]]
    assert centroid(single) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("maps", WITHOUT_SHARES.values(), ids=list(WITHOUT_SHARES))
@pytest.mark.parametrize(
    "measure",
    [
        shares_of,
        entropy_bits,
        normalized_entropy,
        effective_patches,
        centroid,
        spread,
        lambda maps: mass_on(maps, COVER),
        lambda maps: lift(maps, COVER),
        lambda maps: rank_accuracy(maps, COVER),
        lambda maps: jensen_shannon_bits(maps, UNIFORM),
        lambda maps: head_divergence(np.stack([maps, UNIFORM])),
    ],
)
def test_a_map_that_shares_nothing_out_has_no_numbers(
    maps: npt.NDArray[np.float64], measure: Callable[[npt.NDArray[np.float64]], Floats]
) -> None:
    assert np.isnan(measure(maps)).all()


@pytest.mark.parametrize("maps", WITHOUT_SHARES.values(), ids=list(WITHOUT_SHARES))
def test_a_map_that_shares_nothing_out_has_an_empty_mask(
    maps: npt.NDArray[np.float64],
) -> None:
    assert not mass_mask(maps, 0.6).any()


def test_lift_on_a_region_without_area_is_unknown() -> None:
    assert np.isnan(lift(UNIFORM, np.zeros((2, 3))))
