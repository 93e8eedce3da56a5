"""What drawing costs; prints, asserts nothing. Run with ``-m bench -s``."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from overlays.compositor import Compositor
from overlays.layouts import LAYOUTS
from overlays.style import Style
from stream.stats import Stats
from tests.overlays.scenes import flat_picture, make_maps, make_region, make_scene


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


BARE = Style(skeleton=False, hud=False)
CASES = {
    "map, corners, labels": BARE,
    "and skeleton, read-outs": Style(),
    "and outline": Style(threshold=0.6),
    "and mirror": Style(mirror=True),
    **{f"layout {layout}": Style(layout=layout) for layout in tuple(LAYOUTS)[1:]},
}


@pytest.mark.bench
@pytest.mark.parametrize("name", CASES)
def test_time_of_a_400_pixel_hand_on_1280_by_720(name: str) -> None:
    region = make_region((400, 200, 667, 467))  # with its margin the crop is 400 pixels wide
    weights = np.random.default_rng(0).uniform(0, 1, (6, 14, 14)).astype(np.float32)
    scene = make_scene(
        flat_picture((1280, 720)), [region], [make_maps(region, weights)], age_s=0.05, stats=Stats()
    )
    compositor = Compositor(replace(CASES[name]))
    times_ms = []
    for index in range(120):
        began = time.perf_counter()
        compositor.draw(scene)
        if index >= 20:
            times_ms.append(1000 * (time.perf_counter() - began))
    times_ms.sort()
    print(
        f"\n{name:24s} median {statistics.median(times_ms):5.2f} ms, "
        f"p95 {times_ms[94]:5.2f} ms, least {times_ms[0]:5.2f} ms "
        f"(one thread of {platform.processor() or platform.machine()})"
    )
