"""Small seeded networks, and the filling that the reference numbers were made with."""

from __future__ import annotations

import zlib
from dataclasses import replace

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
    """Fill every parameter from its name, as ../shared/parity/README.md says."""
    state = {
        key: torch.from_numpy(_values(f"{salt}/{name}/{key}", key, tuple(tensor.shape)))
        for key, tensor in network.state_dict().items()
    }
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
    embedded = vit.patch_embed.proj(pixels)
    positions = vit.positions((embedded.shape[2], embedded.shape[3]))
    x = embedded.flatten(2).transpose(1, 2) + positions[:, 1:]
    for index in range(layer + 1):
        if index == config.cls_block:
            cls_token = vit.cls_token + positions[:, :1]
            x = torch.cat([cls_token.expand(len(x), -1, -1), x], dim=1)
        block = vit.blocks[index]
        q, k, v = block.attn.qkv(block.norm1(x)).chunk(3, dim=-1)  # type: ignore[operator, union-attr]
        q, k, v = (t.unflatten(-1, (config.num_heads, -1)).transpose(1, 2) for t in (q, k, v))
        matrix = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1)
        x = x + block.attn.proj((matrix @ v).transpose(1, 2).flatten(2))  # type: ignore[operator, union-attr]
        x = x + block.mlp(block.norm2(x))  # type: ignore[operator]
    row: Tensor = matrix[:, :, 0, 1:]
    return row.reshape(*row.shape[:2], *embedded.shape[2:])


def _values(seed: str, key: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    noise = np.random.default_rng(zlib.crc32(seed.encode())).standard_normal(shape)
    n = np.asarray(noise, np.float32)
    if key.endswith("num_batches_tracked"):
        return np.zeros_like(n)
    if key.endswith("running_var"):
        return 1 + np.float32(0.1) * abs(n)
    if key in ("cls_token", "pos_embed"):
        return np.float32(0.5) * n
    if n.ndim > 1:
        return n * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    return (1 if key.endswith(".weight") else 0) + np.float32(0.1) * n
