"""Where maps look, on rendered hands whose answer is known."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt
import pytest

from stream.annotation.focus import Focuser, lay_on_hand
from stream.annotation.moments import PARTS, Focus
from stream.geometry import CropTransform, HandRegion
from stream.measures import effective_patches, jensen_shannon_bits
from stream.scene import AttentionMaps
from tests.stream.annotation.hands import (
    GRID_HW,
    SIZE_PX,
    WHOLE_PICTURE,
    maps_of,
    region_of,
    rendered,
    true_cover,
)

OPEN_HAND = rendered("L", 3)


def attention_on(
    landmarks: npt.NDArray[np.floating], transform: CropTransform, *points: int
) -> npt.NDArray[np.float32]:
    """A head that looks at each landmark, as wide as a third of the palm, (points, 28, 28)."""
    palm_px = np.linalg.norm(landmarks[9] - landmarks[0])
    rows, columns = GRID_HW
    centres = (np.indices(GRID_HW)[::-1] + 0.5) / np.array([columns, rows])[:, None, None]
    places = transform.to_frame(np.moveaxis(centres, 0, -1) * transform.crop_wh)
    away = np.linalg.norm(places - landmarks[list(points), None, None], axis=-1) / palm_px
    weights = np.exp(-((away / 0.33) ** 2))
    return np.asarray(0.9 * weights / weights.sum((1, 2), keepdims=True), np.float32)


def focus_on(*points: int) -> tuple[Focus, AttentionMaps, HandRegion]:
    region = region_of(OPEN_HAND.landmarks, OPEN_HAND.handedness)
    maps = maps_of(attention_on(OPEN_HAND.landmarks, WHOLE_PICTURE, *points))
    return Focuser().measure(maps, region, frame_before=None), maps, region


def test_head_on_a_fingertip_is_told_so() -> None:
    focus, _, region = focus_on(8, 9)
    assert region.landmarks is not None
    palm_px = np.linalg.norm(region.landmarks[9] - region.landmarks[0])
    for xy in (focus.peak_xy, focus.centroid_xy):
        assert np.linalg.norm(xy[:2] - region.landmarks[[8, 9]], axis=1).max() < 0.15 * palm_px
    assert focus.spread_xy[:2] == pytest.approx(0.33 / np.sqrt(2) * palm_px, rel=0.1)
    assert focus.is_peak_on_hand.tolist()[:2] == [True, True]
    assert focus.kept == pytest.approx(0.1, abs=1e-5)
    assert PARTS[int(focus.lift_on_parts[0].argmax())] == "index"
    assert focus.mass_on_hand == pytest.approx(focus.mass_on_parts.sum(1), abs=1e-5)
    assert focus.divergence_to_mean[2] == 0
    assert focus.divergence_to_mean[0] > 0.2
    assert np.isnan(focus.divergence_to_before).all()


def test_numbers_are_of_each_head_and_then_of_their_mean() -> None:
    focus, maps, _ = focus_on(8, 9, 17)
    for field in fields(Focus):
        assert len(getattr(focus, field.name)) == 4, field.name
    together = np.concatenate([maps.weights, maps.mean[None]])
    assert focus.effective_patches == pytest.approx(effective_patches(together), rel=1e-5)


def test_uniform_map_has_the_hands_share_of_the_area() -> None:
    picture = rendered("V", 5)
    uniform = maps_of(np.full((2, *GRID_HW), 1 / 784))
    region = region_of(picture.landmarks, picture.handedness)
    focus = Focuser().measure(uniform, region, frame_before=None)
    area = true_cover(picture).mean((1, 2))
    assert focus.mass_on_parts[0] == pytest.approx(area, abs=0.01)
    assert focus.lift_on_hand == pytest.approx(1)
    assert focus.normalized_entropy == pytest.approx(1)


def moved(degrees: float, zoom: float, shift_xy: tuple[float, float]) -> HandRegion:
    turn = np.radians(degrees)
    rotation = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = OPEN_HAND.landmarks.mean(0)
    landmarks = (OPEN_HAND.landmarks - middle) @ rotation.T + middle + shift_xy
    return region_of(landmarks, OPEN_HAND.handedness)


def crop_around(region: HandRegion) -> CropTransform:
    left, top, right, bottom = region.box_xyxy
    side = 1.5 * max(right - left, bottom - top)
    return CropTransform(
        left_px=(left + right - side) / 2,
        top_px=(top + bottom - side) / 2,
        scale_xy=(side / SIZE_PX, side / SIZE_PX),
        crop_wh=(SIZE_PX, SIZE_PX),
    )


def divergence(region: HandRegion, *points: int) -> float:
    """Of a head that looks at ``points`` after one that looked at a fingertip, in bits."""
    focuser = Focuser()
    first = moved(0, 1, (0, 0))
    for index, (hand, looked_at) in enumerate([(first, (8,)), (region, points)]):
        assert hand.landmarks is not None
        transform = crop_around(hand)
        maps = maps_of(
            attention_on(hand.landmarks, transform, *looked_at), transform, frame_index=index
        )
        focus = focuser.measure(maps, hand, frame_before=index - 1)
    return float(focus.divergence_to_before[0])


@pytest.mark.parametrize(
    ("degrees", "zoom", "shift_xy"),
    [(0, 1, (60.0, -25.5)), (25, 1, (0, 0)), (-70, 1, (0, 0)), (0, 1.4, (0, 0)), (15, 0.8, (9, 3))],
)
def test_hand_that_moves_with_the_same_attention_does_not_diverge(
    degrees: float, zoom: float, shift_xy: tuple[float, float]
) -> None:
    assert divergence(moved(degrees, zoom, shift_xy), 8) < 0.005


def test_attention_that_moves_on_the_hand_diverges() -> None:
    assert divergence(moved(0, 1, (0, 0)), 4) > 0.5
    assert divergence(moved(25, 1, (30, 0)), 4) > 0.5


def test_divergence_needs_the_hand_in_the_frame_before() -> None:
    focuser = Focuser()
    region = region_of(OPEN_HAND.landmarks, OPEN_HAND.handedness)
    weights = attention_on(OPEN_HAND.landmarks, WHOLE_PICTURE, 8)
    is_known = []
    for index, before in [(0, None), (1, 0), (3, 2), (4, 3)]:
        focus = focuser.measure(maps_of(weights, frame_index=index), region, frame_before=before)
        is_known.append(bool(np.isfinite(focus.divergence_to_before).all()))
    assert is_known == [False, True, False, True]


def test_another_hand_is_not_compared_with_this_one() -> None:
    focuser = Focuser()
    region = region_of(OPEN_HAND.landmarks, OPEN_HAND.handedness)
    weights = attention_on(OPEN_HAND.landmarks, WHOLE_PICTURE, 8)
    focuser.measure(maps_of(weights), region, frame_before=None)
    other = replace(region, track_id=1)
    focus = focuser.measure(maps_of(weights, frame_index=1), other, frame_before=0)
    assert np.isnan(focus.divergence_to_before).all()


def test_maps_are_laid_upright_on_a_hand_that_hangs() -> None:
    hanging = moved(180, 1, (0, 0))
    transform = crop_around(hanging)
    assert hanging.landmarks is not None
    maps = maps_of(attention_on(hanging.landmarks, transform, 12, 0), transform)
    laid = np.nan_to_num(lay_on_hand(maps.weights.astype(np.float64), maps, hanging))
    tip_row, wrist_row = (int(head.sum(1).argmax()) for head in laid)
    assert tip_row < wrist_row - 8


def test_whole_picture_has_no_hand_in_it() -> None:
    whole = HandRegion.whole_frame((SIZE_PX, SIZE_PX))
    focuser = Focuser()
    weights = attention_on(OPEN_HAND.landmarks, WHOLE_PICTURE, 8, 4)
    focuser.measure(maps_of(weights), whole, frame_before=None)
    other = weights[::-1]
    focus = focuser.measure(maps_of(other, frame_index=1), whole, frame_before=0)
    assert focus.divergence_to_before[:2] == pytest.approx(
        jensen_shannon_bits(other, weights), abs=1e-5
    )
    for name in ("mass_on_hand", "lift_on_hand", "rank_accuracy"):
        assert np.isnan(getattr(focus, name)).all(), name
    assert np.isnan(focus.mass_on_parts).all()
    assert focus.mass_on_parts.shape == (3, len(PARTS))
    assert not focus.is_peak_on_hand.any()
    assert np.isfinite(focus.normalized_entropy).all()


def test_map_without_shares_gives_no_numbers() -> None:
    region = region_of(OPEN_HAND.landmarks, OPEN_HAND.handedness)
    focus = Focuser().measure(maps_of(np.zeros((1, *GRID_HW))), region, frame_before=None)
    assert np.isnan(focus.normalized_entropy).all()
    assert np.isnan(focus.mass_on_hand).all()
