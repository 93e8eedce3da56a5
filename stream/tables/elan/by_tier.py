"""The measures summed up for each annotation of a person's own tier."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import PARTS, Focus, HandMoment, Moment
from stream.geometry import Handedness
from stream.tables.elan.curves import most_certain
from stream.tables.elan.tiers import Annotation, milliseconds
from stream.tables.moment_file import MomentFile

__all__ = ["BY_TIER_COLUMNS", "ByTier"]

_OF_MEAN_MAP = (
    "normalized_entropy",
    "effective_patches",
    "is_peak_on_hand",
    "mass_on_hand",
    "lift_on_hand",
    "rank_accuracy",
    "kept",
    "divergence_to_before",
)
_OF_HEADS = ("normalized_entropy", "mass_on_hand", "divergence_to_mean")
"""Fields of ``Focus``."""
BY_TIER_COLUMNS = {
    "annotation_id": "identifier of the annotation in the .eaf",
    "value": "what it says",
    "start_s": "when it begins, seconds of the .eaf",
    "end_s": "when it ends",
    "hand": "right or left, of the signer; picture where the maps are of the whole picture",
    "frames": "frames that begin within it",
    "frames_with_hand": "those in which the hand is seen",
    "frames_with_maps": "those with maps of the hand",
    "palm_speed_max": "highest speed of the palm's middle, palm lengths a second",
    "most_focused_head": "the head whose normalised entropy is lowest on average",
    "palm_speed": "mean speed of the palm's middle, palm lengths a second",
    "shape_speed": "mean speed of the landmarks in the palm's own frame, palm lengths a second",
    "joint_rate": "mean rate at which the joints' angles change, radians a second",
    "mean_map_*": "mean of a measure of the mean map; of is_peak_on_hand the share of frames",
    "head*": "mean of a measure of one head's map",
}
"""What the table holds; * stands for names of the table of attention, behind a head's number."""
_LEADING = list(BY_TIER_COLUMNS)[:10]


class ByTier(MomentFile):
    """Means over the frames that begin within each annotation: a row for each of its hands.

    Columns are named as in the other tables, after whose they are: the mean map's, or a head's.
    A number that a frame does not have is left out of its mean; a mean of none is an empty cell.
    What is kept meanwhile grows with the annotations, not with the frames.

    Args:
        path: The table to write, CSV.
        annotations: In order of time.
        picture: The maps are of the whole picture, not of hands.
        origin_ms: Media time at which the tiers' time is 0.
    """

    def __init__(
        self, path: Path, annotations: Sequence[Annotation], *, picture: bool, origin_ms: int = 0
    ) -> None:
        super().__init__([path])
        self._annotations = annotations
        self._who: tuple[Handedness | None, ...] = (None,) if picture else ("right", "left")
        self._origin_ms = origin_ms
        self._num_begun = 0
        self._on: list[int] = []
        self._num_frames = [0] * len(annotations)
        self._sums: dict[tuple[int, Handedness | None], _Sums] = {}

    def write(self, moment: Moment) -> None:
        """Add a frame to the annotations that it is in."""
        time_ms = milliseconds(moment.time_s) - self._origin_ms
        while (
            self._num_begun < len(self._annotations)
            and self._annotations[self._num_begun].start_ms <= time_ms
        ):
            self._on.append(self._num_begun)
            self._num_begun += 1
        self._on = [place for place in self._on if time_ms < self._annotations[place].end_ms]
        for place in self._on:
            self._num_frames[place] += 1
        for who in self._who if self._on else ():
            hand = most_certain(moment, who)
            if hand is None or hand.region.unseen_s:
                continue
            numbers = _numbers_of(hand)
            for place in self._on:
                self._sums.setdefault((place, who), _Sums()).add(numbers, hand.focus)

    def _finish(self) -> None:
        columns = list(dict.fromkeys(name for sums in self._sums.values() for name in sums.means))
        with TextIOWrapper(self._files[0].file, encoding="utf-8", newline="") as text:
            table = csv.writer(text, lineterminator="\n")
            table.writerow([*_LEADING, *columns])
            for place, annotation in enumerate(self._annotations):
                for who in self._who:
                    sums = self._sums.get((place, who), _Sums())
                    means = sums.means
                    table.writerow(
                        [
                            annotation.id,
                            annotation.value,
                            f"{annotation.start_ms / 1000:.3f}",
                            f"{annotation.end_ms / 1000:.3f}",
                            who or "picture",
                            self._num_frames[place],
                            sums.num_frames,
                            sums.num_with_maps,
                            _cell(sums.most_palm_speed),
                            _most_focused_head(means),
                            *(_cell(means.get(name, math.nan)) for name in columns),
                        ]
                    )


class _Sums:
    """What an annotation has of one hand so far."""

    def __init__(self) -> None:
        self.num_frames = 0
        self.num_with_maps = 0
        self.most_palm_speed = math.nan
        self._names: list[str] = []
        self._totals: npt.NDArray[np.float64] = np.zeros(0)
        self._counts: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, numbers: Mapping[str, float], focus: Focus | None) -> None:
        self.num_frames += 1
        self.num_with_maps += focus is not None
        self.most_palm_speed = float(np.fmax(self.most_palm_speed, numbers["palm_speed"]))
        if len(numbers) > len(self._names):  # the first with maps
            more = len(numbers) - len(self._names)
            self._names = list(numbers)
            self._totals = np.pad(self._totals, (0, more))
            self._counts = np.pad(self._counts, (0, more))
        values = np.fromiter(numbers.values(), np.float64, len(numbers))
        is_known = np.isfinite(values)
        self._totals[: len(values)] += np.where(is_known, values, 0.0)
        self._counts[: len(values)] += is_known

    @property
    def means(self) -> dict[str, float]:
        with np.errstate(invalid="ignore"):
            means = self._totals / np.where(self._counts > 0, self._counts, np.nan)
        return dict(zip(self._names, means.tolist(), strict=True))


def _numbers_of(hand: HandMoment) -> dict[str, float]:
    """Return the numbers of a frame; those of its maps come last, where it has any."""
    motion, focus = hand.motion, hand.focus
    numbers = {
        "palm_speed": math.nan if motion is None else motion.palm_speed,
        "shape_speed": math.nan if motion is None else motion.shape_speed,
        "joint_rate": math.nan if motion is None else float(np.abs(motion.joint_rates).mean()),
    }
    if focus is None:
        return numbers
    for name in _OF_MEAN_MAP:
        numbers[f"mean_map_{name}"] = float(getattr(focus, name)[-1])
    for name, of_parts in (("mass", focus.mass_on_parts), ("lift", focus.lift_on_parts)):
        for part, value in zip(PARTS, of_parts[-1].tolist(), strict=True):
            numbers[f"mean_map_{name}_on_{part}"] = value
    for name in _OF_HEADS:
        for head, value in enumerate(getattr(focus, name)[:-1].tolist()):
            numbers[f"head{head}_{name}"] = value
    return numbers


def _most_focused_head(means: Mapping[str, float]) -> str:
    """Return the head whose entropy is lowest on average; nothing where there are no maps."""
    entropies = [
        value
        for name, value in means.items()
        if name.startswith("head") and name.endswith("_normalized_entropy")
    ]
    is_known = entropies and not np.isnan(entropies).all()
    return str(int(np.nanargmin(entropies))) if is_known else ""


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""
