"""The vision transformer of DINO, and the attention of its CLS token.

Architecture: A. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, with DINO's way of
fitting the position embedding to other input sizes (M. Caron et al., ICCV 2021). The names of the
parameters are those of the official checkpoints, which therefore load strictly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

__all__ = ["VisionTransformer", "VitConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VitConfig:
    """What a vision transformer is made of."""

    patch_px: int
    """Side of a patch."""
    dim: int
    """Width of a token; a multiple of ``num_heads``."""
    depth: int
    """Number of blocks."""
    num_heads: int
    """Attention heads of each block."""
    mlp_ratio: float = 4.0
    """Width of the MLP's hidden layer over ``dim``."""
    pretrain_px: int = 224
    """Side of the pictures that the position embedding is made for; a multiple of ``patch_px``."""
    cls_block: int = 0
    """Block at which the CLS token joins; the patch tokens are alone in the blocks before it."""

    def __post_init__(self) -> None:
        for name in ("patch_px", "dim", "depth", "num_heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")
        if self.dim % self.num_heads:
            raise ValueError(
                f"dim must be a multiple of num_heads = {self.num_heads}, got {self.dim}"
            )
        if self.pretrain_px % self.patch_px:
            raise ValueError(
                f"pretrain_px must be a multiple of patch_px = {self.patch_px}, "
                f"got {self.pretrain_px}"
            )
        if not 0 <= self.cls_block < self.depth:
            raise ValueError(f"cls_block must be in [0, {self.depth}), got {self.cls_block}")


