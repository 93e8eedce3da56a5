"""What is said of a model, and what is to be said of a family of models.

No torch at import, so that ``--help`` and the table of models appear at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from stream.scene import MapKind

if TYPE_CHECKING:
    from torch import Tensor

    from models.runtimes.neural_network import Network

__all__ = ["Family", "ModelSpec"]


class Family(ABC):
    """Models that are built alike; one file of this folder each, listed in ``models.registry``."""

    foreign: ClassVar[tuple[str, ...]] = ()
    """Ends of names under which a checkpoint holds what the maps do not need."""

    @abstractmethod
    def build(self, spec: ModelSpec) -> Network:
        """Return the network of a model, its parameters as training begins with them."""

    @abstractmethod
    def map_flop(self, spec: ModelSpec, size_hw: tuple[int, int]) -> int:
        """Return the operations for the last layer's maps of one picture; see ``models.flops``."""

    @abstractmethod
    def is_like(self, spec: ModelSpec, state: Mapping[str, Tensor]) -> bool:
        """Return whether named tensors look like those of a model, whole or not."""

    def backbone(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a checkpoint's tensors under the network's names, without what is foreign."""
        return {name: tensor for name, tensor in state.items() if not name.endswith(self.foreign)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model that can be loaded by name."""

    name: str
    """What ``--model`` takes."""
    title: str
    """What people call it."""
    family: Family
    """How its network is built and its checkpoints are recognised."""
    kind: MapKind = "attention"
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
    num_registers: int = 0
    """Learned tokens beside CLS that stand for no place; what they get is not in the maps."""
    crop_px: int = 224
    """Side that crops are brought to where the person names none."""
    licence: str
    """SPDX identifier of the weights' licence."""
    origin: Literal["bundled", "published", "gated"] = "published"
    """Where weights come from: with Signlight, from ``url``, or from the person, who has to ask for
    them at ``url`` and to accept a licence."""
    url: str | None
    """Where the official weights are published; None where they come with Signlight."""
    file_name: str
    """What the weights are called in the cache, in ``models/bundled``, or as they are published."""
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
