from __future__ import annotations

from typing import Any

import pytest

from overlays.keys import restyle
from overlays.layouts import LAYOUTS
from overlays.style import COLORMAPS, NORMALIZATIONS, Style


def _press(keys: str, style: Style | None = None) -> Style:
    style = style or Style()
    for key in keys:
        result = restyle(style, key, num_heads=6)
        assert result is not None
        style = result[0]
    return style


@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        ("3", "head", 3),
        ("3m", "head", "mean"),
        ("a", "head", "all"),
        ("l", "layout", tuple(LAYOUTS)[1]),
        ("c", "colormap", COLORMAPS[1]),
        ("n", "normalize", NORMALIZATIONS[2]),
        ("+", "alpha", 0.7),
        ("--", "alpha", 0.4),
        ("t", "threshold", 0.5),
        ("k", "skeleton", False),
        ("f", "mirror", True),
        ("hh", "hud", True),
    ],
)
def test_key_changes_its_own_choice_alone(keys: str, field: str, value: Any) -> None:  # noqa: ANN401
    style = _press(keys)
    assert getattr(style, field) == value
    others = {name for name in Style.__dataclass_fields__ if name != field}
    assert all(getattr(style, name) == getattr(Style(), name) for name in others)


@pytest.mark.parametrize(
    ("key", "choices"), [("l", LAYOUTS), ("c", COLORMAPS), ("n", NORMALIZATIONS), ("t", range(5))]
)
def test_stepping_through_all_choices_comes_back(key: str, choices: Any) -> None:  # noqa: ANN401
    assert _press(key * len(choices)) == Style()


def test_next_layout_leaves_the_grid_of_all_heads() -> None:
    layouts = [*LAYOUTS, *LAYOUTS]
    after_grid = layouts[layouts.index("heads") + 1]
    assert _press("al") == Style(head="mean", layout=after_grid)


def test_alpha_stays_between_clear_and_solid() -> None:
    assert _press("+" * 20).alpha == 1.0
    assert _press("-" * 20).alpha == 0.0


def test_head_that_the_model_lacks_changes_nothing_and_says_so() -> None:
    assert restyle(Style(), "7", num_heads=6) == (Style(), "no head 7: there are 0 to 5")


@pytest.mark.parametrize("key", ["x", "[", "enter", "", "12"])
def test_other_keys_are_left_to_others(key: str) -> None:
    assert restyle(Style(), key, num_heads=12) is None
