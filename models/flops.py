"""How many operations the maps of a model need at least.

Counted are the matrix products, a multiplication and an addition as two: they are what a matrix
rate limits. Norms, softmax and activations come on top of every figure here; they are under one
percent of the operations, and their time is in what is measured, not in the floor.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.runtimes.neural_network import Network
from models.vit import VitConfig

__all__ = ["cls_row_flop", "convolution_flop", "whole_flop"]


def cls_row_flop(config: VitConfig, size_hw: tuple[int, int]) -> int:
    """Return the operations for the softmax row of CLS in the last block.

    All blocks but the last are needed whole. Of the last, only the CLS query: it is projected, then
    projected back through the keys' weights (``models.vit``), and meets every token once. Rotary
    positions turn every key, which therefore have to be there.

    Args:
        config: What the transformer is made of.
        size_hw: Height and width of the picture, multiples of the patch.
    """
    num_patches = _num_patches(config, size_hw)
    num_tokens, dim = num_patches + config.num_prefix, config.dim
    flop = _embedding_flop(config, num_patches)
    flop += config.cls_block * _block_flop(config, num_patches)
    flop += (config.depth - 1 - config.cls_block) * _block_flop(config, num_tokens)
    query = 2 * dim * dim
    if config.positions == "rotary":
        return flop + query + 2 * num_tokens * dim * dim + 2 * num_tokens * dim
    back_through_keys = 2 * dim * dim
    logits = 2 * config.num_heads * num_tokens * dim
    return flop + query + back_through_keys + logits


def whole_flop(config: VitConfig, size_hw: tuple[int, int]) -> int:
    """Return the operations of every block in full, what papers give as the size of a model."""
    num_patches = _num_patches(config, size_hw)
    return (
        _embedding_flop(config, num_patches)
        + config.cls_block * _block_flop(config, num_patches)
        + (config.depth - config.cls_block) * _block_flop(config, num_patches + config.num_prefix)
    )


def convolution_flop(network: Network, size_hw: tuple[int, int]) -> int:
    """Return the operations of all convolutions, counted while they run once."""
    flop = 0

    def count(module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal flop
        assert isinstance(module, nn.Conv2d)
        flop += 2 * output.numel() * module.weight[0].numel()

    handles = [
        module.register_forward_hook(count)
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, *size_hw))
    finally:
        for handle in handles:
            handle.remove()
    return flop


def _num_patches(config: VitConfig, size_hw: tuple[int, int]) -> int:
    return (size_hw[0] // config.patch_px) * (size_hw[1] // config.patch_px)


def _embedding_flop(config: VitConfig, num_patches: int) -> int:
    return 2 * num_patches * 3 * config.patch_px**2 * config.dim


def _block_flop(config: VitConfig, num_tokens: int) -> int:
    dim, hidden = config.dim, int(config.dim * config.mlp_ratio)
    queries_keys_values = 2 * num_tokens * dim * 3 * dim
    attention = 2 * (2 * num_tokens * num_tokens * dim)  # over all heads: scores, then the mix
    projection = 2 * num_tokens * dim * dim
    mlp = 2 * (2 * num_tokens * dim * hidden)
    return queries_keys_values + attention + projection + mlp
