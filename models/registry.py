"""The table of models: what each is called, what it is made of, where its weights come from.

No torch here, so that ``--help`` and the table of models appear at once.

Architectures and weights: M. Caron et al., "Emerging Properties in Self-Supervised Vision
Transformers", ICCV 2021, https://github.com/facebookresearch/dino. Two models are Signlight's own,
trained by the same method (bundled/MODEL_CARD.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stream.errors import UnknownModelError
from stream.scene import MapKind
from stream.spelling import did_you_mean

__all__ = ["DEFAULT_MODEL", "MODELS", "ModelSpec", "find_spec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model that can be loaded by name."""

    name: str
    """What ``--model`` takes."""
    title: str
    """What people call it."""
    kind: MapKind
    """"attention" for transformers, "activation" for convolutional networks."""
    patch_px: int
    """Pixels that an input's sides must be multiples of: the patch, or the total stride."""
    num_heads: int
    """Maps beside the mean: attention heads, or leading components."""
    depth: int
    """Layers that can be read: transformer blocks, or stages."""
    dim: int
    """Width of a token, or channels of the last stage."""
    pretrain_px: int = 224
    """Side of the pictures that the position embedding was trained on."""
    cls_block: int = 0
    """Transformer block at which the CLS token joins the patch tokens; 0 in a standard ViT."""
    crop_px: int = 224
    """Side that crops are brought to where the person names none."""
    licence: str
    """SPDX identifier of the weights' licence."""
    url: str | None
    """Where the official weights are published; None where they come with Signlight."""
    file_name: str
    """What the weights are called in the cache, or in ``models/bundled``."""
    sha256: str | None = None
    """Hash of the weights that come with Signlight, hexadecimal."""
    size_bytes: int
    """Rough size of that file, for people; never used as a check."""

    @property
    def layers(self) -> range:
        """Layers whose maps can be read: those that the CLS token takes part in."""
        return range(self.cls_block, self.depth)

    def layer_index(self, layer: int) -> int:
        """Return ``layer`` counted from 0; negative counts from the end.

        Raises:
            ValueError: The model has no such layer.
        """
        index = layer + self.depth if layer < 0 else layer
        if index not in self.layers:
            first, last = self.layers[0], self.layers[-1]
            there = (
                f"attention in layer {last} only (or -1)"
                if first == last
                else f"layers {first} to {last} (or {first - self.depth} to -1 from the end)"
            )
            raise ValueError(f"{self.name} has {there}, got {layer}")
        return index


def find_spec(name: str) -> ModelSpec:
    """Return the model called ``name``.

    Raises:
        UnknownModelError: There is none; the message lists those there are.
    """
    if name in MODELS:
        return MODELS[name]
    raise UnknownModelError(f"no model is called {name!r}: {did_you_mean(name, tuple(MODELS))}")


_SITE = "https://dl.fbaipublicfiles.com/dino/"


def _vit(name: str, title: str, stem: str, *, patch_px: int, small: bool) -> ModelSpec:
    return ModelSpec(
        name=name,
        title=title,
        kind="attention",
        patch_px=patch_px,
        num_heads=6 if small else 12,
        depth=12,
        dim=384 if small else 768,
        licence="Apache-2.0",
        url=f"{_SITE}{stem}/{stem}.pth",
        file_name=f"{stem}.pth",
        size_bytes=86_700_000 if small else 343_300_000,
    )


def _hands(*, patch_px: int, crop_px: int, sha256: str, size_bytes: int) -> ModelSpec:
    name = f"dino_hands{patch_px}"
    return ModelSpec(
        name=name,
        title=f"Signlight's DINO of hands, ViT of 5 blocks, patch {patch_px}",
        kind="attention",
        patch_px=patch_px,
        num_heads=6,
        depth=5,
        dim=192,
        pretrain_px=6 * patch_px,
        cls_block=4,
        crop_px=crop_px,
        licence="Apache-2.0",
        url=None,
        file_name=f"{name}.safetensors",
        sha256=sha256,
        size_bytes=size_bytes,
    )


_ALL = (
    _hands(
        patch_px=8,
        crop_px=144,
        sha256="7367dac1b5379771537586fde53161e6f4bafc1fe71ecb610c8a85294e7f68c1",
        size_bytes=4_550_000,
    ),
    _hands(
        patch_px=16,
        crop_px=160,
        sha256="0344b04fc9d344e9d1a51820ad9789c0fd1d8267348dbadd3b92bfae5e00b39a",
        size_bytes=4_770_000,
    ),
    _vit("dino_vits16", "DINO ViT-S/16", "dino_deitsmall16_pretrain", patch_px=16, small=True),
    _vit("dino_vits8", "DINO ViT-S/8", "dino_deitsmall8_pretrain", patch_px=8, small=True),
    _vit("dino_vitb16", "DINO ViT-B/16", "dino_vitbase16_pretrain", patch_px=16, small=False),
    _vit("dino_vitb8", "DINO ViT-B/8", "dino_vitbase8_pretrain", patch_px=8, small=False),
    ModelSpec(
        name="dino_resnet50",
        title="DINO ResNet-50",
        kind="activation",
        patch_px=32,
        num_heads=6,
        depth=4,
        dim=2048,
        licence="Apache-2.0",
        url=f"{_SITE}dino_resnet50_pretrain/dino_resnet50_pretrain.pth",
        file_name="dino_resnet50_pretrain.pth",
        size_bytes=94_400_000,
    ),
)

MODELS: Mapping[str, ModelSpec] = MappingProxyType({spec.name: spec for spec in _ALL})
"""Every model, by name, in the order in which they are listed."""

DEFAULT_MODEL = "dino_hands8"
"""What is used where no model is named: of the two that come with Signlight, the finer."""