class VisionTransformer(nn.Module):
    """A vision transformer that gives the attention of its CLS token, and its CLS feature."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.config = config
        side = config.pretrain_px // config.patch_px
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + side * side, config.dim))
        self.patch_embed = _PatchEmbed(config.patch_px, config.dim)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.initialise()

    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Fill the parameters as DINO starts its training.

        Normal with standard deviation 0.02 and zero biases. (The official code truncates at -2 and
        2, which is at 100 standard deviations: nothing, for several times the work.)
        """
        for name, parameter in self.named_parameters():
            if name.endswith(".bias"):
                nn.init.zeros_(parameter)
            elif "norm" in name:
                nn.init.ones_(parameter)
            else:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def positions(self, grid_hw: tuple[int, int]) -> Tensor:
        """Return the position embedding for a grid, (1, 1 + rows * columns, D), CLS first.

        Bicubic with 0.1 added to the wanted size, as in the official code: the interpolation takes
        a scale factor, and the 0.1 keeps its rounding from losing a row. The factor then shifts the
        samples slightly, so it has to be the same factor to get the same numbers.
        """
        rows, columns = grid_hw
        side = math.isqrt(self.pos_embed.shape[1] - 1)
        if (rows, columns) == (side, side):
            return self.pos_embed
        patches = self.pos_embed[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        patches = F.interpolate(
            patches.float(),
            scale_factor=((rows + 0.1) / side, (columns + 0.1) / side),
            mode="bicubic",
        )
        assert patches.shape[-2:] == (rows, columns)
        patches = patches.permute(0, 2, 3, 1).reshape(1, rows * columns, -1)
        return torch.cat([self.pos_embed[:, :1], patches.to(self.pos_embed.dtype)], dim=1)

    def for_size(self, size_hw: tuple[int, int]) -> Callable[[Tensor, int], Tensor]:
        """Return ``forward`` for pictures of one size, with the position embedding made once."""
        patch_px = self.config.patch_px
        grid_hw = (size_hw[0] // patch_px, size_hw[1] // patch_px)
        return partial(self.forward, positions=self.positions(grid_hw))

    def forward(
        self, pixels: Tensor, layer: int = -1, *, positions: Tensor | None = None
    ) -> Tensor:
        """Return the attention of the CLS query over the patches, of one block.

        Nothing that the row does not need is computed: no block after ``layer``, and of ``layer``
        itself only the CLS query.

        Args:
            pixels: (B, 3, H, W), ImageNet-normalised RGB; sides multiples of the patch.
            layer: Block to read, in ``[cls_block, depth)``; negative counts from the end.
            positions: What ``positions`` returns for this grid, to save making it again.

        Returns:
            float32 (B, heads, H / patch, W / patch); with the CLS token's own share, which is left
            out, each head sums to 1.
        """
        layer = range(self.config.depth)[layer]
        if layer < self.config.cls_block:
            raise ValueError(
                f"layer must be in [{self.config.cls_block}, {self.config.depth}), got {layer = }"
            )
        tokens = self._tokens_before(layer, pixels, positions)
        block = self.blocks[layer]
        assert isinstance(block, _Block)
        row = block.cls_attention(tokens)[:, :, 1:]  # (B, heads, rows * columns)
        patch_px = self.config.patch_px
        grid_hw = (pixels.shape[2] // patch_px, pixels.shape[3] // patch_px)
        return row.reshape(*row.shape[:2], *grid_hw)

    def cls_feature(self, pixels: Tensor, kept: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the normalised CLS token after the last block, and the attention that made it.

        Of the last block, only what the CLS token needs is computed.

        Args:
            pixels: (B, 3, H, W), ImageNet-normalised RGB; sides multiples of the patch.
            kept: int64 (B, n), patches that are looked at, row by row; None for all.

        Returns:
            The token, (B, D), and its attention, (B, heads, 1 + n), the token's own share first.
        """
        block = self.blocks[-1]
        assert isinstance(block, _Block)
        tokens = self._tokens_before(self.config.depth - 1, pixels, None, kept)
        cls_token, row = block.cls_output(tokens)
        return self.norm(cls_token), row

    def _tokens_before(
        self, layer: int, pixels: Tensor, positions: Tensor | None, kept: Tensor | None = None
    ) -> Tensor:
        """Return the tokens that go into block ``layer``, (B, 1 + patches, D)."""
        tokens: Tensor = self.patch_embed(pixels)  # (B, D, rows, columns)
        if positions is None:
            positions = self.positions((tokens.shape[2], tokens.shape[3]))
        tokens = tokens.flatten(2).transpose(1, 2) + positions[:, 1:]
        if kept is not None:
            tokens = tokens.gather(1, kept[..., None].expand(-1, -1, tokens.shape[-1]))
        cls_token = (self.cls_token + positions[:, :1]).expand(tokens.shape[0], -1, -1)
        for block in self.blocks[: self.config.cls_block]:
            tokens = block(tokens)
        tokens = torch.cat([cls_token, tokens], dim=1)
        for block in self.blocks[self.config.cls_block : layer]:
            tokens = block(tokens)
        return tokens


class _PatchEmbed(nn.Module):
    def __init__(self, patch_px: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch_px, stride=patch_px)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.proj(pixels)  # type: ignore[no-any-return]


class _Attention(nn.Module):
    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        num_pictures, num_tokens, _ = tokens.shape
        # (B, N, 3D) -> q, k, v of (B, heads, N, D / heads)
        qkv = self.qkv(tokens).reshape(num_pictures, num_tokens, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def cls_output(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``forward`` for token 0, (B, D), and its softmax row, (B, heads, N)."""
        num_pictures, num_tokens, dim = tokens.shape
        weight, bias = self.qkv.weight, self.qkv.bias
        query = F.linear(tokens[:, :1], weight[:dim], bias[:dim])
        query = query.reshape(num_pictures, 1, self.num_heads, -1).transpose(1, 2)
        # (B, N, 2D) -> k, v of (B, heads, N, D / heads)
        kv = F.linear(tokens, weight[dim:], bias[dim:])
        kv = kv.reshape(num_pictures, num_tokens, 2, self.num_heads, -1)
        k, v = kv.permute(2, 0, 3, 1, 4).unbind(0)
        row = (query @ k.transpose(2, 3) / math.sqrt(k.shape[-1])).softmax(dim=-1)
        return self.proj((row @ v).flatten(1)), row[:, :, 0]  # row @ v is (B, heads, 1, D / heads)

    def cls_attention(self, tokens: Tensor) -> Tensor:
        """Return the softmax row of token 0, float32 (B, heads, N)."""
        dim = tokens.shape[-1]
        weight, bias = self.qkv.weight, self.qkv.bias
        query = F.linear(tokens[:, 0], weight[:dim], bias[:dim])
        query = query.reshape(len(query), self.num_heads, -1)  # (B, heads, d)
        # q (W x + b) = (q W) x + q b: projecting the one query back is cheaper by D / heads than
        # projecting N keys forth, and q b, the same for every key, drops out of the softmax.
        key_weight = weight[dim : 2 * dim].reshape(self.num_heads, -1, dim)  # (heads, d, D)
        query = torch.einsum("bhd,hdc->bhc", query.float(), key_weight.float())
        logits = query @ tokens.float().transpose(1, 2)  # (B, heads, N)
        scale = 1 / math.sqrt(dim // self.num_heads)
        return (logits * scale).softmax(dim=-1)


class _Mlp(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(tokens)))  # type: ignore[no-any-return]


class _Block(nn.Module):
    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=1e-6)
        self.attn = _Attention(config.dim, config.num_heads)
        self.norm2 = nn.LayerNorm(config.dim, eps=1e-6)
        self.mlp = _Mlp(config.dim, int(config.dim * config.mlp_ratio))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))  # type: ignore[no-any-return]

    def cls_output(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return token 0 after this block, (B, D), and its softmax row, (B, heads, N)."""
        mixed, row = self.attn.cls_output(self.norm1(tokens))
        cls_token = tokens[:, 0] + mixed
        return cls_token + self.mlp(self.norm2(cls_token)), row

    def cls_attention(self, tokens: Tensor) -> Tensor:
        """Return this block's softmax row of token 0, float32 (B, heads, N)."""
        return self.attn.cls_attention(self.norm1(tokens))
