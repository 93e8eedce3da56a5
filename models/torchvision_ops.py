"""torchvision's Python parts beside a torch that its compiled operators were not built for.

A torchvision wheel made for CUDA cannot load its operators beside a CPU build of torch, and then
``import torchvision`` stops with "operator torchvision::nms does not exist", although the networks
are plain Python. Declaring the schemas of the two operators that it asks for is enough.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

from stream.sources.messages import ignore_messages

__all__ = ["import_resnet"]

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []
"""Keeps the declarations alive: torch drops them with their Library object."""


def import_resnet() -> Any:  # noqa: ANN401 - torchvision is untyped
    """Return the module ``torchvision.models.resnet``."""
    try:
        from torchvision.models import resnet
    except RuntimeError as error:
        # Declared only after the real ones have proved absent: declared twice, torch aborts.
        if "torchvision::" not in str(error):
            raise
        _declare_operators()
        from torchvision.models import resnet
    ignore_messages()  # torchvision 0.21, for one, asks for them
    return resnet


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)
    # The failed import leaves the submodules that did load; they would be reused half-made.
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
