"""The vision transformer as an OpenVINO graph: operation by operation what models/vit.py does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.rotary import Rotation
from models.runtimes.openvino_graph import Kernels, Node, affine, constant, convolution, integers
from models.runtimes.openvino_import import ops

__all__ = ["cls_attention"]


def cls_attention(
    vit: Any,  # noqa: ANN401
    pixels: Node,
    grid_hw: tuple[int, int],
    layer: int,
    kernels: Kernels,
) -> Node:
    """Return ``VisionTransformer.forward``, float32 (1, heads, rows, columns).

    Args:
        vit: The network; modules are ``Any`` here, as attributes of torch modules are.
        pixels: Node of float32 (1, 3, H, W), normalized.
        grid_hw: Rows and columns of patches.
        layer: Block to read, from 0.
        kernels: How to write products and GELU.
    """
    config = vit.config
    dim, num_patches = config.dim, grid_hw[0] * grid_hw[1]
    places = vit.places(grid_hw)
    tokens = convolution(pixels, vit.patch_embed.proj)  # (1, D, rows, columns)
    tokens = ops.reshape(tokens, integers(1, dim, num_patches), special_zero=False)
    tokens = ops.transpose(tokens, integers(0, 2, 1))
    cls_token = vit.cls_token
    if places.embedding is not None:
        tokens = ops.add(tokens, constant(places.embedding[:, 1:]))
        cls_token = cls_token + places.embedding[:, :1]
    prefix = torch.cat([cls_token, vit.register_tokens], 1) if config.num_registers else cls_token
    for index, block in enumerate(vit.blocks[: layer + 1]):
        if index == config.cls_block:
            tokens = ops.concat([constant(prefix), tokens], axis=1)
        normed = _layer_norm(tokens, block.norm1)
        if index < layer:
            mixed = _self_attention(normed, block, places.rotation, kernels)
            tokens = ops.add(tokens, mixed)
            tokens = ops.add(tokens, _mlp(_layer_norm(tokens, block.norm2), block, kernels))
    row = ops.softmax(_cls_logits(normed, block.attn, places.rotation, kernels), axis=-1)
    first, end = config.num_prefix, config.num_prefix + num_patches
    row = ops.slice(row, integers(first), integers(end), integers(1), integers(2))
    return ops.reshape(row, integers(1, config.num_heads, *grid_hw), special_zero=False)


def _cls_logits(
    tokens: Node,
    attention: Any,  # noqa: ANN401
    rotation: Rotation | None,
    kernels: Kernels,
) -> Node:
    """What goes into the softmax row of token 0, (1, heads, N): see ``cls_attention`` in vit.py."""
    heads, dim = attention.num_heads, attention.proj.in_features
    weight, bias = attention.qkv.weight, attention.bias
    root = (dim // heads) ** 0.5
    first = ops.slice(tokens, integers(0), integers(1), integers(1), integers(1))
    query = _split_heads(affine(first, weight[:dim], bias[:dim]), heads)  # (1, heads, 1, d)
    if rotation is None:
        key_weight = weight[dim : 2 * dim].unflatten(0, (heads, -1)) / root
        query = ops.squeeze(ops.matmul(query, constant(key_weight), False, False), integers(2))
        return ops.matmul(query, tokens, False, True)
    keys = kernels.affine(tokens, weight[dim : 2 * dim] / root, bias[dim : 2 * dim] / root)
    keys = _turned(_split_heads(keys, heads), rotation)
    return ops.squeeze(ops.matmul(query, keys, False, True), integers(2))


def _self_attention(
    tokens: Node,
    block: Any,  # noqa: ANN401
    rotation: Rotation | None,
    kernels: Kernels,
) -> Node:
    attention = block.attn
    qkv = zip(attention.qkv.weight.chunk(3), attention.bias.chunk(3), strict=True)
    q, k, v = (_split_heads(kernels.affine(tokens, *part), attention.num_heads) for part in qkv)
    if rotation is not None:
        q, k = _turned(q, rotation), _turned(k, rotation)
    mixed = ops.transpose(ops.scaled_dot_product_attention(q, k, v), integers(0, 2, 1, 3))
    mixed = ops.reshape(mixed, integers(0, 0, attention.proj.in_features), special_zero=True)
    return kernels.affine(mixed, *_scaled(attention.proj, block.ls1))


def _mlp(tokens: Node, block: Any, kernels: Kernels) -> Node:  # noqa: ANN401
    hidden = kernels.gelu(kernels.affine(tokens, block.mlp.fc1.weight, block.mlp.fc1.bias))
    return kernels.affine(hidden, *_scaled(block.mlp.fc2, block.ls2))


def _scaled(linear: nn.Linear, scale: nn.Module) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a layer with the LayerScale after it multiplied in."""
    # Without LayerScale these are the parameters themselves, whose memory the graph shares.
    return scale(linear.weight.T).T, scale(linear.bias)


def _turned(heads: Node, rotation: Rotation) -> Node:
    """``models.rotary.turned``."""
    cosines, sines = map(constant, rotation)
    half = rotation[0].shape[1] // 2
    first, second = ops.variadic_split(heads, integers(-1), integers(half, half)).outputs()
    swapped = ops.concat([second, first], axis=-1)
    return ops.add(ops.multiply(heads, cosines), ops.multiply(swapped, sines))


def _split_heads(tokens: Node, heads: int) -> Node:
    """(1, N, D) -> (1, heads, N, D / heads)."""
    split = ops.reshape(tokens, integers(0, 0, heads, -1), special_zero=True)
    return ops.transpose(split, integers(0, 2, 1, 3))


def _layer_norm(tokens: Node, norm: nn.LayerNorm) -> Node:
    normed = ops.mvn(
        tokens, integers(-1), normalize_variance=True, eps=norm.eps, eps_mode="INSIDE_SQRT"
    )
    return ops.add(ops.multiply(normed, constant(norm.weight)), constant(norm.bias))
