"""The vision transformer of the DINO families, and the attention of its CLS token.

Architecture: A. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021. What sets a family
apart (how tokens know their place, registers, LayerScale) is in ``VitConfig``; which family has
what, in ``models.families``. The names of the parameters are those of the official checkpoints,
which therefore load strictly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from models.rotary import RotaryEmbedding, Rotation, turned
from models.runtimes.neural_network import Network

if TYPE_CHECKING:
    from models.runtimes.openvino_graph import Kernels

__all__ = ["Places", "VisionTransformer", "VitConfig"]

Positions = Literal["stretched", "resampled", "rotary"]
"""How tokens know their place. Of a learned embedding: stretched to another grid as DINO does it,
or resampled with antialiasing (DINOv2 with registers). Rotary: queries and keys are turned."""


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
    num_registers: int = 0
    """Learned tokens that stand beside CLS for no place in the picture (T. Darcet et al., "Vision
    Transformers Need Registers", ICLR 2024)."""
    positions: Positions = "stretched"
    """How tokens know their place."""
    has_layer_scale: bool = False
    """Whether what a block adds is scaled channel by channel (H. Touvron et al., "Going deeper with
    Image Transformers", ICCV 2021)."""
    has_key_bias: bool = True
    """Whether keys have a bias; where not, the one in a checkpoint is left out of account."""
    norm_eps: float = 1e-6
    """What is added to the variance in layer norms."""

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

    @property
    def num_prefix(self) -> int:
        """Tokens before those of the patches: CLS, and the registers."""
        return 1 + self.num_registers


class Places(NamedTuple):
    """What tokens know of their place in a grid of one size; one of the two."""

    embedding: Tensor | None
    """Added to CLS and the patches, (1, 1 + patches, D)."""
    rotation: Rotation | None
    """Turns queries and keys."""


class VisionTransformer(Network):
    """A vision transformer that gives the attention of its CLS token, and its CLS feature."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.config = config
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim))
        if config.positions == "rotary":
            self.rope_embed = RotaryEmbedding(config.dim // config.num_heads)
        else:
            side = config.pretrain_px // config.patch_px
            self.pos_embed = nn.Parameter(torch.zeros(1, 1 + side * side, config.dim))
        if config.num_registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, config.num_registers, config.dim))
        self.patch_embed = _PatchEmbed(config.patch_px, config.dim)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.initialise()

    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Fill the parameters as DINO starts its training.

        Normal with standard deviation 0.02 and zero biases. (The official code truncates at -2 and
        2, which is at 100 standard deviations: nothing, for several times the work.)
        """
        for name, parameter in self.named_parameters():
            if name.endswith(".bias"):
                nn.init.zeros_(parameter)
            elif "norm" in name or name.endswith(".gamma"):
                nn.init.ones_(parameter)
            else:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def positions(self, grid_hw: tuple[int, int]) -> Tensor:
        """Return the learned position embedding for a grid, (1, 1 + rows * columns, D), CLS first.

        Stretched: bicubic with 0.1 added to the wanted size, as in the official code: the
        interpolation takes a scale factor, and the 0.1 keeps its rounding from losing a row. The
        factor then shifts the samples slightly, so it has to be the same factor to get the same
        numbers. Resampled: bicubic to just that size, with antialiasing.
        """
        rows, columns = grid_hw
        side = math.isqrt(self.pos_embed.shape[1] - 1)
        if (rows, columns) == (side, side):
            return self.pos_embed
        patches = self.pos_embed[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2).float()
        if self.config.positions == "resampled":
            patches = F.interpolate(patches, (rows, columns), mode="bicubic", antialias=True)
        else:
            factors = ((rows + 0.1) / side, (columns + 0.1) / side)
            patches = F.interpolate(patches, scale_factor=factors, mode="bicubic")
        assert patches.shape[-2:] == (rows, columns)
        patches = patches.permute(0, 2, 3, 1).reshape(1, rows * columns, -1)
        return torch.cat([self.pos_embed[:, :1], patches.to(self.pos_embed.dtype)], dim=1)

    def places(self, grid_hw: tuple[int, int]) -> Places:
        """Return what tokens know of their place in a grid of (rows, columns)."""
        if self.config.positions == "rotary":
            return Places(None, self.rope_embed(grid_hw, self.config.num_prefix))
        return Places(self.positions(grid_hw), None)

    def for_size(self, size_hw: tuple[int, int]) -> Callable[[Tensor, int], Tensor]:
        """Return ``forward`` for pictures of one size, with what tells places made once."""
        return partial(self.forward, places=self.places(self._grid_of(size_hw)))

    def graph(
        self,
        pixels: Any,  # noqa: ANN401
        size_hw: tuple[int, int],
        layer: int,
        kernels: Kernels,
    ) -> Any:  # noqa: ANN401
        """Return ``forward`` as a node of an OpenVINO graph; see ``Network.graph``."""
        from models.vit_graph import cls_attention

        return cls_attention(self, pixels, self._grid_of(size_hw), layer, kernels)

    def forward(self, pixels: Tensor, layer: int = -1, *, places: Places | None = None) -> Tensor:
        """Return the attention of the CLS query over the patches, of one block.

        Args:
            pixels: (B, 3, H, W), ImageNet-normalized RGB; sides multiples of the patch.
            layer: Block to read, in ``[cls_block, depth)``; negative counts from the end.
            places: What ``places`` returns for this grid, to save making it again.

        Returns:
            float32 (B, heads, H / patch, W / patch); with the share of the CLS token itself and of
            the registers, which is left out, each head sums to 1.
        """
        row = self.cls_row(pixels, layer, places=places)[:, :, self.config.num_prefix :]
        return row.reshape(*row.shape[:2], *self._grid_of((pixels.shape[2], pixels.shape[3])))

    def cls_row(self, pixels: Tensor, layer: int = -1, *, places: Places | None = None) -> Tensor:
        """Return the softmax row of the CLS query, of one block, over all tokens.

        Nothing that the row does not need is computed: no block after ``layer``, and of ``layer``
        itself only the CLS query. Arguments are those of ``forward``.

        Returns:
            float32 (B, heads, N), each head of sum 1: CLS, registers, patches row by row.
        """
        layer = range(self.config.depth)[layer]
        if layer < self.config.cls_block:
            raise ValueError(
                f"layer must be in [{self.config.cls_block}, {self.config.depth}), got {layer = }"
            )
        if places is None:
            places = self.places(self._grid_of((pixels.shape[2], pixels.shape[3])))
        tokens = self._tokens_before(layer, pixels, places)
        block = self.blocks[layer]
        assert isinstance(block, _Block)
        return block.cls_attention(tokens, places.rotation)

    def cls_feature(self, pixels: Tensor, kept: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the normalized CLS token after the last block, and the attention that made it.

        Of the last block, only what the CLS token needs is computed.

        Args:
            pixels: (B, 3, H, W), ImageNet-normalized RGB; sides multiples of the patch.
            kept: int64 (B, n), patches that are looked at, row by row; None for all. Not for
                rotary positions, which are those of whole grids.

        Returns:
            The token, (B, D), and its attention, (B, heads, N): CLS, registers, patches.
        """
        block = self.blocks[-1]
        assert isinstance(block, _Block)
        places = self.places(self._grid_of((pixels.shape[2], pixels.shape[3])))
        tokens = self._tokens_before(self.config.depth - 1, pixels, places, kept)
        cls_token, row = block.cls_output(tokens, places.rotation)
        return self.norm(cls_token), row

    def _grid_of(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        return size_hw[0] // self.config.patch_px, size_hw[1] // self.config.patch_px

    def _tokens_before(
        self, layer: int, pixels: Tensor, places: Places, kept: Tensor | None = None
    ) -> Tensor:
        """Return the tokens that go into block ``layer``, (B, N, D): CLS, registers, patches."""
        tokens: Tensor = self.patch_embed(pixels).flatten(2).transpose(1, 2)  # (B, patches, D)
        prefix: list[Tensor] = [self.cls_token]
        if places.embedding is not None:
            tokens = tokens + places.embedding[:, 1:]
            prefix = [self.cls_token + places.embedding[:, :1]]
        if self.config.num_registers:
            prefix.append(self.register_tokens)
        if kept is not None:
            assert places.rotation is None
            tokens = tokens.gather(1, kept[..., None].expand(-1, -1, tokens.shape[-1]))
        for block in self.blocks[: self.config.cls_block]:
            tokens = block(tokens, places.rotation)
        tokens = torch.cat([*(each.expand(len(tokens), -1, -1) for each in prefix), tokens], dim=1)
        for block in self.blocks[self.config.cls_block : layer]:
            tokens = block(tokens, places.rotation)
        return tokens


class _PatchEmbed(nn.Module):
    def __init__(self, patch_px: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch_px, stride=patch_px)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.proj(pixels)  # type: ignore[no-any-return]


class _Attention(nn.Module):
    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        dim = config.dim
        self.num_heads = config.num_heads
        self.has_key_bias = config.has_key_bias
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    @property
    def bias(self) -> Tensor:
        """Bias of queries, keys and values, (3D,)."""
        if self.has_key_bias:
            return self.qkv.bias
        query, key, value = self.qkv.bias.chunk(3)
        return torch.cat([query, torch.zeros_like(key), value])

    def forward(self, tokens: Tensor, rotation: Rotation | None) -> Tensor:
        # (B, N, 3D) -> q, k, v of (B, heads, N, D / heads)
        q, k, v = self._heads(F.linear(tokens, self.qkv.weight, self.bias), 3)
        mixed = F.scaled_dot_product_attention(turned(q, rotation), turned(k, rotation), v)
        return self.proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def cls_output(self, tokens: Tensor, rotation: Rotation | None) -> tuple[Tensor, Tensor]:
        """Return ``forward`` for token 0, (B, D), and its softmax row, (B, heads, N)."""
        dim = tokens.shape[-1]
        weight, bias = self.qkv.weight, self.bias
        (query,) = self._heads(F.linear(tokens[:, :1], weight[:dim], bias[:dim]), 1)
        # (B, N, 2D) -> k, v of (B, heads, N, D / heads)
        k, v = self._heads(F.linear(tokens, weight[dim:], bias[dim:]), 2)
        k = turned(k, rotation)
        row = (query @ k.transpose(2, 3) / math.sqrt(k.shape[-1])).softmax(dim=-1)
        return self.proj((row @ v).flatten(1)), row[:, :, 0]  # row @ v is (B, heads, 1, D / heads)

    def cls_attention(self, tokens: Tensor, rotation: Rotation | None) -> Tensor:
        """Return the softmax row of token 0, float32 (B, heads, N)."""
        dim = tokens.shape[-1]
        weight, bias = self.qkv.weight, self.bias
        query = F.linear(tokens[:, 0], weight[:dim], bias[:dim])
        query = query.reshape(len(query), self.num_heads, -1)  # (B, heads, d)
        scale = 1 / math.sqrt(dim // self.num_heads)
        if rotation is not None:  # each key is turned by its own angle: all have to be there
            (k,) = self._heads(F.linear(tokens, weight[dim : 2 * dim], bias[dim : 2 * dim]), 1)
            logits = query.float()[:, :, None] @ turned(k.float(), rotation).transpose(2, 3)
            return (logits[:, :, 0] * scale).softmax(dim=-1)
        # q (W x + b) = (q W) x + q b: projecting the one query back is cheaper by D / heads than
        # projecting N keys forth, and q b, the same for every key, drops out of the softmax.
        key_weight = weight[dim : 2 * dim].reshape(self.num_heads, -1, dim)  # (heads, d, D)
        query = torch.einsum("bhd,hdc->bhc", query.float(), key_weight.float())
        logits = query @ tokens.float().transpose(1, 2)  # (B, heads, N)
        return (logits * scale).softmax(dim=-1)

    def _heads(self, projected: Tensor, parts: int) -> tuple[Tensor, ...]:
        """(B, N, parts * D) -> parts of (B, heads, N, D / heads)."""
        split = projected.reshape(*projected.shape[:2], parts, self.num_heads, -1)
        return split.permute(2, 0, 3, 1, 4).unbind(0)


class _LayerScale(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.gamma


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

        def scale() -> nn.Module:
            return _LayerScale(config.dim) if config.has_layer_scale else nn.Identity()

        self.norm1 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.attn = _Attention(config)
        self.ls1 = scale()
        self.norm2 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.mlp = _Mlp(config.dim, int(config.dim * config.mlp_ratio))
        self.ls2 = scale()

    def forward(self, tokens: Tensor, rotation: Rotation | None = None) -> Tensor:
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens), rotation))
        return tokens + self.ls2(self.mlp(self.norm2(tokens)))  # type: ignore[no-any-return]

    def cls_output(self, tokens: Tensor, rotation: Rotation | None) -> tuple[Tensor, Tensor]:
        """Return token 0 after this block, (B, D), and its softmax row, (B, heads, N)."""
        mixed, row = self.attn.cls_output(self.norm1(tokens), rotation)
        cls_token = tokens[:, 0] + self.ls1(mixed)
        return cls_token + self.ls2(self.mlp(self.norm2(cls_token))), row

    def cls_attention(self, tokens: Tensor, rotation: Rotation | None) -> Tensor:
        """Return this block's softmax row of token 0, float32 (B, heads, N)."""
        return self.attn.cls_attention(self.norm1(tokens), rotation)
