from __future__ import annotations

import pytest

from overlays.opening import make_view
from overlays.style import Style
from stream.command_line.options import Options
from stream.sources.options import PictureOptions


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_the_view_has_the_look_that_was_asked_for(is_mirrored: bool) -> None:
    look, pictures = Style(head=3, hud=False), PictureOptions(input_mirrored=is_mirrored)
    style = make_view(Options("live", (look, pictures))).style
    assert style == Style(head=3, hud=False, input_mirrored=is_mirrored)
