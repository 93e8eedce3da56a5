"""DINO: M. Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021.

Weights: https://github.com/facebookresearch/dino. Two models are Signlight's own, trained by the
same method (bundled/MODEL_CARD.md). iBOT (J. Zhou et al., ICLR 2022) builds the same transformers:
its ViT-S/16 and ViT-B/16 load as DINO's.
"""

from __future__ import annotations

from typing import Any

from models.families.family import ModelSpec
from models.families.transformer import BASE, SMALL, TransformerFamily

__all__ = ["DINO", "MODELS"]


class _Dino(TransformerFamily):
    foreign = ("masked_embed",)  # what stands for hidden patches while iBOT trains

    def traits(self, spec: ModelSpec) -> dict[str, Any]:
        return {}


DINO = _Dino()
"""The family itself; DINO's own scripts know no other (``models.bench.official``)."""


def _hands(
    *, patch_px: int, crop_px: int, pretrain_px: int, sha256: str, size_bytes: int
) -> ModelSpec:
    name = f"dino_hands{patch_px}"
    return ModelSpec(
        name=name,
        title=f"Signlight's DINO of hands, ViT of 5 blocks, patch {patch_px}",
        family=DINO,
        patch_px=patch_px,
        num_heads=6,
        depth=5,
        dim=192,
        pretrain_px=pretrain_px,
        cls_block=4,
        crop_px=crop_px,
        licence="Apache-2.0",
        origin="bundled",
        url=None,
        file_name=f"{name}.safetensors",
        sha256=sha256,
        size_bytes=size_bytes,
    )


def _official(name: str, title: str, stem: str, *, patch_px: int, small: bool) -> ModelSpec:
    return ModelSpec(
        name=name,
        title=title,
        family=DINO,
        patch_px=patch_px,
        **(SMALL if small else BASE),
        licence="Apache-2.0",
        url=f"https://dl.fbaipublicfiles.com/dino/{stem}/{stem}.pth",
        file_name=f"{stem}.pth",
        size_bytes=86_700_000 if small else 343_300_000,
    )


MODELS = (
    _hands(
        patch_px=8,
        crop_px=144,
        pretrain_px=96,
        sha256="2ab3f9b47c26a5e7a650efda659818025eb11a7ddf73ffa7de5e0ee3e5a9ba1a",
        size_bytes=4_590_000,
    ),
    _hands(
        patch_px=16,
        crop_px=160,
        pretrain_px=128,
        sha256="9feed4ac56fd9aac15df357539059dfef510b9b4fdd9d0a43de0d18f76bd9d3a",
        size_bytes=4_780_000,
    ),
    _official("dino_vits16", "DINO ViT-S/16", "dino_deitsmall16_pretrain", patch_px=16, small=True),
    _official("dino_vits8", "DINO ViT-S/8", "dino_deitsmall8_pretrain", patch_px=8, small=True),
    _official("dino_vitb16", "DINO ViT-B/16", "dino_vitbase16_pretrain", patch_px=16, small=False),
    _official("dino_vitb8", "DINO ViT-B/8", "dino_vitbase8_pretrain", patch_px=8, small=False),
)
"""Signlight's own, then the official ones."""
