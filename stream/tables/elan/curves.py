"""Numbers over time as a table that ELAN draws as curves, written frame by frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import HandMoment, Moment
from stream.geometry import Handedness
from stream.tables.elan.ownership import MARK
from stream.tables.elan.tiers import milliseconds
from stream.tables.moment_file import MomentFile
from stream.whole_files import told_of

__all__ = ["Curves", "Track", "most_certain"]

_HANDS: tuple[tuple[Handedness, str], ...] = (("right", "RH"), ("left", "LH"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One curve."""

    name: str
    """What it is called."""
    column: int
    """Where it is in the table, from 0; the time is column 0."""
    unit: str
    """In what it is measured."""
    meaning: str
    """What it tells."""
    most: float
    """What the top of its panel stands for, the same for both hands; the bottom is 0."""
    color_rgb: tuple[int, int, int]
    """0 to 255."""


@dataclass(frozen=True, slots=True)
class _Measure:
    name: str
    unit: str
    meaning: str
    least_top: float  # of its panel: what is smaller looks small
    of: Callable[[HandMoment], float]


def _of_mean(name: str) -> Callable[[HandMoment], float]:
    """Return what reads a number of the heads' mean."""
    return lambda hand: math.nan if hand.focus is None else float(getattr(hand.focus, name)[-1])


def _palm_speed(hand: HandMoment) -> float:
    return math.nan if hand.motion is None else hand.motion.palm_speed


def _shape_speed(hand: HandMoment) -> float:
    return math.nan if hand.motion is None else hand.motion.shape_speed


_ENTROPY = _Measure(
    "entropy",
    "0 to 1",
    "entropy of the mean map, 0 one patch, 1 uniform",
    1.0,
    _of_mean("normalized_entropy"),
)
_CHANGE = _Measure(
    "change",
    "bits",
    "Jensen-Shannon divergence of the mean map from that of the frame before",
    0.1,
    _of_mean("divergence_to_before"),
)
_OF_HAND = (
    _Measure("speed", "palm lengths/s", "speed of the palm's middle", 1.0, _palm_speed),
    _Measure(
        "shape",
        "palm lengths/s",
        "speed of the landmarks in the palm's own frame",
        1.0,
        _shape_speed,
    ),
    _Measure(
        "on hand", "0 to 1", "share of the mean map on the hand", 1.0, _of_mean("mass_on_hand")
    ),
    _ENTROPY,
    _CHANGE,
)
"""ELAN shows twelve columns at most: the time, and these of two hands."""
_OF_PICTURE = (
    _ENTROPY,
    _CHANGE,
    _Measure("kept", "0 to 1", "share that is not on the patches", 1.0, _of_mean("kept")),
)
_COLORS = ((0, 90, 181), (220, 50, 32))
"""Of the right hand and the left, told apart by those who see few colours."""


class Curves(MomentFile):
    """Writes moments as rows.

    ELAN finds out by itself what the table is like: lines that begin with # are left out, the
    commas have to be in the majority, and times with a point are seconds. A cell without a number
    says NaN, where ELAN breaks the curve.

    Args:
        path: Where to write.
        picture: The maps are of the whole picture, not of hands.
        origin_ms: Media time at which the tiers' time is 0; moments before are left out.

    Raises:
        OutputError: It cannot be written.
    """

    def __init__(self, path: Path, *, picture: bool, origin_ms: int = 0) -> None:
        self._origin_ms = origin_ms
        self._who: list[Handedness | None] = [None] if picture else [hand for hand, _ in _HANDS]
        self._measures = _OF_PICTURE if picture else _OF_HAND
        names = [""] if picture else [f"{word} " for _, word in _HANDS]
        self._tracks = [
            Track(
                name=f"{word}{measure.name}",
                column=1 + place * len(self._measures) + number,
                unit=measure.unit,
                meaning=measure.meaning,
                most=measure.least_top,
                color_rgb=_COLORS[place],
            )
            for place, word in enumerate(names)
            for number, measure in enumerate(self._measures)
        ]
        self._most: npt.NDArray[np.float64] = np.zeros((len(names), len(self._measures)))
        super().__init__([path])
        self._put(f"#{MARK}\n#time_s,{','.join(track.name for track in self._tracks)}\n")

    @property
    def tracks(self) -> list[Track]:
        """The curves, with the range of what was written so far."""
        most = self._most.max(0).tolist() * len(self._who)
        return [
            replace(track, most=_round_up(max(track.most, value)))
            for track, value in zip(self._tracks, most, strict=True)
        ]

    def write(self, moment: Moment) -> None:
        """Write a row.

        Raises:
            OutputError: It cannot be written.
        """
        time_ms = milliseconds(moment.time_s) - self._origin_ms
        if time_ms < 0:
            return
        hands = [most_certain(moment, hand) for hand in self._who]
        values = [
            measure.of(hand) if hand is not None else math.nan
            for hand in hands
            for measure in self._measures
        ]
        known = [value if math.isfinite(value) else math.nan for value in values]
        self._most = np.fmax(self._most, np.reshape(known, self._most.shape))
        cells = ",".join("NaN" if math.isnan(value) else f"{value:.4f}" for value in known)
        self._put(f"{time_ms // 1000}.{time_ms % 1000:03d},{cells}\n")

    def _finish(self) -> None:
        """See ``MomentFile``: nothing waits."""

    def _put(self, text: str) -> None:
        (output,) = self._files
        with told_of(output.path):
            output.file.write(text.encode())


def most_certain(moment: Moment, hand: Handedness | None) -> HandMoment | None:
    """Return the hand that is most surely the one asked for; None asks for the whole picture."""
    found = [each for each in moment.hands if each.region.handedness == hand]
    return max(found, key=lambda each: (-each.region.unseen_s, each.region.score), default=None)


def _round_up(most: float) -> float:
    """Return the next 1, 2 or 5 with zeros: what a panel's axis goes up to."""
    power = math.floor(math.log10(most))
    return next(
        top
        for top in (float(f"{step}e{power}") for step in (1, 2, 5, 10))
        if top >= most * (1 - 1e-6)  # 0.1 of float32 is a little more
    )
