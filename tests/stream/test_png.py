"""Still pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stream.errors import OutputError
from stream.sinks.png import write_png
from tests.clips import patches


@pytest.mark.parametrize(("width", "height"), [(192, 128), (191, 127), (1, 1)])
def test_every_pixel_comes_back(tmp_path: Path, width: int, height: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", image)
    with av.open(str(tmp_path / "a.png")) as container:
        picture = next(container.decode(video=0))
    np.testing.assert_array_equal(picture.to_ndarray(format="rgb24"), image)


def test_grey_levels_come_back(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_png(tmp_path / "a.png", levels[:, ::-1])
    with av.open(str(tmp_path / "a.png")) as container:
        picture = next(container.decode(video=0))
    assert picture.format.name == "gray"
    np.testing.assert_array_equal(picture.to_ndarray(), levels[:, ::-1])


def test_a_view_is_written_as_it_looks(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", patches()[::-1, ::2])
    with av.open(str(tmp_path / "a.png")) as container:
        picture = next(container.decode(video=0))
    np.testing.assert_array_equal(picture.to_ndarray(format="rgb24"), patches()[::-1, ::2])


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    for _ in range(2):
        write_png(tmp_path / "a.png", patches())
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("place", ["missing/a.png", "folder"])
def test_a_place_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be written") as caught:
        write_png(tmp_path / place, patches())
    assert "\n" not in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, image: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match="uint8"):
        write_png(tmp_path / "a.png", image)
