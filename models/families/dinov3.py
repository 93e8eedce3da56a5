"""DINOv3: O. Simeoni et al., 2025, arXiv 2508.10104.

The weights have a licence of their own and are handed out on request, so that they come from the
person (``--weights``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.families.family import ModelSpec
from models.families.transformer import BASE, SMALL, TransformerFamily

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MODELS"]


class _DinoV3(TransformerFamily):
    # A token of training, and which part of a bias is left out: here it is always that of the keys.
    foreign = ("mask_token", ".bias_mask")

    def traits(self, spec: ModelSpec) -> dict[str, Any]:
        return {
            "has_layer_scale": True,
            "positions": "rotary",
            "has_key_bias": False,
            "norm_eps": 1e-5,
        }

    def backbone(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        names = {"storage_tokens": "register_tokens"}
        return {names.get(name, name): each for name, each in super().backbone(state).items()}


_DINOV3 = _DinoV3()


def _official(*, small: bool) -> ModelSpec:
    name = "dinov3_vits16" if small else "dinov3_vitb16"
    return ModelSpec(
        name=name,
        title=f"DINOv3 ViT-{'S' if small else 'B'}/16",
        family=_DINOV3,
        patch_px=16,
        **(SMALL if small else BASE),
        num_registers=4,
        licence="LicenseRef-DINOv3",
        origin="gated",
        url="https://ai.meta.com/resources/models-and-libraries/dinov3-downloads/",
        file_name=f"{name}_pretrain_lvd1689m.pth",
        size_bytes=86_400_000 if small else 342_700_000,
    )


MODELS = (_official(small=True), _official(small=False))
"""The two sizes; what is trained on pictures of the web, not of satellites."""
