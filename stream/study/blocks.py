"""What a figure is made of: a block for each model, a row for each sign, a panel for each map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from stream.frames import RgbImage
from stream.geometry import CropTransform, HandCrop, HandRegion
from stream.protocols import AttentionModel
from stream.scene import AttentionMaps, MapKind

__all__ = ["Block", "Region", "Row", "block_of_pictures"]

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
    macro: tuple[AttentionMaps, ...] = ()
    """Of a hand's crop, those of the whole picture; none where nobody asked."""


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
    head_names: tuple[tuple[str, ...], ...] = ()
    """What the heads of each layer are called beside their numbers, "" for nothing; none: no names.
    """

    @property
    def is_random(self) -> bool:
        """Whether the weights are random, so that the maps mean nothing."""
        return self.weights_sha256 is None

    @property
    def shown(self) -> str:
        """What a row shows, for people."""
        return "whole picture" if self.region == "frame" else "hand"

    @property
    def unit(self) -> str:
        """What one of its maps is called."""
        return "head" if self.kind == "attention" else "component"

    @property
    def mean_name(self) -> str:
        """What is called the mean of attention: of an activation it is none."""
        return "mean" if self.kind == "attention" else "norm"

    @property
    def num_heads(self) -> int:
        """Maps of a layer beside their mean; 0 in a block without rows."""
        return self.rows[0].maps[0].num_heads if self.rows else 0


def block_of_pictures(
    model: AttentionModel, pictures: Mapping[str, RgbImage], *, weights_sha256: str | None
) -> Block:
    """Return the block of a model's maps of pictures as they are; no hands are looked for.

    Args:
        model: What ``models.load_model`` returned.
        pictures: By name, uint8 (H, W, 3) RGB, sides multiples of the model's patch.
        weights_sha256: ``model.weights_sha256``; None marks the block as of random weights.

    Raises:
        ValueError: There is no picture, or a side is no multiple of the patch.
    """
    if not pictures:
        raise ValueError("pictures must hold one at least")
    crops = [
        HandCrop(
            image=image,
            transform=CropTransform.identity((image.shape[1], image.shape[0])),
            region=HandRegion.whole_frame((image.shape[1], image.shape[0])),
            frame_index=index,
            pts=index,
            time_base=Fraction(1),
            captured_ns=0,
        )
        for index, image in enumerate(pictures.values())
    ]
    maps = model.attend_crops(crops)
    return Block(
        model=maps[0].model,
        kind=maps[0].kind,
        region="frame",
        crop_px=min(crops[0].image.shape[:2]),
        layers=(maps[0].layer,),
        weights_sha256=weights_sha256,
        rows=tuple(
            Row(name=name, crop=crop, hands=(), maps=(one,))
            for name, crop, one in zip(pictures, crops, maps, strict=True)
        ),
    )
