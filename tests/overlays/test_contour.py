from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from overlays.colours import INK
from overlays.contour import draw_outline, mass_mask, outline_loops
from tests.overlays.scenes import flat_picture


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


def test_a_map_of_zeros_has_no_outline() -> None:
    mask = mass_mask(np.zeros((4, 4), np.float32), 0.5)
    assert not mask.any()
    assert outline_loops(mask) == []


def _area(loop: npt.NDArray[np.float64]) -> float:
    x, y = loop.T
    return float(0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1)))


@pytest.mark.parametrize("seed", range(5))
def test_loops_enclose_exactly_the_mask(seed: int) -> None:
    mask = np.random.default_rng(seed).uniform(size=(9, 12)) > 0.5
    # Holes run the other way round, so signed areas add up to the number of patches.
    assert sum(_area(loop) for loop in outline_loops(mask)) == mask.sum()


def test_one_patch_is_one_square() -> None:
    mask = np.zeros((3, 3), bool)
    mask[1, 2] = True
    (loop,) = outline_loops(mask)
    assert sorted(map(tuple, loop.tolist())) == [(2, 1), (2, 2), (3, 1), (3, 2)]


def test_patches_that_touch_at_a_corner_are_apart() -> None:
    assert len(outline_loops(np.eye(3, dtype=bool))) == 3


def test_outline_runs_along_the_patches_border_and_leaves_the_inside_alone() -> None:
    mask = np.zeros((4, 4), bool)
    mask[1:3, 0:2] = True
    room = flat_picture()
    draw_outline(room, mask, (40, 30, 140, 130), opacity=1.0, width_px=1.0, colour=INK)
    assert (room[65:95, 50:80] == 128).all()  # inside
    assert (room[35:50, 40:140] == 128).all()  # outside
    assert room[80, 88:92].max() > 180  # right border, x = 90, between two pixels
    mirrored = flat_picture()
    draw_outline(
        mirrored, mask, (40, 30, 140, 130), opacity=1.0, width_px=1.0, colour=INK, mirrored=True
    )
    assert mirrored[80, 88:92].max() > 180
    assert mirrored[80, 138:142].max() > 180
    assert (mirrored[80, 38:42] == 128).all()
