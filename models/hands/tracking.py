"""Whose hand is whose from frame to frame: identity, calm places, and short losses bridged.

Pure arithmetic on landmarks. Only media time counts, so that a file gives the same result however
fast it is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from models.hands.smoothing import OneEuroFilter
from stream.frames import STALE_S
from stream.geometry import Handedness, HandRegion

__all__ = ["HAND_LANDMARKS", "OTHER_SIDE", "HandDetection", "HandTracker", "merge_duplicates"]

HAND_LANDMARKS: Final = 21
"""Points of a hand in MediaPipe's order: wrist, then thumb to little finger, base to tip."""
HOLD_S: Final = 0.3
"""A hand that is not seen is held for less than this."""
COAST_S: Final = 0.1
"""Time constant with which a held hand's velocity dies away."""
VELOCITY_S: Final = 0.05
"""Time constant of a hand's velocity estimate: two or three frames at 50 fps."""
MIN_CUTOFF_HZ: Final = 1.0
SPEED_GAIN: Final = 6.0
SPEED_CUTOFF_HZ: Final = 10.0
"""One Euro parameters, speed in hand sizes a second. On real footage at 30 fps they leave 0.43 of
the jitter of a resting hand (mean second difference), and lag behind fast signing by 0.02 hand
sizes in the mean and 0.04 at the 95th percentile. Gain 3 leaves 0.36 and lags 0.04 and 0.06; the
paper's 1 Hz for the speed lets a starting hand run away by a third of its size."""
SHRINK_S: Final = 0.2
"""Time constant with which a box shrinks. It grows at once, so that it holds the whole hand; and in
motion blur landmarks bunch up on what is still sharp, while the hand is as large as before."""
FLESH: Final = 0.15
"""Border around the landmarks, in hand sizes: they run along the bones, the skin is further out."""
REACH: Final = 1.0
"""A detection further than this from the predicted place, in hand sizes, is another hand."""
REACH_PER_S: Final = 12.0
"""... growing by this with every second unseen: fast signing moves a hand by so much."""
REACH_OTHER: Final = 0.5
"""Part of that reach for a detection labelled as the other hand."""
OTHER_COST: Final = 0.5
"""What a contradicting handedness costs in the assignment, in hand sizes."""
SAME_HAND: Final = 0.35
"""Detections with palms closer than this, in hand sizes, are one hand; half of it where one is
labelled left and the other right, as hands that touch are."""
MAX_VOTE: Final = 5.0
"""Bound on the votes for left or right, so that a wrong start can be outvoted."""
SURE_VOTE: Final = 0.8
"""Votes that decide: one or two odd labels change nothing."""
RETURN_S: Final = 3.0
"""The only signer's hand that comes back within this, from behind the other, is still the same."""
OTHER_SIDE: Final[Mapping[Handedness, Handedness]] = {"left": "right", "right": "left"}
PALM: Final = (0, 5, 9, 13, 17)
"""Landmarks that move with the palm as one body."""

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class HandDetection:
    """A hand as a detector saw it in one frame."""

    landmarks: _Points
    """float64 (21, 2), frame pixels."""
    handedness: Handedness
    """Whose hand it looks like."""
    score: float
    """Confidence in ``handedness``, 0.5 to 1."""
    by_arm: bool = False
    """Whether ``handedness`` is that of the arm that it is on, and not what it looks like."""
    follows: HandRegion | None = None
    """The hand that it was looked for as; None where it was found in another way."""

    @cached_property
    def size_px(self) -> float:
        """Length of the hand, whatever its pose."""
        return _size_px(self.landmarks)

    @cached_property
    def centre(self) -> _Points:
        """Middle of the palm, float64 (2,)."""
        return _centre(self.landmarks)


