from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from overlays.colours import colour_table
from overlays.style import COLORMAPS, Style
from tests.waits import PROCESS_S


@pytest.mark.parametrize(
    ("choice", "allowed"),
    [
        ({"head": -1}, "'mean' or 'all'"),
        ({"head": "every"}, "'mean' or 'all'"),
        ({"head": True}, "'mean' or 'all'"),
        ({"layout": "grid"}, "overlay, side, heads, insets"),
        ({"colormap": "jet"}, "inferno, magma"),
        ({"normalize": "max"}, "frame, stable, absolute"),
        ({"alpha": 1.5}, "from 0 to 1"),
        ({"threshold": 0.0}, "between 0 and 1"),
        ({"threshold": 60}, "between 0 and 1"),
    ],
)
def test_wrong_choice_is_refused_in_one_line_that_lists_the_right_ones(
    choice: dict[str, Any], allowed: str
) -> None:
    with pytest.raises(ValueError, match=allowed) as caught:
        Style(**choice)
    assert "\n" not in str(caught.value)
    assert repr(next(iter(choice.values()))) in str(caught.value)


def test_style_is_replaced_not_changed() -> None:
    style = Style()
    with pytest.raises(FrozenInstanceError):
        style.alpha = 0.1  # type: ignore[misc]
    assert replace(style, head=3).head == 3
    assert style.head == "mean"


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_colour_scale_runs_from_dark_to_light_and_is_rgb(name: str) -> None:
    table = colour_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert not table.flags.writeable
    assert len(np.unique(table, axis=0)) > 200
    if name != "turbo":  # a rainbow is dark at both ends
        luma = table @ np.array([0.299, 0.587, 0.114])
        assert luma[-1] > luma[0] + 100


def test_inferno_is_the_published_one() -> None:
    # Ends and middle of matplotlib's inferno, sRGB; red first.
    table = colour_table("inferno").astype(int)
    for index, rgb in ((0, (0, 0, 4)), (128, (188, 55, 84)), (255, (252, 255, 164))):
        assert np.abs(table[index] - rgb).max() <= 2


def test_unknown_colour_scale_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="inferno, magma, plasma, viridis, cividis, turbo, gray"):
        colour_table("jet")


def test_importing_the_package_loads_no_opencv_until_it_draws() -> None:
    code = (
        "import sys, overlays; overlays.Style(); assert 'cv2' not in sys.modules; "
        "overlays.Compositor; assert 'cv2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PROCESS_S)


def test_every_public_name_is_there() -> None:
    import overlays

    assert all(hasattr(overlays, name) for name in overlays.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Painter'"):
        _ = overlays.Painter
