"""Maps drawn over pictures.

``overlays.Compositor`` turns a scene into a picture, ``overlays.Style`` says how. Importing this
package loads no OpenCV; the first use of something that draws does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overlays.layouts import LAYOUTS
from overlays.style import COLORMAPS, NORMALIZATIONS, Style

if TYPE_CHECKING:
    from overlays.compositor import Compositor
    from overlays.help_card import draw_notice

__all__ = [
    "COLORMAPS",
    "LAYOUTS",
    "NORMALIZATIONS",
    "Compositor",
    "Style",
    "draw_notice",
]

_ROOMS = {
    "Compositor": "overlays.compositor",
    "draw_notice": "overlays.help_card",
}


def __getattr__(name: str) -> object:
    """Load what draws, and OpenCV with it, when it is first asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ROOMS[name]), name)
