"""Hands found, crops cut, attention computed.

``load_model`` is the way in::

    from models import load_model

    model = load_model("dino_vits8")
    maps = model.attend(image)  # uint8 (H, W, 3) RGB, sides multiples of the patch
    maps.weights  # float32 (heads, H/patch, W/patch)

Importing this package loads neither torch nor MediaPipe; asking for one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.attention import DinoModel
    from models.loading import load_model

__all__ = ["DinoModel", "load_model"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562), so that ``--help`` is quick."""
    if name == "load_model":
        from models.loading import load_model

        return load_model
    if name == "DinoModel":
        from models.attention import DinoModel

        return DinoModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
