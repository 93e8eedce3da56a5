"""What the runtimes run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from models.runtimes.openvino_graph import Kernels

__all__ = ["Network"]


class Network(nn.Module):
    """A torch module that gives the rows of one layer, and can be written for OpenVINO."""

    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Fill the parameters as training begins with them."""
        raise NotImplementedError

    def for_size(self, size_hw: tuple[int, int]) -> Callable[[Tensor, int], Tensor]:
        """Return the function from pixels and a layer to rows, for pictures of one size.

        Its pixels are (B, 3, H, W), ImageNet-normalized RGB; its rows float32 (B, rows, grid_h,
        grid_w), a row per head or per channel.
        """
        raise NotImplementedError

    def graph(
        self,
        pixels: Any,  # noqa: ANN401 - OpenVINO's classes carry no types
        size_hw: tuple[int, int],
        layer: int,
        kernels: Kernels,
    ) -> Any:  # noqa: ANN401
        """Return what ``for_size`` computes as a node of an OpenVINO graph.

        Args:
            pixels: Node of float32 (1, 3, H, W), normalized.
            size_hw: Height and width of the picture.
            layer: Layer to read, from 0; nothing after it is in the graph.
            kernels: How to write products and GELU for this processor.
        """
        raise NotImplementedError
