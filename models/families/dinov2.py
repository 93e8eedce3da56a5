"""DINOv2: M. Oquab et al., "Learning Robust Visual Features without Supervision", TMLR 2024.

Those with four registers (``_reg``): T. Darcet et al., "Vision Transformers Need Registers", ICLR
2024. Weights: https://github.com/facebookresearch/dinov2.
"""

from __future__ import annotations

from typing import Any

from models.families.family import ModelSpec
from models.families.transformer import BASE, SMALL, TransformerFamily

__all__ = ["MODELS"]


class _DinoV2(TransformerFamily):
    foreign = ("mask_token",)  # what stands for hidden patches in training

    def traits(self, spec: ModelSpec) -> dict[str, Any]:
        return {
            "has_layer_scale": True,
            "positions": "resampled" if spec.num_registers else "stretched",
        }


_DINOV2 = _DinoV2()


def _official(*, small: bool, num_registers: int) -> ModelSpec:
    stem = "dinov2_vits14" if small else "dinov2_vitb14"
    file_name = f"{stem}_reg4_pretrain.pth" if num_registers else f"{stem}_pretrain.pth"
    with_them = f" with {num_registers} registers" if num_registers else ""
    return ModelSpec(
        name=f"{stem}_reg" if num_registers else stem,
        title=f"DINOv2 ViT-{'S' if small else 'B'}/14{with_them}",
        family=_DINOV2,
        patch_px=14,
        **(SMALL if small else BASE),
        pretrain_px=518,
        num_registers=num_registers,
        licence="Apache-2.0",
        url=f"https://dl.fbaipublicfiles.com/dinov2/{stem}/{file_name}",
        file_name=file_name,
        size_bytes=88_300_000 if small else 346_400_000,
    )


MODELS = tuple(
    _official(small=small, num_registers=num_registers)
    for small in (True, False)
    for num_registers in (0, 4)
)
"""The two sizes, each without and with registers."""
