from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from overlays.colours import INK
from overlays.contour import draw_outline, outline_loops
from tests.overlays.scenes import flat_picture


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
    canvas = flat_picture()
    draw_outline(canvas, mask, (40, 30, 140, 130), opacity=1.0, width_px=1.0, colour=INK)
    assert (canvas[65:95, 50:80] == 128).all()  # inside
    assert (canvas[35:50, 40:140] == 128).all()  # outside
    assert canvas[80, 88:92].max() > 180  # right border, x = 90, between two pixels
    mirrored = flat_picture()
    draw_outline(
        mirrored, mask, (40, 30, 140, 130), opacity=1.0, width_px=1.0, colour=INK, mirrored=True
    )
    assert mirrored[80, 88:92].max() > 180
    assert mirrored[80, 138:142].max() > 180
    assert (mirrored[80, 38:42] == 128).all()
