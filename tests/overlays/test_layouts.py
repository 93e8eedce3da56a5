"""The table of layouts, and what all of them keep to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import overlays.layouts
from overlays.compositor import Compositor
from overlays.layouts import LAYOUTS, open_layout
from overlays.panes import box_within
from overlays.style import Style
from tests.golden.write import scene
from tests.overlays.scenes import flat_picture, make_region, make_scene, two_hands


def test_every_file_is_a_row_of_the_table() -> None:
    files = {path.stem for path in Path(overlays.layouts.__file__).parent.glob("*.py")}
    assert files == {*LAYOUTS, "__init__", "layout"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_row_opens_and_draws(name: str) -> None:
    assert type(open_layout(name)).__name__ == name.capitalize()
    canvas = Compositor(Style(layout=name)).draw(scene())
    width, height = open_layout(name).plan(scene().frame.size_wh).canvas_wh
    assert canvas.shape == (height, width, 3)


@pytest.mark.parametrize("left", [-60, 190], ids=["left", "right"])
def test_close_ups_of_a_hand_at_the_edge_show_no_black_beyond_the_picture(left: int) -> None:
    upright = flat_picture((270, 480), 200)
    hand = make_region((left, 200, left + 140, 340))
    canvas = Compositor(Style(layout="insets", hud=False)).draw(make_scene(upright, [hand]))
    assert (canvas != upright).any()
    assert canvas.min() > 0


def test_close_ups_fade_with_the_hand_that_is_no_longer_seen() -> None:
    compositor = Compositor(Style(layout="insets", skeleton=False, hud=False))
    corner = np.s_[2:60, 2:60]
    change = [
        np.abs(compositor.draw(two_hands(unseen_s=s))[corner].astype(int) - 128).mean()
        for s in (0.0, 0.15, 0.3)
    ]
    assert change[0] > change[1] > change[2] == 0


@given(
    st.floats(-300, 600),
    st.floats(-300, 600),
    st.floats(1, 1080),
    st.floats(1, 1080),
)
def test_a_close_up_s_part_lies_in_the_picture(
    left: float, top: float, width: float, height: float
) -> None:
    x0, y0, x1, y1 = box_within((left, top, left + width, top + height), (270, 480))
    assert -1e-6 <= x0 < x1 <= 270 + 1e-6
    assert -1e-6 <= y0 < y1 <= 480 + 1e-6
    assert (x1 - x0) / (y1 - y0) == pytest.approx(width / height)
