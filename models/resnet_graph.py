"""ResNet-50 as an OpenVINO graph: operation by operation what models/resnet.py does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.runtimes.openvino_graph import Node, convolution
from models.runtimes.openvino_import import ops

__all__ = ["features"]


def features(resnet: Any, pixels: Node, layer: int) -> Node:  # noqa: ANN401
    """Return ``ResNet50.forward``, float32 (1, channels, rows, columns).

    Args:
        resnet: The network; modules are ``Any`` here, as attributes of torch modules are.
        pixels: Node of float32 (1, 3, H, W), normalized.
        layer: Stage to read, from 0.
    """
    node = convolution(pixels, resnet.conv1, resnet.bn1)
    node = ops.max_pool(
        ops.relu(node), [2, 2], [1, 1], [1, 1], [1, 1], [3, 3], "floor", "explicit"
    ).output(0)
    stages: Sequence[Any] = (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
    for stage in stages[: layer + 1]:
        for block in stage:
            branch = ops.relu(convolution(node, block.conv1, block.bn1))
            branch = ops.relu(convolution(branch, block.conv2, block.bn2))
            branch = convolution(branch, block.conv3, block.bn3)
            if block.downsample is not None:
                node = convolution(node, *block.downsample)
            node = ops.relu(ops.add(branch, node))
    return node
