"""Small seeded networks, and the filling that the reference numbers were made with."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.loading import build_network
from models.registry import ModelSpec, find_spec
from models.training.recipe import Recipe
from models.vit import VisionTransformer

TINY = replace(
    find_spec("dino_vits16"),
    name="tiny",
    title="Tiny ViT",
    patch_px=8,
    num_heads=3,
    depth=4,
    dim=24,
    pretrain_px=32,
    file_name="tiny.pth",
)
"""A transformer that takes a millisecond."""


def _tiny(name: str) -> ModelSpec:
    official = find_spec(name)
    return replace(
        official,
        name=f"tiny_{name}",
        title=f"Tiny {official.title}",
        patch_px=8,
        num_heads=3,
        depth=4,
        dim=24,
        pretrain_px=32,
    )


TINY_OTHERS = [_tiny(name) for name in ("dinov2_vits14", "dinov2_vits14_reg", "dinov3_vits16")]
"""As small, one of each kind of the other families."""

SMALL = Recipe(
    steps=100,
    batch=16,
    dim=32,
    depth=2,
    num_heads=2,
    cls_block=1,
    view_px=24,
    head_hidden=32,
    bottleneck=32,
    num_prototypes=32,
    warm_up=0.1,
    lr=3e-3,
    plain=0.1,
    clutter=0.0,
    zoom_max=1.2,
    turn=0.1,
    contrast=0.0,
    contrast_fade=0.0,
    muon=1,
)
"""A training run of seconds."""


def tiny_vit(spec: ModelSpec = TINY, seed: int = 0) -> VisionTransformer:
    """Return a small transformer whose attention is far from uniform."""
    network = build_network(spec)
    assert isinstance(network, VisionTransformer)
    fill(network, spec.name, salt=str(seed))
    return network.eval()


def fill(network: nn.Module, name: str, *, salt: str) -> None:
    """Fill every parameter from its name, as parity/README.md says."""
    state = network.state_dict()
    for key, tensor in state.items():
        official = "storage_tokens" if (key, name[:6]) == ("register_tokens", "dinov3") else key
        if key != "rope_embed.periods":
            values = _values(f"{salt}/{name}/{official}", key, tuple(tensor.shape))
            state[key] = torch.from_numpy(values)
    network.load_state_dict(state, strict=True, assign=True)


def parity_picture(height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return the picture of the reference numbers, uint8 (H, W, 3) RGB."""
    rng = np.random.default_rng(zlib.crc32(f"public/image/{height}x{width}".encode()))
    small = rng.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    return np.ascontiguousarray(small.repeat(16, axis=0).repeat(16, axis=1)[:height, :width])


def noise(height: int, width: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return a random picture, uint8 (H, W, 3) RGB."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def plain_cls_attention(vit: VisionTransformer, pixels: Tensor, layer: int) -> Tensor:
    """Return the CLS row by the book: whole blocks, whole matrix, softmax, row 0."""
    config = vit.config
    is_rotary = config.positions == "rotary"
    embedded = vit.patch_embed.proj(pixels)
    grid_hw = (embedded.shape[2], embedded.shape[3])
    x = embedded.flatten(2).transpose(1, 2)
    prefix: Tensor = vit.cls_token
    if not is_rotary:
        positions = vit.positions(grid_hw)
        x, prefix = x + positions[:, 1:], prefix + positions[:, :1]
    if config.num_registers:
        prefix = torch.cat([prefix, vit.register_tokens], dim=1)
    for index in range(layer + 1):
        if index == config.cls_block:
            x = torch.cat([prefix.expand(len(x), -1, -1), x], dim=1)
        block: Any = vit.blocks[index]
        bias = block.attn.qkv.bias.clone()
        if not config.has_key_bias:
            bias[config.dim : 2 * config.dim] = 0
        qkv = block.norm1(x) @ block.attn.qkv.weight.T + bias
        q, k, v = (
            t.unflatten(-1, (config.num_heads, -1)).transpose(1, 2) for t in qkv.chunk(3, dim=-1)
        )
        if is_rotary:
            q, k = (turned_by_the_book(t, grid_hw, config.num_prefix) for t in (q, k))
        matrix = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)
        x = x + block.ls1(block.attn.proj((matrix @ v).transpose(1, 2).flatten(2)))
        x = x + block.ls2(block.mlp(block.norm2(x)))
    row: Tensor = matrix[:, :, 0, config.num_prefix :]
    return row.reshape(*row.shape[:2], *grid_hw)


def turned_by_the_book(heads: Tensor, grid_hw: tuple[int, int], num_prefix: int) -> Tensor:
    """Return queries or keys (B, heads, N, d), those of patches turned as complex numbers."""
    prefix, patches = heads[:, :, :num_prefix], heads[:, :, num_prefix:]
    half = heads.shape[-1] // 2
    pairs = torch.complex(patches[..., :half], patches[..., half:])
    rows, columns = grid_hw
    for row in range(rows):
        for column in range(columns):
            places = (2 * (row + 0.5) / rows - 1, 2 * (column + 0.5) / columns - 1)
            speeds = [100 ** (-2 * index / half) for index in range(half // 2)]
            turns = torch.tensor([place * speed for place in places for speed in speeds])
            pairs[:, :, row * columns + column] *= torch.exp(2j * math.pi * turns)
    return torch.cat([prefix, torch.cat([pairs.real, pairs.imag], dim=-1)], dim=2)


def _values(seed: str, key: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    noise = np.random.default_rng(zlib.crc32(seed.encode())).standard_normal(shape)
    n = np.asarray(noise, np.float32)
    if key.endswith("num_batches_tracked"):
        return np.zeros_like(n)
    if key.endswith("running_var"):
        return 1 + np.float32(0.1) * abs(n)
    if key.endswith(".gamma"):
        return np.float32(0.5) + np.float32(0.1) * n
    if key in ("cls_token", "pos_embed", "register_tokens"):
        return np.float32(0.5) * n
    if n.ndim > 1:
        return n * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    return (1 if key.endswith(".weight") else 0) + np.float32(0.1) * n
