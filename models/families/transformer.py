"""What the families of vision transformers share: all but what ``traits`` tells apart."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.families.family import Family, ModelSpec

if TYPE_CHECKING:
    from torch import Tensor

    from models.vit import VisionTransformer, VitConfig

__all__ = ["BASE", "SMALL", "TransformerFamily"]

SMALL: dict[str, Any] = {"num_heads": 6, "depth": 12, "dim": 384}
"""Numbers of a ViT-S."""
BASE: dict[str, Any] = {"num_heads": 12, "depth": 12, "dim": 768}
"""Numbers of a ViT-B."""


class TransformerFamily(Family):
    """A family of vision transformers."""

    @abstractmethod
    def traits(self, spec: ModelSpec) -> dict[str, Any]:
        """Return the fields of ``VitConfig`` in which the family is not the plain transformer."""

    def config(self, spec: ModelSpec) -> VitConfig:
        """Return what the transformer of a model is made of."""
        from models.vit import VitConfig

        return VitConfig(
            patch_px=spec.patch_px,
            dim=spec.dim,
            depth=spec.depth,
            num_heads=spec.num_heads,
            pretrain_px=spec.pretrain_px,
            cls_block=spec.cls_block,
            num_registers=spec.num_registers,
            **self.traits(spec),
        )

    def build(self, spec: ModelSpec) -> VisionTransformer:
        """Return the transformer of a model."""
        from models.vit import VisionTransformer

        return VisionTransformer(self.config(spec))

    def map_flop(self, spec: ModelSpec, size_hw: tuple[int, int]) -> int:
        """Return the operations for the CLS row of the last block."""
        from models.flops import cls_row_flop

        return cls_row_flop(self.config(spec), size_hw)

    def is_like(self, spec: ModelSpec, state: Mapping[str, Tensor]) -> bool:
        """Tell by the shapes and names in which transformers differ."""
        shapes = {name: tuple(tensor.shape) for name, tensor in self.backbone(state).items()}
        patches = shapes.get("patch_embed.proj.weight", ())
        registers = shapes.get("register_tokens", (1, 0))
        blocks = {name.split(".")[1] for name in shapes if name.startswith("blocks.")}
        config = self.config(spec)
        return (
            len(patches) == 4
            and (patches[0], patches[-1], len(blocks)) == (spec.dim, spec.patch_px, spec.depth)
            and registers[1:2] == (spec.num_registers,)
            and ("pos_embed" in shapes) == (config.positions != "rotary")
            and ("blocks.0.ls1.gamma" in shapes) == config.has_layer_scale
        )
