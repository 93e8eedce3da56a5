"""Rotary positions: tokens know their place by how far their queries and keys are turned."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

__all__ = ["RotaryEmbedding", "Rotation", "turned"]

Rotation = tuple[Tensor, Tensor]
"""Cosines and signed sines for every token, float32 (N, D / heads) each."""


class RotaryEmbedding(nn.Module):
    """Places as angles, for patches of grids of any size (J. Su et al., "RoFormer", 2021).

    As in DINOv3 (O. Simeoni et al., 2025, arXiv 2508.10104): coordinates of patch centres run from
    -1 to 1 along each side, and each turns half of the channel pairs, at periods of a geometric
    series.
    """

    periods: Tensor
    """float32 (head width / 4,). Checkpoints have them rounded to bfloat16, and were trained so."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        quarter = head_dim // 4
        self.register_buffer("periods", 100 ** (torch.arange(quarter) / quarter))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> RotaryEmbedding:
        """Follow to another device, but stay float32: rounded angles would misplace patches."""
        periods = self.periods
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.periods = periods.to(self.periods.device)
        return self

    def forward(self, grid_hw: tuple[int, int], num_prefix: int) -> tuple[Tensor, Tensor]:
        """Return cosines and sines, (N, head width) each; the prefix is not turned."""
        device = self.periods.device
        y, x = (
            (2 * torch.arange(count, device=device) + 1) / count - 1 for count in grid_hw
        )  # centres of patches
        coordinates = torch.cartesian_prod(y, x)  # (patches, 2)
        angles = 2 * math.pi * coordinates[:, :, None] / self.periods  # (patches, 2, d / 4)
        angles = F.pad(angles.flatten(1), (0, 0, num_prefix, 0))  # (N, d / 2)
        # Channel i makes a pair with channel i + d / 2, the second of which takes a minus along.
        sines = angles.sin()
        return angles.cos().repeat(1, 2), torch.cat([-sines, sines], dim=1)


def turned(heads: Tensor, rotation: Rotation | None) -> Tensor:
    """Return queries or keys (B, heads, N, d) turned by their places; computed in float32."""
    if rotation is None:
        return heads
    cosines, sines = rotation
    exact = heads.float()
    swapped = exact.roll(exact.shape[-1] // 2, dims=-1)
    return (exact * cosines + swapped * sines).to(heads.dtype)
