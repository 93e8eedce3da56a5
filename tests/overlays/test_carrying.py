from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overlays.carrying import carried_box, map_opacity, region_opacity
from stream.geometry import HandRegion
from tests.overlays.scenes import make_maps, make_region, one_hot

THEN = make_region((100, 80, 180, 160))
MAPS = make_maps(THEN, one_hot(0, 0)[None])


def test_map_stays_where_it_was_made_while_its_hand_does() -> None:
    assert carried_box(MAPS, THEN) == pytest.approx(MAPS.transform.box_xyxy)


def test_map_moves_and_grows_with_its_hand() -> None:
    now = make_region((200, 20, 360, 180))  # twice as large, elsewhere
    left, top, right, bottom = carried_box(MAPS, now)
    assert (right - left, bottom - top) == pytest.approx((2 * 120, 2 * 120))
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(now.centre_xy)


def test_map_keeps_its_proportions_when_the_hand_changes_shape() -> None:
    left, top, right, bottom = carried_box(MAPS, make_region((100, 80, 140, 160)))
    assert right - left == pytest.approx(bottom - top) == pytest.approx(120)


def test_map_of_unknown_origin_and_of_the_whole_picture_stay() -> None:
    unknown = replace(MAPS, region_box_xyxy=None)
    assert carried_box(unknown, make_region((0, 0, 9, 9))) == MAPS.transform.box_xyxy
    whole = HandRegion.whole_frame((320, 240))
    maps = make_maps(whole, one_hot(0, 0)[None])
    assert carried_box(maps, whole) == pytest.approx((0, 0, 320, 240))


def test_map_is_full_when_new_gone_when_old_and_only_ever_fades() -> None:
    ages = np.linspace(0, 2, 201)
    opacity = [map_opacity(age, MAPS.lifetime_s) for age in ages]
    assert map_opacity(0.15, MAPS.lifetime_s) == 1
    assert map_opacity(0.575, MAPS.lifetime_s) == pytest.approx(0.5)
    assert map_opacity(1.0, MAPS.lifetime_s) == 0
    assert (np.diff(opacity) <= 0).all()


def test_maps_of_a_slow_model_can_be_seen_and_look_old() -> None:
    lifetime_s = replace(MAPS, compute_ns=1_200_000_000).lifetime_s
    when_it_comes, when_the_next_comes = map_opacity(1.2, lifetime_s), map_opacity(2.4, lifetime_s)
    assert 0.9 > when_it_comes > 0.5
    assert 0.5 > when_the_next_comes > 0.1
    assert map_opacity(3.6, lifetime_s) == 0


@pytest.mark.parametrize(("compute_s", "lifetime_s"), [(0, 1), (0.3, 1), (0.5, 1.5), (4, 12)])
def test_maps_live_for_a_second_or_three_times_what_they_take(
    compute_s: float, lifetime_s: float
) -> None:
    maps = replace(MAPS, compute_ns=round(compute_s * 1e9))
    assert maps.lifetime_s == pytest.approx(lifetime_s)


def test_held_hand_fades_within_the_time_it_is_held() -> None:
    assert region_opacity(0.0) == 1
    assert 0 < region_opacity(0.2) < region_opacity(0.1) < 1
    assert region_opacity(0.3) == 0
