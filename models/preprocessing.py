"""Pixels as the networks of all families expect them: ImageNet's mean and deviation, RGB."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "normalize"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green, blue over ImageNet, as fractions of full scale."""
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of red, green, blue over ImageNet, likewise."""


def normalize(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return network input (B, 3, H, W) of ``dtype`` from uint8 RGB (B, H, W, 3).

    Runs on the device that ``images`` is on, in float32 whatever ``dtype`` is.
    """
    mean, std = _constants(images.device)
    return images.float().div_(255).sub_(mean).div_(std).permute(0, 3, 1, 2).to(dtype)


@lru_cache(maxsize=16)
def _constants(device: torch.device) -> tuple[Tensor, Tensor]:
    # Kept on the device: a copy from the host cannot be captured into a CUDA graph.
    with torch.inference_mode(False):
        mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        return mean.to(device), std.to(device)
