"""The table of attention: where the maps look, a row for each frame, hand and head."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import PARTS, Focus, HandMoment, Moment
from stream.tables.columns import Column
from stream.tables.frames import time_columns

__all__ = ["ATTENTION_COLUMNS", "ATTENTION_INTRO", "AttentionRows", "attention_rows"]

ATTENTION_INTRO = (
    "A row for each frame, hand and head, and one for the mean of the heads; none for a hand "
    "without maps of that very frame, because it is not seen. A measure looks at how a map's sum "
    "is shared out among the patches, so what the CLS token pays to itself does not count. Join it "
    "to the frames by `frame` and `track`. What is about a hand is empty for the whole picture, "
    "and where a map is zero throughout its measures are empty."
)

_SHANNON = "C. Shannon, Bell System Technical Journal 27, 1948"
_HILL = "Hill number of order 1: M. Hill, Ecology 54, 1973"
_CLEVR = "L. Arras et al., CLEVR-XAI, Information Fusion 81, 2022"
_LIN = "J. Lin, IEEE Transactions on Information Theory 37, 1991"


@dataclass(frozen=True, slots=True, eq=False)
class AttentionRows:
    """The rows of one hand in one frame, one for each head and the mean."""

    moment: Moment
    hand: HandMoment
    focus: Focus

    @property
    def heads(self) -> npt.NDArray[np.object_]:
        """Names of the maps: numbers of heads from 0, then ``mean``."""
        num_heads = len(self.focus.kept) - 1
        return np.array([*map(str, range(num_heads)), "mean"], object)


def attention_rows(moment: Moment) -> Iterator[AttentionRows]:
    """Yield the rows of a moment."""
    for hand in moment.hands:
        if hand.focus is not None:
            yield AttentionRows(moment, hand, hand.focus)


def _measure(
    name: str,
    read: Callable[[Focus], Any],
    definition: str,
    *,
    unit: str = "",
    paper: str = "",
    series: str = "",
) -> Column[AttentionRows]:
    return Column(
        name=name,
        dtype="float32",
        unit=unit,
        definition=definition,
        paper=paper,
        read=lambda rows: read(rows.focus),
        series=series,
    )


def _places(
    name: str, read: Callable[[Focus], Any], definition: str
) -> Iterator[Column[AttentionRows]]:
    for number, axis in enumerate("xy"):
        yield _measure(
            f"{name}_{axis}_px",
            lambda focus, number=number: read(focus)[:, number],  # type: ignore[misc]
            definition,
            unit="pixels",
            series=f"{name}_{{x,y}}_px",
        )


def _parts(
    name: str, read: Callable[[Focus], Any], definition: str
) -> Iterator[Column[AttentionRows]]:
    for number, part in enumerate(PARTS):
        yield _measure(
            f"{name}_on_{part}",
            lambda focus, number=number: read(focus)[:, number],  # type: ignore[misc]
            definition,
            paper=_CLEVR if name == "mass" else "",
            series=f"{name}_on_{{{','.join(PARTS)}}}",
        )


ATTENTION_COLUMNS: tuple[Column[AttentionRows], ...] = (
    *time_columns(),
    Column(
        name="track",
        dtype="int32",
        definition="Number that a hand keeps while it is followed; 0 for the whole picture.",
        read=lambda rows: rows.hand.region.track_id,
    ),
    Column(
        name="hand",
        dtype="word",
        definition="`left` or `right`, the signer's own; empty for the whole picture.",
        read=lambda rows: rows.hand.region.handedness,
    ),
    Column(
        name="kind",
        dtype="word",
        definition="`attention`, or `activation` of convolutional networks, which is no attention.",
        read=lambda rows: rows.hand.maps.maps.kind if rows.hand.maps else None,
    ),
    Column(
        name="head",
        dtype="word",
        definition="Number of the head (of activations, of the component), from 0, as `--head` "
        "counts them; `mean`: the mean of all (of activations, their L2 norm).",
        read=lambda rows: rows.heads,
    ),
    _measure(
        "normalized_entropy",
        lambda focus: focus.normalized_entropy,
        "Entropy over the most there can be, the logarithm of the number of patches: 0 all on one "
        "patch, 1 the same on all.",
        paper=_SHANNON,
    ),
    _measure(
        "effective_patches",
        lambda focus: focus.effective_patches,
        "Number of patches with equal shares that would have the same entropy.",
        unit="patches",
        paper=_HILL,
    ),
    *_places("peak", lambda focus: focus.peak_xy, "Middle of the strongest patch."),
    Column(
        name="peak_on_hand",
        dtype="bool",
        definition="Whether the strongest patch is on the hand.",
        read=lambda rows: None if rows.hand.region.is_whole_frame else rows.focus.is_peak_on_hand,
    ),
    *_places("centroid", lambda focus: focus.centroid_xy, "Where the map's mass is on average."),
    *_places(
        "spread",
        lambda focus: focus.spread_xy,
        "How far the mass lies from its centroid: standard deviation.",
    ),
    _measure(
        "mass_on_hand",
        lambda focus: focus.mass_on_hand,
        "Share of the map on the hand, 0 to 1; patches that the hand fills in part count in part.",
        paper=f"relevance mass accuracy: {_CLEVR}",
    ),
    _measure(
        "lift_on_hand",
        lambda focus: focus.lift_on_hand,
        "That share over the hand's share of the crop's area: 1 is chance.",
    ),
    _measure(
        "rank_accuracy",
        lambda focus: focus.rank_accuracy,
        "Of as many of the strongest patches as the hand has, the share that is on it, 0 to 1.",
        paper=f"relevance rank accuracy: {_CLEVR}",
    ),
    *_parts(
        "mass",
        lambda focus: focus.mass_on_parts,
        "Share of the map on one finger, or on the palm, 0 to 1.",
    ),
    *_parts(
        "lift",
        lambda focus: focus.lift_on_parts,
        "That share over the part's share of the crop's area: 1 is chance.",
    ),
    _measure(
        "kept",
        lambda focus: focus.kept,
        "Share of attention that is not on the patches: the CLS token pays it to itself and to "
        "registers; of the mean, the mean. 0 for activations.",
    ),
    _measure(
        "divergence_to_mean",
        lambda focus: focus.divergence_to_mean,
        "Jensen-Shannon divergence of the map to the mean of the heads: 0 alike, 1 apart.",
        unit="bits",
        paper=_LIN,
    ),
    _measure(
        "divergence_to_before",
        lambda focus: focus.divergence_to_before,
        "Jensen-Shannon divergence to the same hand's map in the frame before, each laid onto the "
        "hand, so that a hand that only moves changes nothing; empty at its first.",
        unit="bits",
        paper=_LIN,
    ),
)
"""Of the table of attention, in order."""
