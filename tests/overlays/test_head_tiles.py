"""The tiles of a page's heads."""

from __future__ import annotations

import numpy as np

from overlays.head_tiles import TILE_PX, HeadTiles
from overlays.style import Style
from tests.overlays.scenes import flat_picture, make_maps, make_region, make_scene, one_hot


def test_each_head_has_its_tile_with_its_own_patch_bright_after_the_mean() -> None:
    weights = np.stack([one_hot(0, 0), one_hot(3, 3)])
    region = make_region()
    scene = make_scene(flat_picture(), [region], [make_maps(region, weights)])
    row = HeadTiles().draw(scene, Style(head=1, mirror=False))
    assert row is not None
    assert row.shape == (TILE_PX, 3 * TILE_PX, 3)
    _, first, second = np.split(row.max(axis=2).astype(int), 3, axis=1)
    half = TILE_PX // 2
    assert first[:half, :half].max() > first[half:, half:].max() + 40
    assert second[half:, half:].max() > second[:half, :half].max() + 40
    mirrored = HeadTiles().draw(scene, Style(head=1, mirror=True))
    assert mirrored is not None
    _, first, _ = np.split(mirrored.max(axis=2).astype(int), 3, axis=1)
    assert first[:half, half:].max() > first[:half, :half].max() + 40


def test_without_a_map_there_are_no_tiles() -> None:
    assert HeadTiles().draw(make_scene(flat_picture(), [make_region()]), Style()) is None
