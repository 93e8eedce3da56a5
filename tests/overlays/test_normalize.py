from __future__ import annotations

import numpy as np
import pytest

from overlays.normalize import ABSOLUTE_TOP, Normalizer
from stream.scene import AttentionMaps
from tests.overlays.scenes import make_maps, make_region, one_hot

REGION = make_region()


def _maps(scale: float = 1.0, *, time_s: float = 0.0, seed: int = 0) -> AttentionMaps:
    rng = np.random.default_rng(seed)
    weights = scale * rng.uniform(0.1, 1, (2, 8, 8)).astype(np.float32) / np.float32(64)
    return make_maps(REGION, weights, time_s=time_s)


def test_frame_spans_each_map_from_its_minimum_to_its_maximum() -> None:
    values, bounds = Normalizer().normalize(_maps(), 1, "frame")
    assert values.min() == 0
    assert values.max() == 1
    assert bounds.low == pytest.approx(_maps().weights[1].min() * 64, rel=1e-6)
    assert bounds.high == pytest.approx(_maps().weights[1].max() * 64, rel=1e-6)


def test_absolute_is_one_where_attention_is_uniform() -> None:
    uniform = np.full((1, 8, 8), 1 / 64, np.float32)
    values, bounds = Normalizer().normalize(make_maps(REGION, uniform), None, "absolute")
    assert values * (bounds.high - bounds.low) + bounds.low == pytest.approx(1.0)
    assert (bounds.low, bounds.high) == (0, ABSOLUTE_TOP)


def test_absolute_activation_is_one_at_its_own_mean_whatever_its_size() -> None:
    weights = np.random.default_rng(1).uniform(0, 1, (1, 8, 8)).astype(np.float32)
    results = [
        Normalizer().normalize(make_maps(REGION, s * weights, kind="activation"), 0, "absolute")[0]
        for s in (np.float32(1), np.float32(1000))
    ]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)
    assert results[0].mean() * ABSOLUTE_TOP == pytest.approx(1.0, rel=1e-4)


def test_stable_range_does_not_flicker_with_the_map() -> None:
    normalizer, rng = Normalizer(), np.random.default_rng(2)
    stable, frame = [], []
    for index in range(60):
        maps = _maps(rng.uniform(0.7, 1.3), time_s=index / 30, seed=index)
        stable.append(normalizer.normalize(maps, None, "stable")[1].high)
        frame.append(normalizer.normalize(maps, None, "frame")[1].high)
    # Step from frame to frame, relative to the level.
    assert np.abs(np.diff(stable)).max() / np.mean(stable) < 0.02
    assert np.abs(np.diff(frame)).max() / np.mean(frame) > 0.2


def test_stable_range_covers_63_percent_of_a_step_in_one_second_at_any_frame_rate() -> None:
    for fps in (5, 30, 120):
        normalizer = Normalizer()
        start = normalizer.normalize(_maps(1.0), None, "stable")[1].high
        for index in range(1, fps + 1):
            end = normalizer.normalize(_maps(2.0, time_s=index / fps), None, "stable")[1].high
        assert (end - start) / start == pytest.approx(1 - np.exp(-1), rel=1e-3)


def test_same_maps_drawn_again_keep_their_colours() -> None:
    normalizer = Normalizer()
    normalizer.normalize(_maps(1.0), None, "stable")
    later = _maps(2.0, time_s=0.5)
    first, _ = normalizer.normalize(later, None, "stable")
    second, _ = normalizer.normalize(later, None, "stable")
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("time_s", [-3.0, 100.0])
def test_stable_range_begins_afresh_after_a_jump_in_time(time_s: float) -> None:
    normalizer = Normalizer()
    normalizer.normalize(_maps(10.0), None, "stable")
    jumped = _maps(1.0, time_s=time_s)
    fresh = Normalizer().normalize(jumped, None, "stable")
    np.testing.assert_array_equal(normalizer.normalize(jumped, None, "stable")[0], fresh[0])


def test_each_head_has_its_own_stable_range() -> None:
    weights = np.stack([one_hot(0, 0), 0.1 * one_hot(1, 1)])
    normalizer = Normalizer()
    high = [normalizer.normalize(make_maps(REGION, weights), i, "stable")[1].high for i in (0, 1)]
    assert high[0] == pytest.approx(10 * high[1])


@pytest.mark.parametrize("mode", ["frame", "stable", "absolute"])
def test_a_map_without_any_contrast_gives_numbers(mode: str) -> None:
    for value in (0.0, 1 / 64):
        maps = make_maps(REGION, np.full((1, 8, 8), value, np.float32), kind="activation")
        values, _ = Normalizer().normalize(maps, None, mode)  # type: ignore[arg-type]
        assert np.isfinite(values).all()
        assert values.min() >= 0
        assert values.max() <= 1
