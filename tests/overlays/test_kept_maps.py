"""Maps that were kept in a file are drawn as those that a model has just made."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stream.tables.maps
from overlays import Compositor, Style
from stream.annotation.moments import Moment
from stream.scene import Scene
from stream.tables.maps import MapsFile, read_maps
from tests.clips import make_clip, numbered
from tests.stream.tables.moments import make_moment, moments, scene_of, whole_picture


def drawn(scenes: list[Scene], style: Style) -> list[np.ndarray]:  # type: ignore[type-arg]
    compositor = Compositor(style)
    return [compositor.draw(scene) for scene in scenes]


def check_that_kept_maps_are_drawn_alike(folder: Path, made: list[Moment], style: Style) -> None:
    path = folder / "b.maps.npz"
    with MapsFile(path) as file:
        for moment in made:
            file.write(moment)
    fresh = [scene_of(moment) for moment in made]
    back = [maps.scene(scene.frame) for maps, scene in zip(read_maps(path), fresh, strict=True)]
    for ours, theirs in zip(drawn(fresh, style), drawn(back, style), strict=True):
        # Float16 moves a colour by a step of its scale, and a digit of the caption.
        assert np.quantile(np.abs(ours.astype(int) - theirs.astype(int)), 0.998) <= 3
        assert ours.std() > 10


def test_kept_maps_of_hands_are_drawn_alike(tmp_path: Path) -> None:
    made = list(moments(12))
    for style in (Style(), Style(head=1, layout="side"), Style(head="all")):
        check_that_kept_maps_are_drawn_alike(tmp_path, made, style)


def test_kept_maps_of_whole_pictures_are_drawn_alike(tmp_path: Path) -> None:
    made = [make_moment(index, [whole_picture(index)]) for index in range(3)]
    check_that_kept_maps_are_drawn_alike(tmp_path, made, Style())


def test_the_example_of_the_manual_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "b.annotation"
    folder.mkdir()
    with MapsFile(folder / "b.maps.npz") as file:
        for moment in moments(4):
            file.write(moment)
    make_clip(tmp_path / "b.mp4", [numbered(index, 320, 240) for index in range(4)])
    monkeypatch.chdir(tmp_path)
    example = (stream.tables.maps.__doc__ or "").split("::\n")[1]
    names: dict[str, Any] = {}
    exec(textwrap.dedent(example), names)
    assert names["maps"] is None  # all were drawn
    drawn_hand = names["picture"][100:140, 70:110].astype(int)
    assert np.abs(drawn_hand - numbered(3, 320, 240)[100:140, 70:110]).mean() > 5
