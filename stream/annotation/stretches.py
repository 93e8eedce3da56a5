"""What lasts, found in moments one by one: in view, phases, handshape changes, the focused head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np

from stream.annotation.moments import HandMoment, Moment, Stretch, TierKind
from stream.annotation.runs import Levels, Run, Runs
from stream.geometry import Handedness

__all__ = ["StretchFinder", "StretchRules"]

_HANDS: tuple[Handedness, Handedness] = ("left", "right")
_IN_VIEW = "in view"


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchRules:
    """When something counts as a stretch. Stored beside what was found by it."""

    palm_speed: float = 0.8
    """A hand moves whose palm is this quick, palm lengths a second ..."""
    shape_speed: float = 0.8
    """... or whose landmarks are this quick in the palm's own frame (root mean square), palm
    lengths a second. Holds and movements as segments in which place or shape stay or change: S.
    Liddell and R. Johnson, "American Sign Language: The Phonological Base", Sign Language Studies
    64, 1989."""
    palm_rest: float = 0.5
    """The movement lasts while the palm is at least this quick, palm lengths a second ..."""
    shape_rest: float = 0.2
    """... or the landmarks in the palm's own frame are."""
    settle_s: float = 0.1
    """So long after a hand came into view nothing moves for certain, seconds: landmarks that still
    settle on it do."""
    min_phase_s: float = 0.1
    """A hold or a movement lasts at least this long, seconds."""
    change_rest: float = 0.4
    """A handshape change lasts while landmarks that reach ``shape_speed`` are at least this quick,
    palm lengths a second."""
    min_change_s: float = 0.08
    """A handshape change lasts at least this long, seconds."""
    focus_margin: float = 0.02
    """A head becomes the most focused one by a normalised entropy lower by this ..."""
    min_focus_s: float = 0.2
    """... for this long, seconds."""
    min_view_s: float = 0.1
    """Losses and sightings of a hand shorter than this are none, seconds."""
    both_share: float = 0.7
    """Neither hand is dominant where one moves at least this share of the other's way."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """How quick a hand is in one frame: it moves for certain, it rests for certain, or neither."""

    is_moving: bool
    is_at_rest: bool
    speed: float
    """Of the palm and in it, palm lengths a second."""


class StretchFinder:
    """Finds stretches in moments; a writer of moments. Memory grows with the stretches alone.

    Args:
        rules: When something counts as a stretch.
    """

    def __init__(self, rules: StretchRules | None = None) -> None:
        self.rules = rules or StretchRules()
        self._found: list[Stretch] = []
        self._hands = {hand: _Hand(hand, self.rules, self._found) for hand in _HANDS}
        self._picture_focus = _Focus(None, self.rules, self._found)
        self._count = Runs[str](self.rules.min_view_s, partial(self._tell, "number of hands"))
        self._pair = Levels(self.rules.min_phase_s, self._tell_dominant)
        self._last: Moment | None = None
        self._step_s = Fraction(0)
        self.end_s: Fraction | None = None
        """When the last frame ends, once closed; None where there was none."""

    @property
    def stretches(self) -> list[Stretch]:
        """What is finished so far, sorted by start; all once closed."""
        return sorted(self._found, key=lambda stretch: stretch.start_s)

    def write(self, moment: Moment) -> None:
        """Take the next moment."""
        time_s = moment.time_s
        self._step_s = time_s - self._last.time_s if self._last else Fraction(0)
        self._last = moment
        whole = next((hand for hand in moment.hands if hand.region.is_whole_frame), None)
        if whole:
            self._picture_focus.put(time_s, whole)
            return
        seen = [hand for hand in moment.hands if not hand.region.unseen_s]
        self._count.put(time_s, str(len(seen)))
        by_hand: dict[Handedness, HandMoment | None] = {
            side: next((hand for hand in seen if hand.region.handedness == side), None)
            for side in _HANDS
        }
        paces = [
            self._hands[side].put(time_s, hand, moment.absent.get(side, _IN_VIEW))
            for side, hand in by_hand.items()
        ]
        known = [pace for pace in paces if pace]
        if not known:
            self._pair.end(time_s)
            return
        self._pair.put(
            time_s,
            is_on=any(pace.is_moving for pace in known),
            is_at_rest=all(pace.is_at_rest for pace in known),
            amounts=np.array([pace.speed if pace else 0.0 for pace in paces]) * float(self._step_s),
        )

    def close(self) -> None:
        """End all that lasts where the last frame ends; harmless when called again."""
        if self._last is None:
            return
        last = self._last
        # Where nothing says how long the last frame is shown, as long as the one before.
        shown_s = last.duration_s or self._step_s or last.time_base
        self.end_s = end_s = last.time_s + shown_s
        self._picture_focus.end(end_s)
        self._count.end(end_s)
        self._pair.end(end_s)
        for hand in self._hands.values():
            hand.end(end_s)
        self._last = None

    def _tell(self, tier: TierKind, run: Run[str], end_s: Fraction) -> None:
        _tell(self._found, tier, None, run.start_s, end_s, run.value)

    def _tell_dominant(self, run: Run[bool], end_s: Fraction) -> None:
        if not run.value:
            return
        left, right = run.amounts.tolist()
        if min(left, right) >= self.rules.both_share * max(left, right):
            value = "both"
        else:
            value = "left" if left > right else "right"
        _tell(self._found, "dominant hand", None, run.start_s, end_s, value)


class _Hand:
    """The tiers of one hand."""

    def __init__(self, side: Handedness, rules: StretchRules, found: list[Stretch]) -> None:
        self._side: Handedness = side
        self._rules = rules
        self._found = found
        self._view = Runs[str](rules.min_view_s, self._tell_view)
        self._phase = Levels(rules.min_phase_s, self._tell_phase)
        self._shape = Levels(rules.min_change_s, self._tell_shape)
        self._focus = _Focus(side, rules, found)
        self._seen_since_s: Fraction | None = None

    def put(self, time_s: Fraction, hand: HandMoment | None, absence: str) -> _Pace | None:
        self._view.put(time_s, _IN_VIEW if hand else absence)
        self._focus.put(time_s, hand)
        motion, rules = hand.motion if hand else None, self._rules
        if motion is None or math.isnan(motion.palm_speed):
            self._phase.end(time_s)
            self._shape.end(time_s)
            self._seen_since_s = None
            return None
        if self._seen_since_s is None:
            self._seen_since_s = time_s
        is_settled = time_s - self._seen_since_s >= rules.settle_s
        changes = motion.shape_speed >= rules.shape_speed
        pace = _Pace(
            is_moving=is_settled and (motion.palm_speed >= rules.palm_speed or changes),
            is_at_rest=(
                motion.palm_speed < rules.palm_rest and motion.shape_speed < rules.shape_rest
            ),
            speed=motion.palm_speed + motion.shape_speed,
        )
        self._phase.put(time_s, is_on=pace.is_moving, is_at_rest=pace.is_at_rest)
        self._shape.put(
            time_s,
            is_on=is_settled and changes,
            is_at_rest=motion.shape_speed < rules.change_rest,
        )
        return pace

    def end(self, end_s: Fraction) -> None:
        self._view.end(end_s)
        self._phase.end(end_s)
        self._shape.end(end_s)
        self._focus.end(end_s)

    def _tell_view(self, run: Run[str], end_s: Fraction) -> None:
        tier: TierKind = "in view" if run.value == _IN_VIEW else "not seen"
        _tell(self._found, tier, self._side, run.start_s, end_s, run.value)

    def _tell_phase(self, run: Run[bool], end_s: Fraction) -> None:
        value = "movement" if run.value else "hold"
        _tell(self._found, "phase", self._side, run.start_s, end_s, value)

    def _tell_shape(self, run: Run[bool], end_s: Fraction) -> None:
        if run.value:
            _tell(self._found, "handshape change", self._side, run.start_s, end_s, "")


class _Focus:
    """The most focused head of a hand, or of the whole picture."""

    def __init__(self, side: Handedness | None, rules: StretchRules, found: list[Stretch]) -> None:
        self._margin = rules.focus_margin
        self._longest_gap_s = rules.min_view_s
        self._gone_since_s: Fraction | None = None
        self._runs = Runs[int](
            rules.min_focus_s,
            lambda run, end_s: _tell(
                found, "most focused head", side, run.start_s, end_s, str(run.value)
            ),
        )

    def put(self, time_s: Fraction, hand: HandMoment | None) -> None:
        entropies = hand.focus.normalized_entropy[:-1] if hand and hand.focus else np.empty(0)
        if not np.isfinite(entropies).any():
            self._gone_since_s = time_s if self._gone_since_s is None else self._gone_since_s
            return
        self._end_where_gone(time_s)
        head, lowest = int(np.nanargmin(entropies)), float(np.nanmin(entropies))
        before = self._runs.value
        if before is not None and not lowest + self._margin <= entropies[before]:
            head = before
        self._runs.put(time_s, head)

    def end(self, end_s: Fraction) -> None:
        self._end_where_gone(end_s)
        self._runs.end(end_s)

    def _end_where_gone(self, time_s: Fraction) -> None:
        """End the row where its maps ended, unless that was a loss too short to count."""
        gone_s, self._gone_since_s = self._gone_since_s, None
        if gone_s is not None and time_s - gone_s >= self._longest_gap_s:
            self._runs.end(gone_s)


def _tell(
    found: list[Stretch],
    tier: TierKind,
    hand: Handedness | None,
    start_s: Fraction,
    end_s: Fraction,
    value: str,
) -> None:
    found.append(Stretch(tier=tier, hand=hand, start_s=start_s, end_s=end_s, value=value))
