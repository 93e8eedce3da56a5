"""DINO's ResNet-50: a convolutional network, shown by its feature maps.

Architecture: K. He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; weights as in
``models.families.dino``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.families.family import Family, ModelSpec

if TYPE_CHECKING:
    from torch import Tensor

    from models.resnet import ResNet50

__all__ = ["MODELS"]


class _ResNet(Family):
    def build(self, spec: ModelSpec) -> ResNet50:
        from models.resnet import ResNet50

        return ResNet50()

    def map_flop(self, spec: ModelSpec, size_hw: tuple[int, int]) -> int:
        from models.flops import convolution_flop
        from models.loading import build_network

        return convolution_flop(build_network(spec), size_hw)

    def is_like(self, spec: ModelSpec, state: Mapping[str, Tensor]) -> bool:
        return "layer4.2.conv3.weight" in state


MODELS = (
    ModelSpec(
        name="dino_resnet50",
        title="DINO ResNet-50",
        family=_ResNet(),
        kind="activation",
        patch_px=32,
        num_heads=6,
        depth=4,
        dim=2048,
        licence="Apache-2.0",
        url="https://dl.fbaipublicfiles.com/dino/dino_resnet50_pretrain/dino_resnet50_pretrain.pth",
        file_name="dino_resnet50_pretrain.pth",
        size_bytes=94_400_000,
    ),
)
"""The one official ResNet."""
