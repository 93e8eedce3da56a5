"""What layouts draw beside the picture and into its corners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from overlays.compositor import Compositor
from overlays.layouts import open_layout
from overlays.style import Style
from stream.frames import RgbImage
from stream.scene import Scene
from tests.overlays.scenes import (
    GREY,
    flat_picture,
    make_maps,
    make_region,
    make_scene,
    random_weights,
    two_hands,
)

BARE = Style(skeleton=False, hud=False)


def test_the_grid_shows_each_head_in_a_tile_of_its_own() -> None:
    hand = make_region()
    weights = random_weights()
    mean = weights.mean(axis=0, dtype=np.float32)
    style = replace(BARE, layout="heads")

    def draw(weights: npt.NDArray[np.float32]) -> RgbImage:
        maps = make_maps(hand, weights, mean=mean)
        return Compositor(style).draw(make_scene(flat_picture(), [hand], [maps]))

    before = draw(weights)
    panel = open_layout("heads").plan((320, 240)).panel
    assert panel is not None
    places = []
    for head in range(6):
        other = weights.copy()
        other[head] = other[head, ::-1, ::-1]
        rows, columns = np.nonzero((draw(other) != before).any(axis=2))
        assert columns.min() >= panel[0]  # the picture shows the mean, which is the same
        assert rows.max() - rows.min() < (panel[3] - panel[1]) / 3
        assert columns.max() - columns.min() < (panel[2] - panel[0]) / 2
        places.append((round(rows.mean() / 40), round(columns.mean() / 40)))
    assert len(set(places)) == 6
    assert places == sorted(places)  # 0, 1, 2 ... in reading order


def test_a_lost_hand_keeps_its_place_in_the_grid_for_a_moment() -> None:
    compositor = Compositor(replace(BARE, layout="heads"))
    both = two_hands()
    first = compositor.draw(both)
    panel = open_layout("heads").plan((320, 240)).panel
    assert panel is not None
    lower = np.s_[panel[3] // 2 :, panel[0] :]

    def without_right(time_s: float) -> Scene:
        frame = make_scene(flat_picture(), time_s=time_s).frame
        return Scene(frame=frame, hands=both.hands[1:], maps={1: both.maps[1]})

    soon, later = (compositor.draw(without_right(s)) for s in (1.5, 9.0))
    np.testing.assert_array_equal(soon[lower], first[lower])
    assert (later[lower] != soon[lower]).any()


def test_a_hand_found_anew_takes_its_old_place_in_the_grid() -> None:
    compositor = Compositor(replace(BARE, layout="heads"))
    again = make_region((60, 80, 130, 150), handedness="right", track_id=7)
    scene = make_scene(flat_picture(), [again], [make_maps(again, random_weights())], time_s=1.1)
    before = make_region((60, 80, 130, 150), handedness="right", track_id=0)
    compositor.draw(make_scene(flat_picture(), [before], [make_maps(before, random_weights())]))
    np.testing.assert_array_equal(
        compositor.draw(scene), Compositor(replace(BARE, layout="heads")).draw(scene)
    )


def test_the_mark_of_random_weights_hides_no_tile_of_the_grid() -> None:
    """It has the foot of the panel for itself."""
    style = replace(BARE, head="all")
    marked = Compositor(style).draw(two_hands(is_random=True))
    panel = open_layout("heads").plan((320, 240)).panel
    assert panel is not None
    left, top, right, bottom = panel
    foot = bottom - round(0.12 * (right - left))
    rows = marked[top:bottom, left:right]
    colourful = (rows.max(axis=2).astype(int) - rows.min(axis=2) > 30).any(axis=1)
    assert colourful[: foot - top].any()
    assert not colourful[foot - top :].any()
    assert (rows[foot - top :].min(axis=2) > 180).any(), "no letters at the foot"


def test_insets_show_the_hands_own_pixels_at_the_viewers_side() -> None:
    image = flat_picture((640, 480))
    image[200:280, 280:360] = (200, 40, 40)
    hand = make_region((280, 200, 360, 280), handedness="left")
    scene = make_scene(image, [hand], [make_maps(hand, random_weights())])
    for is_mirrored in (False, True):
        canvas = Compositor(replace(BARE, layout="insets", mirror=is_mirrored)).draw(scene)
        red = (canvas == (200, 40, 40)).all(axis=2)
        assert red[:180, :200].any() == is_mirrored
        assert red[:180, -200:].any() != is_mirrored


def test_insets_make_way_for_a_hand_and_then_stay() -> None:
    compositor = Compositor(replace(BARE, layout="insets"))

    def is_low(hand_top: float) -> bool:
        hand = make_region((40, hand_top, 160, hand_top + 120))
        canvas = compositor.draw(
            make_scene(flat_picture((640, 720)), [hand], [make_maps(hand, random_weights())])
        )
        rows = np.flatnonzero((canvas[:, 12:14] != GREY).any(axis=(1, 2)))
        return bool(rows.mean() > 360)

    assert [is_low(top) for top in (500, 20, 300, 500)] == [False, True, True, False]


def test_side_shows_the_picture_and_its_maps_at_the_same_places() -> None:
    hand = make_region((100, 80, 180, 160))
    image = flat_picture((480, 360))
    canvas = Compositor(replace(BARE, layout="side")).draw(
        make_scene(image, [hand], [make_maps(hand, random_weights())])
    )
    plan = open_layout("side").plan((480, 360))
    assert plan.panel is not None
    beside = canvas[:, plan.panel[0] :]
    assert (canvas[70:170, 90:190] == GREY).all()  # no map on the picture
    assert len(np.unique(beside[80:160, 100:180].reshape(-1, 3), axis=0)) > 50
    assert len(np.unique(beside[200:230, 100:180].reshape(-1, 3), axis=0)) == 1  # grey, dark
