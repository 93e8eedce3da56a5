"""The look and the keys as the command line asks for them; OpenCV loads when called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overlays.style import Style
from stream.command_line.options import Options
from stream.sources.options import PictureOptions

if TYPE_CHECKING:
    from overlays.controls import KeyControls, LayeredModel
    from overlays.live_view import LiveView

__all__ = ["make_controls", "make_view"]


def make_view(options: Options) -> LiveView:
    """Return what draws scenes in the look asked for."""
    from overlays.live_view import LiveView

    is_mirrored = options[PictureOptions].input_mirrored
    return LiveView(replace(options[Style], input_mirrored=is_mirrored))


def make_controls(view: LiveView, model: LayeredModel) -> KeyControls:
    """Return the keys that change the look and the layer."""
    from overlays.controls import KeyControls

    return KeyControls(view, model)
