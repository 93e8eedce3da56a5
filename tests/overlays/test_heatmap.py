from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from overlays.colours import colour_table
from overlays.heatmap import draw_heat
from tests.overlays.scenes import flat_picture, one_hot

BOX = (40.0, 30.0, 140.0, 130.0)


def _full(value: float = 1.0) -> npt.NDArray[np.float32]:
    return np.full((4, 4), value, np.float32)


def test_full_opacity_gives_the_scale_s_own_colours_and_touches_nothing_outside() -> None:
    for value, index in ((0.0, 0), (1.0, 255)):
        canvas = flat_picture()
        draw_heat(
            canvas, _full(value), BOX, colormap="viridis", alpha=1.0, floor=1.0, soft_edges=False
        )
        inside = canvas[30:130, 40:140].copy()
        assert (inside == colour_table("viridis")[index]).all()
        canvas[30:130, 40:140] = 128
        assert (canvas == 128).all()


def test_soft_edges_fade_to_the_untouched_picture() -> None:
    canvas = flat_picture()
    draw_heat(canvas, _full(), BOX, colormap="gray", alpha=1.0)
    middle, profile = canvas[80, 90, 0], canvas[80, 40:90, 0].astype(int)
    assert middle == 255
    assert abs(int(canvas[80, 40, 0]) - 128) <= 3  # no visible edge
    assert (np.diff(profile) >= 0).all()
    canvas[30:130, 40:140] = 128
    assert (canvas == 128).all()


def test_alpha_mixes_colour_and_picture() -> None:
    canvas = flat_picture(value=100)
    draw_heat(canvas, _full(), BOX, colormap="gray", alpha=0.4, soft_edges=False)
    assert abs(int(canvas[80, 90, 0]) - (0.6 * 100 + 0.4 * 255)) <= 1.5


def test_where_the_model_does_not_look_the_picture_shows_through() -> None:
    canvas = flat_picture()
    draw_heat(canvas, _full(0.0), BOX, colormap="inferno", alpha=0.6, soft_edges=False)
    assert 90 < canvas[80, 90].min() < 128


def test_patches_stand_where_they_belong() -> None:
    for row, column in ((0, 0), (0, 3), (3, 1)):
        canvas = flat_picture(value=0)
        draw_heat(canvas, one_hot(row, column), BOX, colormap="gray", alpha=1.0, soft_edges=False)
        y, x = np.unravel_index(canvas[..., 0].argmax(), canvas.shape[:2])
        assert 30 + 25 * row <= y < 30 + 25 * (row + 1)
        assert 40 + 25 * column <= x < 40 + 25 * (column + 1)
        centre = canvas[round(30 + 25 * (row + 0.5)), round(40 + 25 * (column + 0.5)), 0]
        assert centre > 240  # the patch's own value at its centre


def test_mirrored_map_is_the_flipped_map() -> None:
    plain, mirrored = flat_picture(), flat_picture()
    draw_heat(plain, one_hot(1, 0), BOX, colormap="inferno", alpha=0.6)
    draw_heat(mirrored, one_hot(1, 0), BOX, colormap="inferno", alpha=0.6, mirrored=True)
    np.testing.assert_array_equal(plain[30:130, 40:140], mirrored[30:130, 40:140][:, ::-1])


@pytest.mark.parametrize(
    "box",
    [
        (-50.0, -40.0, 60.0, 70.0),
        (300.0, 200.0, 400.0, 300.0),
        (-100.0, -100.0, 500.0, 500.0),
        (10.2, 10.2, 10.4, 10.4),
        (400.0, 10.0, 500.0, 90.0),
    ],
)
def test_box_may_leave_the_picture(box: tuple[float, float, float, float]) -> None:
    canvas = flat_picture()
    draw_heat(canvas, _full(), box, colormap="gray", alpha=1.0, soft_edges=False)
    left, top, right, bottom = (round(edge) for edge in box)
    rows, columns = np.mgrid[0:240, 0:320]
    inside = (columns >= left) & (columns < right) & (rows >= top) & (rows < bottom)
    assert (canvas[inside] == 255).all()
    assert (canvas[~inside] == 128).all()


def test_large_maps_are_blended_without_seams() -> None:
    """Rows are blended in bands; a smooth map must stay smooth across them."""
    canvas = np.zeros((600, 40, 3), np.uint8)
    ramp = np.repeat(np.linspace(0, 1, 8, dtype=np.float32)[:, None], 8, axis=1)
    draw_heat(
        canvas, ramp, (0, 0, 40, 600), colormap="gray", alpha=1.0, floor=1.0, soft_edges=False
    )
    assert np.abs(np.diff(canvas[:, 20, 0].astype(int))).max() <= 3