class HandTracker:
    """Follows hands through time.

    Args:
        max_hands: Hands to follow at once, 1 to 8.

    Raises:
        ValueError: ``max_hands`` is out of range.
    """

    def __init__(self, *, max_hands: int) -> None:
        if not 1 <= max_hands <= 8:
            raise ValueError(f"max_hands must be 1 to 8, got {max_hands = }")
        self._max_hands = max_hands
        self._tracks: list[_Track] = []
        self._next_id = 0
        self._time_s = -math.inf

    @property
    def num_followed(self) -> int:
        """Hands seen in the newest frame or held since."""
        return len(self._awake(self._time_s))

    def reset(self) -> None:
        """Forget all hands, as at a cut or a change of size; numbers are not given out again."""
        self._tracks.clear()
        self._time_s = -math.inf

    def expect(self, time_s: float) -> tuple[HandRegion, ...]:
        """Return where the followed hands must be at ``time_s``, from what was seen before.

        Nowhere, where time does not advance, or no picture came for ``STALE_S``: ``update`` starts
        over then.
        """
        if self._is_cut(time_s):
            return ()
        return tuple(track.region(time_s) for track in self._awake(time_s))

    def update(self, detections: Sequence[HandDetection], time_s: float) -> tuple[HandRegion, ...]:
        """Return the hands at ``time_s``, the longest-followed first.

        Args:
            detections: What was found in this frame, duplicates included.
            time_s: Media time in seconds; time that does not advance starts over, and so does what
                comes after ``STALE_S`` without a picture.
        """
        if self._is_cut(time_s):
            self.reset()
        self._time_s = time_s
        found = merge_duplicates(detections)
        taken = self._assign(found, time_s)
        if self._is_one_signer:
            taken |= self._adopt(found, taken)
        for track_index, detection_index in taken.items():
            self._tracks[track_index].see(found[detection_index], time_s)
        memory_s = RETURN_S if self._is_one_signer else HOLD_S
        self._tracks = [track for track in self._tracks if time_s - track.seen_s < memory_s]
        for index in sorted(set(range(len(found))) - set(taken.values())):
            self._tracks.append(_Track(self._next_id, found[index], time_s))
            self._next_id += 1
        # Too many: those unseen for longest go first, then the youngest.
        self._tracks.sort(key=lambda track: (-track.seen_s, track.track_id))
        del self._tracks[self._max_hands :]
        self._tracks.sort(key=lambda track: track.track_id)
        if self._is_one_signer:
            self._tell_apart(time_s)
        # What was seen a single time may be no hand: it is looked for again, but not shown as held.
        return tuple(
            track.region(time_s)
            for track in self._awake(time_s)
            if track.num_sightings > 1 or track.seen_s == time_s
        )

    def _is_cut(self, time_s: float) -> bool:
        return bool(self._tracks) and not 0 < time_s - self._time_s < STALE_S

    @property
    def _is_one_signer(self) -> bool:
        """True with two hands at most: a signer has one right hand and one left."""
        return self._max_hands <= 2

    def _awake(self, time_s: float) -> list[_Track]:
        """Return what is followed: the others are only remembered, in case they come back."""
        return [track for track in self._tracks if time_s - track.seen_s < HOLD_S]

    def _tell_apart(self, time_s: float) -> None:
        """Let two hands that are called alike be a left and a right one: the surer is believed.

        Where both are quite sure there are two signers.
        """
        hands = self._awake(time_s)
        if len({hand.handedness for hand in hands}) < len(hands) == 2:
            doubtful = min(hands, key=lambda hand: hand.certainty)
            if doubtful.certainty < MAX_VOTE:
                doubtful.handedness = OTHER_SIDE[doubtful.handedness]

    def _assign(self, found: Sequence[HandDetection], time_s: float) -> dict[int, int]:
        """Return the detection of each track that has one: as many as can be, then the nearest."""
        awake = self._awake(time_s)
        costs = [
            [track.cost(detection, time_s) for detection in found] if track in awake else []
            for track in self._tracks
        ]

        @cache
        def best(row: int, used: int) -> tuple[int, float, tuple[tuple[int, int], ...]]:
            """Return (tracks without a detection, cost, pairs) of the rows from ``row`` on."""
            if row == len(costs):
                return 0, 0.0, ()
            without, cost, pairs = best(row + 1, used)
            options = [(without + 1, cost, pairs)]
            for column, price in enumerate(costs[row]):
                if price < math.inf and not used >> column & 1:
                    without, cost, pairs = best(row + 1, used | 1 << column)
                    options.append((without, cost + price, ((row, column), *pairs)))
            return min(options)

        return dict(best(0, 0)[2])

    def _adopt(self, found: Sequence[HandDetection], taken: Mapping[int, int]) -> dict[int, int]:
        """Return detections for lost hands of the only signer, however far they are.

        A right hand that is seen elsewhere has moved there, or the film was cut, and nothing must
        be held in the place that it left. Where the right hand is in view, another hand that looks
        like one is the left.
        """
        free = [index for index in range(len(found)) if index not in taken.values()]
        in_view = {self._tracks[row].handedness for row in taken}
        adopted: dict[int, int] = {}
        for row, track in enumerate(self._tracks):
            for column in free:
                side = found[column].handedness
                if side in in_view and not found[column].by_arm:
                    side = OTHER_SIDE[side]
                if row not in taken and side == track.handedness:
                    adopted[row] = column
                    free.remove(column)
                    break
        return adopted


