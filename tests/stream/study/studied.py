"""Blocks of a rendered hand and maps whose numbers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stream.geometry import HandCrop
from stream.scene import MapKind
from stream.study.blocks import Block, Row
from tests.stream.annotation.hands import GRID_HW, WHOLE_PICTURE, maps_of, region_of, rendered

HAND = region_of(rendered("B", 1).landmarks)


def block_of(
    weights: Sequence[npt.NDArray[np.float64]],
    *,
    kind: MapKind = "attention",
    sha256: str | None = "0" * 64,
) -> Block:
    """Return a block with a row for each array of maps, (heads, rows, columns)."""
    crop = HandCrop(
        image=rendered("B", 1).image,
        transform=WHOLE_PICTURE,
        region=HAND,
        frame_index=0,
        pts=0,
        time_base=Fraction(1),
        captured_ns=0,
    )
    return Block(
        model="fake",
        kind=kind,
        region="hands",
        crop_px=224,
        layers=(11,),
        weights_sha256=sha256,
        rows=tuple(
            Row(
                name=f"sign {number}",
                crop=crop,
                hands=(HAND,),
                maps=(replace(maps_of(each), kind=kind),),
            )
            for number, each in enumerate(weights)
        ),
    )


def flat(heads: int = 2) -> npt.NDArray[np.float64]:
    """Return maps of which each patch has the same."""
    return np.full((heads, *GRID_HW), 1 / 1000)
