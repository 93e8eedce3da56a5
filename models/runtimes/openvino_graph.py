"""OpenVINO graphs built operation by operation from a torch module's parameters: the vocabulary.

What a network is in these words stands beside it (``models.vit_graph``, ``models.resnet_graph``).

OpenVINO can convert a traced torch module, too. Building takes 0.05 s where tracing and converting
take 4 s (ViT-S/16), so that any size and any layer can be had at once and nothing but the weights
has to be kept on the disk. The numbers are those of torch within 1e-5, which the tests hold it to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from models.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from models.runtimes.neural_network import Network
from models.runtimes.openvino_import import openvino, ops
from models.runtimes.selection import cpu_has_amx

__all__ = [
    "Kernels",
    "Node",
    "affine",
    "build_graph",
    "constant",
    "convolution",
    "integers",
    "kernels_for",
]

Node: TypeAlias = Any
"""A value in the graph; OpenVINO's Python classes carry no types."""

_GELU_LOG_ODDS = (
    1.59574534, 7.27311121e-2, -1.15589420e-4, -9.45629792e-5, 5.59971176e-6, -1.13294651e-7,
)  # fmt: skip
"""Coefficients of c0 + c1 x^2 + c2 x^4 + ..., times x the log odds of the normal distribution.

Least largest error of GELU, 6.0e-7, over all x with x^2 cut off at 30; fitted by Lawson's
reweighted least squares."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """Ways to write a transformer's matrix products and GELU for which OpenVINO has quick kernels.

    All give the same numbers within 1e-5; which is quick depends on the processor.
    """

    affine: Callable[[Node, Tensor, Tensor], Node]
    """(1, N, inputs), weight (outputs, inputs), bias (outputs,) -> (1, N, outputs)."""
    gelu: Callable[[Node], Node]
    """GELU by the error function, of every value."""


def kernels_for(dtype: torch.dtype) -> Kernels:
    """Return the quickest for an arithmetic on this processor."""
    # With AMX, OpenVINO's own conversion of the same network, which has plain products, was quicker
    # than convolutions: S/16 9.2 ms to 10.0, S/8 42 to 46, B/16 29 to 33 (a Xeon, two cores). On
    # AMD's the plain form takes as long as that conversion, within 1 %.
    if dtype == torch.bfloat16 and cpu_has_amx():
        return Kernels(affine, _gelu)
    # Measured with ViT-S and B of both patches, and the bundled models, interleaved in one run,
    # on one processor for each arithmetic (bfloat16: AMD's Zen 5).
    # With AVX512 convolutions make a map quicker: in bfloat16 by 17 to 23 % with patch 16, by 4 %
    # with patch 8, whose products are long anyway; in float32, with a fused GELU, by 7 to 19 %.
    if torch.backends.cpu.get_cpu_capability() == "AVX512":
        return Kernels(_affine_by_convolution, _gelu)
    if dtype != torch.float32:
        return Kernels(affine, _gelu)
    # With AVX2 a product fused with GELU goes to a kernel that takes twice as long: apart they
    # make a map of ViT-B/16 8 to 16 % quicker, of ViT-S 3 to 4 %.
    return Kernels(affine, _gelu_apart)


def build_graph(
    network: Network, size_hw: tuple[int, int], layer: int, kernels: Kernels
) -> openvino.Model:
    """Return the graph from one picture to the rows of one layer.

    Args:
        network: What to write. The graph shares the memory of its float32 parameters, which must
            stay as they are.
        size_hw: Height and width of the picture; multiples of the patch or of the total stride.
        layer: Layer to read, from 0; nothing after it is in the graph.
        kernels: How to write it for the processor. Parameters and result are float32 always; in
            which arithmetic it runs is for the compiler to be told.

    Returns:
        Model with one input, uint8 (1, H, W, 3) RGB, and one output, float32 (1, rows, grid_h,
        grid_w): what ``forward`` of the network returns for the normalized picture.
    """
    picture = ops.parameter([1, *size_hw, 3], openvino.Type.u8, "picture")
    pixels = ops.convert(picture, "f32")
    pixels = ops.subtract(pixels, constant(torch.tensor(IMAGENET_MEAN) * 255))
    pixels = ops.divide(pixels, constant(torch.tensor(IMAGENET_STD) * 255))
    pixels = ops.transpose(pixels, integers(0, 3, 1, 2))
    rows = network.graph(pixels, size_hw, layer, kernels)
    return openvino.Model([rows], [picture], type(network).__name__)


def _gelu(x: Node) -> Node:
    return ops.gelu(x, "erf")


def _gelu_apart(x: Node) -> Node:
    """GELU to within 1e-6, as a chain that OpenVINO leaves apart from the product before it."""
    square = ops.minimum(ops.multiply(x, x), _number(30.0))
    odds = _number(_GELU_LOG_ODDS[-1])
    for coefficient in _GELU_LOG_ODDS[-2::-1]:
        odds = ops.add(ops.multiply(odds, square), _number(coefficient))
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, odds)))


def affine(tokens: Node, weight: Tensor, bias: Tensor) -> Node:
    """Return (1, N, inputs) times weight (outputs, inputs), plus bias: (1, N, outputs)."""
    return ops.add(ops.matmul(tokens, constant(weight), False, True), constant(bias))


def _affine_by_convolution(tokens: Node, weight: Tensor, bias: Tensor) -> Node:
    """The same by a kernel of one pixel, as if the tokens were a row of pixels."""
    pixels = ops.unsqueeze(ops.transpose(tokens, integers(0, 2, 1)), integers(2))  # (1, D, 1, N)
    pixels = ops.convolution(
        pixels, constant(weight[:, :, None, None]), [1, 1], [0, 0], [0, 0], [1, 1]
    )
    pixels = ops.add(pixels, constant(bias[:, None, None]))
    return ops.transpose(ops.squeeze(pixels, integers(2)), integers(0, 2, 1))


def convolution(features: Node, conv: nn.Conv2d, norm: Any = None) -> Node:  # noqa: ANN401
    """Return a convolution with its bias, or with the batch norm after it folded into both."""
    weight, bias = conv.weight, conv.bias
    if norm is not None:
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight, bias = weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
    assert bias is not None
    padding = list(conv.padding)
    strides, dilations = list(conv.stride), list(conv.dilation)
    result = ops.convolution(features, constant(weight), strides, padding, padding, dilations)
    return ops.add(result, constant(bias[:, None, None]))


def constant(values: Tensor) -> Node:
    """Return values as float32; float32 parameters are shared, not copied."""
    # What was made of parameters for the graph alone is kept alive by the constant.
    array = np.ascontiguousarray(values.detach().float().numpy())
    return openvino.op.Constant(array, shared_memory=True)


def _number(value: float) -> Node:
    return openvino.op.Constant(np.array(value, np.float32))


def integers(*values: int) -> Node:
    """Return int64 (n,): axes, shapes, bounds."""
    return openvino.op.Constant(np.array(values, np.int64))
