"""The networks as OpenVINO graphs, built operation by operation from the torch modules' parameters.

OpenVINO can convert a traced torch module, too. Building takes 0.05 s where tracing and converting
take 4 s (ViT-S/16), so that any size and any layer can be had at once and nothing but the weights
has to be kept on the disk. The numbers are those of torch within 1e-5, which the tests hold it to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from models.resnet import ResNet50
from models.runtimes.openvino_import import openvino, ops
from models.vit import VisionTransformer

__all__ = ["Kernels", "build_graph", "kernels_for"]

Node = Any
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
    # Measured with ViT-S and B of both patches, and the bundled models, interleaved in one run,
    # on one processor for each arithmetic (bfloat16: AMD's Zen 5); one with AMX was not to be had.
    # With AVX512 convolutions make a map quicker: in bfloat16 by 17 to 23 % with patch 16, by 4 %
    # with patch 8, whose products are long anyway; in float32, with a fused GELU, by 7 to 19 %.
    if torch.backends.cpu.get_cpu_capability() == "AVX512":
        return Kernels(_affine_by_convolution, _gelu)
    if dtype != torch.float32:
        return Kernels(_affine, _gelu)
    # With AVX2 a product fused with GELU goes to a kernel that takes twice as long: apart they
    # make a map of ViT-B/16 8 to 16 % quicker, of ViT-S 3 to 4 %.
    return Kernels(_affine, _gelu_apart)


def build_graph(
    network: nn.Module, size_hw: tuple[int, int], layer: int, kernels: Kernels
) -> openvino.Model:
    """Return the graph from one picture to the rows of one layer.

    Args:
        network: A ``VisionTransformer`` or a ``ResNet50``. The graph shares the memory of its
            float32 parameters, which must stay as they are.
        size_hw: Height and width of the picture; multiples of the patch or of the total stride.
        layer: Layer to read, from 0; nothing after it is in the graph.
        kernels: How to write it for the processor. Parameters and result are float32 always; in
            which arithmetic it runs is for the compiler to be told.

    Returns:
        Model with one input, uint8 (1, H, W, 3) RGB, and one output, float32 (1, rows, grid_h,
        grid_w): what ``forward`` of the network returns for the normalised picture.
    """
    picture = ops.parameter([1, *size_hw, 3], openvino.Type.u8, "picture")
    pixels = ops.convert(picture, "f32")
    pixels = ops.subtract(pixels, _constant(torch.tensor(IMAGENET_MEAN) * 255))
    pixels = ops.divide(pixels, _constant(torch.tensor(IMAGENET_STD) * 255))
    pixels = ops.transpose(pixels, _integers(0, 3, 1, 2))
    if isinstance(network, VisionTransformer):
        rows = _cls_attention(network, pixels, size_hw, layer, kernels)
    else:
        assert isinstance(network, ResNet50)
        rows = _features(network, pixels, layer)
    return openvino.Model([rows], [picture], type(network).__name__)


def _cls_attention(
    vit: Any,  # noqa: ANN401
    pixels: Node,
    size_hw: tuple[int, int],
    layer: int,
    kernels: Kernels,
) -> Node:
    """``VisionTransformer.forward``; modules are ``Any``, as attributes of torch modules are."""
    config = vit.config
    dim, heads = config.dim, config.num_heads
    grid_hw = (size_hw[0] // config.patch_px, size_hw[1] // config.patch_px)
    positions = vit.positions(grid_hw)
    tokens = _convolution(pixels, vit.patch_embed.proj)  # (1, D, rows, columns)
    tokens = ops.reshape(tokens, _integers(1, dim, grid_hw[0] * grid_hw[1]), special_zero=False)
    tokens = ops.add(ops.transpose(tokens, _integers(0, 2, 1)), _constant(positions[:, 1:]))
    cls_token = _constant(vit.cls_token + positions[:, :1])
    for index, block in enumerate(vit.blocks[: layer + 1]):
        if index == config.cls_block:
            tokens = ops.concat([cls_token, tokens], axis=1)
        normed = _layer_norm(tokens, block.norm1)
        if index < layer:
            tokens = ops.add(tokens, _self_attention(normed, block.attn, kernels))
            tokens = ops.add(tokens, _mlp(_layer_norm(tokens, block.norm2), block.mlp, kernels))
    # The softmax row of token 0, with the query projected back: see ``cls_attention`` in vit.py.
    weight, bias = block.attn.qkv.weight, block.attn.qkv.bias
    first = ops.slice(normed, _integers(0), _integers(1), _integers(1), _integers(1))
    query = _split_heads(_affine(first, weight[:dim], bias[:dim]), heads)  # (1, heads, 1, d)
    key_weight = weight[dim : 2 * dim].unflatten(0, (heads, -1)) / (dim // heads) ** 0.5
    query = ops.squeeze(ops.matmul(query, _constant(key_weight), False, False), _integers(2))
    row = ops.softmax(ops.matmul(query, normed, False, True), axis=-1)  # (1, heads, N)
    num_tokens = 1 + grid_hw[0] * grid_hw[1]
    row = ops.slice(row, _integers(1), _integers(num_tokens), _integers(1), _integers(2))
    return ops.reshape(row, _integers(1, heads, *grid_hw), special_zero=False)


def _self_attention(tokens: Node, attention: Any, kernels: Kernels) -> Node:  # noqa: ANN401
    qkv = zip(attention.qkv.weight.chunk(3), attention.qkv.bias.chunk(3), strict=True)
    q, k, v = (_split_heads(kernels.affine(tokens, *part), attention.num_heads) for part in qkv)
    mixed = ops.transpose(ops.scaled_dot_product_attention(q, k, v), _integers(0, 2, 1, 3))
    mixed = ops.reshape(mixed, _integers(0, 0, attention.proj.in_features), special_zero=True)
    return kernels.affine(mixed, attention.proj.weight, attention.proj.bias)


def _mlp(tokens: Node, mlp: Any, kernels: Kernels) -> Node:  # noqa: ANN401
    hidden = kernels.gelu(kernels.affine(tokens, mlp.fc1.weight, mlp.fc1.bias))
    return kernels.affine(hidden, mlp.fc2.weight, mlp.fc2.bias)


def _split_heads(tokens: Node, heads: int) -> Node:
    """(1, N, D) -> (1, heads, N, D / heads)."""
    split = ops.reshape(tokens, _integers(0, 0, heads, -1), special_zero=True)
    return ops.transpose(split, _integers(0, 2, 1, 3))


def _gelu(x: Node) -> Node:
    return ops.gelu(x, "erf")


def _gelu_apart(x: Node) -> Node:
    """GELU to within 1e-6, as a chain that OpenVINO leaves apart from the product before it."""
    square = ops.minimum(ops.multiply(x, x), _number(30.0))
    odds = _number(_GELU_LOG_ODDS[-1])
    for coefficient in _GELU_LOG_ODDS[-2::-1]:
        odds = ops.add(ops.multiply(odds, square), _number(coefficient))
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, odds)))


def _layer_norm(tokens: Node, norm: nn.LayerNorm) -> Node:
    normed = ops.mvn(
        tokens, _integers(-1), normalize_variance=True, eps=norm.eps, eps_mode="INSIDE_SQRT"
    )
    return ops.add(ops.multiply(normed, _constant(norm.weight)), _constant(norm.bias))


def _affine(tokens: Node, weight: Tensor, bias: Tensor) -> Node:
    return ops.add(ops.matmul(tokens, _constant(weight), False, True), _constant(bias))


def _affine_by_convolution(tokens: Node, weight: Tensor, bias: Tensor) -> Node:
    """The same by a kernel of one pixel, as if the tokens were a row of pixels."""
    pixels = ops.unsqueeze(ops.transpose(tokens, _integers(0, 2, 1)), _integers(2))  # (1, D, 1, N)
    pixels = ops.convolution(
        pixels, _constant(weight[:, :, None, None]), [1, 1], [0, 0], [0, 0], [1, 1]
    )
    pixels = ops.add(pixels, _constant(bias[:, None, None]))
    return ops.transpose(ops.squeeze(pixels, _integers(2)), _integers(0, 2, 1))


def _features(resnet: Any, pixels: Node, layer: int) -> Node:  # noqa: ANN401
    """``ResNet50.forward``."""
    features = _convolution(pixels, resnet.conv1, resnet.bn1)
    features = ops.max_pool(
        ops.relu(features), [2, 2], [1, 1], [1, 1], [1, 1], [3, 3], "floor", "explicit"
    ).output(0)
    stages: Sequence[Any] = (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
    for stage in stages[: layer + 1]:
        for block in stage:
            branch = ops.relu(_convolution(features, block.conv1, block.bn1))
            branch = ops.relu(_convolution(branch, block.conv2, block.bn2))
            branch = _convolution(branch, block.conv3, block.bn3)
            if block.downsample is not None:
                features = _convolution(features, *block.downsample)
            features = ops.relu(ops.add(branch, features))
    return features


def _convolution(features: Node, conv: nn.Conv2d, norm: Any = None) -> Node:  # noqa: ANN401
    """Return a convolution with its bias, or with the batch norm after it folded into both."""
    weight, bias = conv.weight, conv.bias
    if norm is not None:
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight, bias = weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
    assert bias is not None
    padding = list(conv.padding)
    strides, dilations = list(conv.stride), list(conv.dilation)
    result = ops.convolution(features, _constant(weight), strides, padding, padding, dilations)
    return ops.add(result, _constant(bias[:, None, None]))


def _constant(values: Tensor) -> Node:
    # Parameters are shared, what was made of them here is kept alive by the constant.
    array = np.ascontiguousarray(values.detach().float().numpy())
    return openvino.op.Constant(array, shared_memory=True)


def _number(value: float) -> Node:
    return openvino.op.Constant(np.array(value, np.float32))


def _integers(*values: int) -> Node:
    return openvino.op.Constant(np.array(values, np.int64))
