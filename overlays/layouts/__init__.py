"""What goes where on the canvas: a file and a class a layout, and a row here.

The table can be read without OpenCV; a layout loads when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overlays.layouts.layout import Layout

__all__ = ["LAYOUTS", "open_layout"]

LAYOUTS: Mapping[str, str] = MappingProxyType(
    {
        "overlay": "on the picture",
        "side": "beside it",
        "heads": "all heads",
        "insets": "close-ups in the corners",
    }
)
"""Where each shows the maps, in the order in which a key steps through them; its name is that of
its module and, with a capital, of its class."""


def open_layout(name: str) -> Layout:
    """Return a layout with nothing remembered.

    Args:
        name: One of ``LAYOUTS``.
    """
    module = import_module(f"{__name__}.{name}")
    layout: Layout = getattr(module, name.capitalize())()
    return layout
