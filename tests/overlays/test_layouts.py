"""The table of layouts, and what all of them keep to."""

from __future__ import annotations

from pathlib import Path

import pytest

import overlays.layouts
from overlays.compositor import Compositor
from overlays.layouts import LAYOUTS, open_layout
from overlays.style import Style
from tests.golden.write import scene


def test_every_file_is_a_row_of_the_table() -> None:
    files = {path.stem for path in Path(overlays.layouts.__file__).parent.glob("*.py")}
    assert files == {*LAYOUTS, "__init__", "layout"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_row_opens_and_draws(name: str) -> None:
    assert type(open_layout(name)).__name__ == name.capitalize()
    canvas = Compositor(Style(layout=name)).draw(scene())
    width, height = open_layout(name).plan(scene().frame.size_wh).canvas_wh
    assert canvas.shape == (height, width, 3)
