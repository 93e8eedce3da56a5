"""What a figure is made of: a block for each model, a row for each sign, a panel for each map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stream.geometry import HandCrop, HandRegion
from stream.scene import AttentionMaps, MapKind

__all__ = ["Block", "Region", "Row"]

Region = Literal["hands", "frame"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Row:
    """A sign as one model sees it."""

    name: str
    """What it is called: the picture's name, and which hand where several are shown."""
    crop: HandCrop
    """What the model was shown."""
    hands: tuple[HandRegion, ...]
    """Hands that the numbers are about; none where none was found in a whole picture."""
    maps: tuple[AttentionMaps, ...]
    """Its maps, one for each of the block's layers."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Block:
    """Maps of one model, of hands or of whole pictures."""

    model: str
    """Name in the registry."""
    kind: MapKind
    """"attention" or "activation"."""
    region: Region
    """What the model was shown."""
    crop_px: int
    """Side of a hand's crop in pixels, shorter side of a whole picture."""
    layers: tuple[int, ...]
    """Layers that were read, from 0."""
    weights_sha256: str | None
    """Hash of the weights; None for random ones."""
    rows: tuple[Row, ...]
    """Signs, in order."""

    @property
    def is_random(self) -> bool:
        """Whether the weights are random, so that the maps mean nothing."""
        return self.weights_sha256 is None

    @property
    def num_heads(self) -> int:
        """Maps of a layer beside their mean; 0 in a block without rows."""
        return self.rows[0].maps[0].num_heads if self.rows else 0