def merge_duplicates(detections: Sequence[HandDetection]) -> list[HandDetection]:
    """Return the detections without those that see a hand which a surer one sees too.

    A hand belongs to the one that looks like the hand that it follows, then to one that follows.
    """

    def doubt(detection: HandDetection) -> tuple[bool, bool, float]:
        followed = detection.follows
        is_like_it = followed is not None and followed.handedness == detection.handedness
        return not is_like_it, followed is None, -detection.score

    kept: list[HandDetection] = []
    for detection in sorted(detections, key=doubt):
        if not any(_is_same_hand(detection, other) for other in kept):
            kept.append(detection)
    return kept


class _Track:
    """One hand and what is known of it."""

    def __init__(self, track_id: int, detection: HandDetection, time_s: float) -> None:
        self.track_id = track_id
        self.handedness = detection.handedness
        self._look_vote = self._arm_vote = 0.0
        self.num_sightings = 0
        self._start(detection, time_s)

    def _start(self, detection: HandDetection, time_s: float) -> None:
        """Begin at a detection, without a past."""
        self._filter = OneEuroFilter(
            min_cutoff_hz=MIN_CUTOFF_HZ, speed_gain=SPEED_GAIN, speed_cutoff_hz=SPEED_CUTOFF_HZ
        )
        self._velocity = np.zeros(2)
        self._landmarks = self._filter(detection.landmarks, step_s=0, unit_px=1)
        self._reach = _reach(self._landmarks)
        self._take(detection, time_s)

    def see(self, detection: HandDetection, time_s: float) -> None:
        """Take in what was seen at ``time_s``."""
        if not self._reaches(detection, time_s):
            self._start(detection, time_s)
            return
        step_s = time_s - self.seen_s
        share = 1 - math.exp(-step_s / VELOCITY_S)
        self._velocity += share * ((detection.centre - self._centre) / step_s - self._velocity)
        self._landmarks = self._filter(
            detection.landmarks, step_s=step_s, unit_px=detection.size_px
        )
        shrunk = self._reach * math.exp(-step_s / SHRINK_S)
        self._reach = np.maximum(_reach(self._landmarks), shrunk)
        self._take(detection, time_s)

    def _take(self, detection: HandDetection, time_s: float) -> None:
        self._centre, self._size_px = detection.centre, detection.size_px
        self._score, self.seen_s = detection.score, time_s
        self.num_sightings += 1
        weight = 2 * detection.score - 1
        vote = weight if detection.handedness == "right" else -weight
        if detection.by_arm:
            self._arm_vote = min(max(self._arm_vote + vote, -MAX_VOTE), MAX_VOTE)
        else:
            self._look_vote = min(max(self._look_vote + vote, -MAX_VOTE), MAX_VOTE)
        if self.certainty >= SURE_VOTE:
            self.handedness = "right" if self._vote > 0 else "left"

    @property
    def certainty(self) -> float:
        """How sure it is which hand this is, 0 to ``MAX_VOTE``."""
        return abs(self._vote)

    @property
    def _vote(self) -> float:
        """What arms say of the side, and what hands look like where that is not clear."""
        return self._arm_vote if abs(self._arm_vote) >= SURE_VOTE else self._look_vote

    def cost(self, detection: HandDetection, time_s: float) -> float:
        """Return how badly a detection fits, in hand sizes; infinite where it cannot be this."""
        if not self._reaches(detection, time_s):
            return math.inf
        growth = abs(math.log(detection.size_px / self._size_px))
        other_cost = OTHER_COST if self._is_other(detection) else 0.0
        return self._distance(detection, time_s) + growth / 2 + other_cost

    def _reaches(self, detection: HandDetection, time_s: float) -> bool:
        """Return whether the hand can have come to where a detection is."""
        reach = REACH + REACH_PER_S * (time_s - self.seen_s)
        if self._is_other(detection):
            reach *= REACH_OTHER
        return self._distance(detection, time_s) <= reach

    def _is_other(self, detection: HandDetection) -> bool:
        """Return whether a detection looks like the other hand, and was not looked for as this."""
        if detection.follows is not None and detection.follows.track_id == self.track_id:
            return False
        return detection.handedness != self.handedness

    def _distance(self, detection: HandDetection, time_s: float) -> float:
        """Return how far a detection is from the expected place, in hand sizes."""
        away = detection.centre - self._centre - self._coast(time_s)
        return float(np.linalg.norm(away)) / max(self._size_px, detection.size_px)

    def region(self, time_s: float) -> HandRegion:
        """Return where the hand is at ``time_s``, or must be if it is not seen."""
        landmarks = self._landmarks + self._coast(time_s)
        border = FLESH * _size_px(landmarks)
        left, top = _centre(landmarks) - self._reach[0] - border
        right, bottom = _centre(landmarks) + self._reach[1] + border
        return HandRegion(
            box_xyxy=(float(left), float(top), float(right), float(bottom)),
            landmarks=landmarks.astype(np.float32),
            handedness=self.handedness,
            score=self._score,
            track_id=self.track_id,
            unseen_s=time_s - self.seen_s,
        )

    def _coast(self, time_s: float) -> _Points:
        """Return the way since the hand was seen: its velocity, dying away."""
        unseen_s = time_s - self.seen_s
        return self._velocity * (COAST_S * (1 - math.exp(-unseen_s / COAST_S)))


def _centre(landmarks: _Points) -> _Points:
    return np.asarray(landmarks[list(PALM)].mean(axis=0))


def _size_px(landmarks: _Points) -> float:
    """Return a hand's length: the longer side of its box, or what the palm of a fist tells."""
    palm = landmarks[list(PALM)]
    extent = np.ptp(landmarks, axis=0).max()
    return float(max(extent, 1.6 * np.linalg.norm(palm - palm[0], axis=1).max(), 1e-3))


def _reach(landmarks: _Points) -> _Points:
    """Return how far landmarks reach left and up, right and down of the palm, px, (2, 2)."""
    centre = _centre(landmarks)
    return np.stack([centre - landmarks.min(axis=0), landmarks.max(axis=0) - centre])


def _is_same_hand(one: HandDetection, other: HandDetection) -> bool:
    near = SAME_HAND if one.handedness == other.handedness else SAME_HAND / 2
    distance = float(np.linalg.norm(one.centre - other.centre))
    return distance < near * max(one.size_px, other.size_px)
