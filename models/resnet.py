"""ResNet-50: feature maps of its stages, and what of them is shown.

A convolutional network has no attention. What is drawn is its activation: how strongly each place
responds, and the leading directions of that response in the place of heads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.runtimes.neural_network import Network
from models.torchvision_ops import import_resnet

if TYPE_CHECKING:
    from models.runtimes.openvino_graph import Kernels

__all__ = ["ResNet50", "leading_components"]


class ResNet50(Network):
    """torchvision's ResNet-50 without its classifier; the state-dict keys are torchvision's."""

    NUM_STAGES = 4

    def __init__(self) -> None:
        super().__init__()
        whole = import_resnet().resnet50(weights=None)
        self.conv1: nn.Module = whole.conv1
        self.bn1: nn.Module = whole.bn1
        self.relu: nn.Module = whole.relu
        self.maxpool: nn.Module = whole.maxpool
        self.layer1: nn.Module = whole.layer1
        self.layer2: nn.Module = whole.layer2
        self.layer3: nn.Module = whole.layer3
        self.layer4: nn.Module = whole.layer4

    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Fill the parameters as torchvision does: He's normal for fan-out, unit batch norms."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu", generator=generator
                )
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()

    def for_size(self, size_hw: tuple[int, int]) -> Callable[[Tensor, int], Tensor]:
        """Return ``forward``: nothing here depends on the size of the picture."""
        del size_hw
        return self.forward

    def graph(
        self,
        pixels: Any,  # noqa: ANN401
        size_hw: tuple[int, int],
        layer: int,
        kernels: Kernels,
    ) -> Any:  # noqa: ANN401
        """Return ``forward`` as a node of an OpenVINO graph; see ``Network.graph``."""
        from models.resnet_graph import features

        del size_hw, kernels
        return features(self, pixels, layer)

    def forward(self, pixels: Tensor, layer: int = -1) -> Tensor:
        """Return the feature map of one stage; stages after it are not computed.

        Args:
            pixels: (B, 3, H, W), ImageNet-normalized RGB; sides multiples of 32.
            layer: Stage, 0 (stride 4, 256 channels) to 3 (stride 32, 2048); negative from the end.

        Returns:
            float32 (B, channels, H / stride, W / stride), >= 0.
        """
        layer = range(self.NUM_STAGES)[layer]
        features = self.maxpool(self.relu(self.bn1(self.conv1(pixels))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4)[: layer + 1]:
            features = stage(features)
        return features.float()  # type: ignore[no-any-return]


def leading_components(
    features: npt.NDArray[np.float32], count: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the magnitudes of a feature map's leading components, and its norm.

    The components are those of the singular value decomposition of the (positions x channels)
    matrix, not centred: then the squares of all components sum, at every position, to the square
    of the norm, so the maps in place of heads are exact parts of the mean map beside them. (Centred
    they would be parts of the deviation from the average feature, which is not shown.) The sign of
    a singular vector is arbitrary; the magnitude is not.

    Args:
        features: float32 (channels, rows, columns).
        count: Components wanted, >= 1.

    Returns:
        Components float32 (count, rows, columns), strongest first, all-zero beyond the rank; and
        the L2 norm over channels, float32 (rows, columns).
    """
    channels, rows, columns = features.shape
    matrix = features.reshape(channels, -1).T.astype(np.float64)  # (positions, channels)
    # The eigenvectors of the smaller Gram matrix give the same decomposition, and the same result
    # on every run, which a randomised one would not.
    if len(matrix) <= channels:
        squares, vectors = np.linalg.eigh(matrix @ matrix.T)
        scores = vectors * np.sqrt(np.maximum(squares, 0.0))
    else:
        _, vectors = np.linalg.eigh(matrix.T @ matrix)
        scores = matrix @ vectors
    leading = np.abs(scores[:, ::-1][:, :count])  # eigh sorts upwards
    components = np.zeros((count, rows, columns), np.float32)
    components[: leading.shape[1]] = leading.T.reshape(-1, rows, columns)
    norm = np.linalg.norm(matrix, axis=1).reshape(rows, columns).astype(np.float32)
    return components, norm
