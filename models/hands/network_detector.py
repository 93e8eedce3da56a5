"""Hands found and followed by MediaPipe's networks, run one by one through OpenVINO.

A hand that is known costs one run of the landmark network, in the square where it must be by now.
While hands are lacking, an arm of the person in the picture says where its hand must be, however
small, gloved or locked with the other it is; and the palm detector looks everywhere.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np

from models.hands.bundle import HandBundle
from models.hands.contrast import lift_contrast
from models.hands.landmark_network import HandSighting, LandmarkNetwork, square_of_hand
from models.hands.palm_network import PalmNetwork
from models.hands.pose_network import Arm, PoseNetwork
from models.hands.squares import TurnedSquare
from models.hands.tracking import HandDetection, merge_duplicates
from stream.closing import Closing
from stream.frames import Frame, RgbImage
from stream.geometry import HandRegion

__all__ = ["NetworkDetector"]

LEAST_PRESENCE: Final = 0.5
"""Less sure landmarks are no hand, and a hand less surely in the picture is not looked for."""
TRACE: Final = 0.2
"""Landmarks as sure as this may be on a hand that the square has not in its middle."""
FAR: Final = 0.12
"""A hand whose square is further off than this, in sides of the one it was looked for in, is looked
at again: all that is left to say of it from the first look is where it is."""
TURNED_RAD: Final = 0.4
"""The same for its turn."""
GROWN: Final = 0.3
"""The same for its size, a natural logarithm."""
SOON_S: Final = 0.1
"""Time to the next look for hands that are lacking."""
LATE_S: Final = 0.5
"""The same after some looks in vain, and between looks at the arms while no hand is lacking."""
PATIENCE: Final = 1.5
"""How much longer each wait is than the one before."""
IDLE_STRIDE: Final = 3
"""While no hand is about, every so many looks for palms are taken in both ways."""
AT_ARM: Final = 0.6
"""A hand whose wrist is further than this from an arm's, in hand sizes, is not that arm's."""
CLEARLY: Final = 0.3
"""By so much, in hand sizes, an arm must be nearer than the other to say which hand it is."""
ARM_SCORE: Final = 0.95
"""Confidence in a side that an arm tells."""


class NetworkDetector(Closing):
    """Finds and follows hands with single networks; see ``HandDetector``.

    Args:
        bundle: The networks for hands.
        pose: The networks for people; None does without.
        max_hands: Hands to follow at once, 1 to 8.

    Raises:
        HandModelError: OpenVINO cannot load ``bundle``.
    """

    def __init__(self, bundle: HandBundle, pose: HandBundle | None, *, max_hands: int) -> None:
        # OpenVINO compiles each on one core: two side by side open in two thirds of the time.
        with ThreadPoolExecutor() as pool:
            arms = None if pose is None else pool.submit(PoseNetwork, pose.content)
            try:
                with zipfile.ZipFile(io.BytesIO(bundle.content)) as networks:
                    palms = pool.submit(PalmNetwork, networks.read("hand_detector.tflite"))
                    landmarks = networks.read("hand_landmarks_detector.tflite")
                self._landmarks = LandmarkNetwork(landmarks)
                self._palms = palms.result()
            except (OSError, RuntimeError, ValueError) as error:
                raise bundle.refused(error) from error
            self._pose = None if arms is None else arms.result()
        self.face_xyxy: tuple[float, float, float, float] | None = None
        """The face of the person who shows best, as last seen."""
        self._max_hands = max_hands
        self._lifted = False
        self._num_idle = 0
        self._num_found = 0
        self._last_s = 0.0
        self._palm_rhythm = _Rhythm()
        self._pose_rhythm = _Rhythm()

    def detect(self, frame: Frame, expected: Sequence[HandRegion]) -> list[HandDetection]:
        """Return the hands of this frame."""
        image, now_s = frame.image, frame.time_s
        found = self._follow(image, expected, now_s)
        if len(found) < len(expected) or len(found) != self._num_found:
            self._palm_rhythm.hurry()
            self._pose_rhythm.hurry()
        if self._pose_rhythm.is_due(now_s):
            found = self._look_at_arms(image, found, now_s)
        if len(found) < self._max_hands and (not found or self._palm_rhythm.is_due(now_s)):
            num_known = len(found)
            found = self._look_for_palms(image, found)
            self._palm_rhythm.wait(now_s)
            if len(found) > num_known:
                found = self._look_at_arms(image, found, now_s)
        self._num_found = len(found)
        self._last_s = now_s
        return found

    def close(self) -> None:
        """Do nothing: the networks go with this object."""

    def _follow(
        self, image: RgbImage, expected: Sequence[HandRegion], now_s: float
    ) -> list[HandDetection]:
        """Return the hands that are where they are expected."""
        followed = []
        for region in expected:
            assert region.landmarks is not None
            is_lost = region.unseen_s > 1.5 * (now_s - self._last_s)
            hand = self._look_again(image, square_of_hand(region.landmarks), is_lost=is_lost)
            if hand is not None:
                followed.append(replace(hand, follows=region))
        return merge_duplicates(followed)

    def _look_at_arms(
        self, image: RgbImage, known: Sequence[HandDetection], now_s: float
    ) -> list[HandDetection]:
        """Return the hands that are known, told apart by their arms, and those at other arms."""
        found = list(known)
        if self._pose is None:
            return found
        person = self._pose.find(image)
        self.face_xyxy = person.face_xyxy if person else None
        arms = [
            arm
            for arm in (person.arms if person else ())
            if not any(_is_part_of(arm.hand, hand) for hand in found)
        ]
        self._pose_rhythm.wait(now_s, soon=not found)
        owned = _pair(arms, found)
        for number, arm in owned.items():
            if _is_clear(found[number], arm, arms):
                found[number] = _on_arm(found[number], arm)
        strays = []
        if self._max_hands <= 2:  # with more there may be more people, who have hands as well
            strays = [hand for number, hand in enumerate(found) if number not in owned]
        for arm in arms:
            if arm in owned.values() or arm.presence < LEAST_PRESENCE:
                continue
            # Of one side a signer has one hand: what was taken for it elsewhere is none.
            stray = next((hand for hand in strays if _is_taken_for(hand, arm)), None)
            others = [hand for hand in found if hand is not stray]
            if len(others) == self._max_hands:
                continue
            hand = self._meet(image, arm.hand, lifted=self._lifted)
            more = others if hand is None else merge_duplicates([*others, _on_arm(hand, arm)])
            if len(more) > len(others):
                found = more
            else:
                self._pose_rhythm.hurry()  # it is in the picture, and may show in the next one
        return found

    def _look_for_palms(
        self, image: RgbImage, known: Sequence[HandDetection]
    ) -> list[HandDetection]:
        """Return the hands that are known, and those whose palms show."""
        both_ways = not known and self._num_idle % IDLE_STRIDE == 0
        ways = (self._lifted, not self._lifted) if both_ways else (self._lifted,)
        found = list(known)
        for lifted in ways:
            for square in self._palms.find(image, lifted=lifted)[: self._max_hands]:
                if any(_holds(square, hand) for hand in known):
                    continue
                hand = self._meet(image, square, lifted=lifted)
                if hand is not None:
                    found.append(hand)
            if len(found) > len(known):
                self._lifted = lifted
                break
        self._num_idle = 0 if found else self._num_idle + 1
        return merge_duplicates(found)

    def _meet(self, image: RgbImage, square: TurnedSquare, *, lifted: bool) -> HandDetection | None:
        """Return the hand in a square, where none was before, if it still shows on a closer look.

        Faces and plants pass for hands at times, but not from two sides.
        """
        hand = self._see(image, square, lifted=lifted)
        if hand.presence >= LEAST_PRESENCE:
            hand = self._see(image, square_of_hand(hand.landmarks), lifted=lifted)
        return _detection_of(hand) if hand.presence >= LEAST_PRESENCE else None

    def _look_again(
        self, image: RgbImage, square: TurnedSquare, *, is_lost: bool
    ) -> HandDetection | None:
        """Return a known hand, if it shows as it is or with its contrast lifted.

        The way that worked is tried first from then on. A trace of a hand, and one that is not in
        the square's middle, is looked at once more from its own landmarks; but not one that was
        lost before, which has left this place.
        """
        lifted = self._lifted
        hand = self._see(image, square, lifted=lifted)
        if hand.presence < LEAST_PRESENCE:
            other = self._see(image, square, lifted=not lifted)
            if other.presence > hand.presence:
                hand, lifted = other, not lifted
        if hand.presence >= TRACE and not is_lost:
            centred = square_of_hand(hand.landmarks)
            if hand.presence < LEAST_PRESENCE or _has_moved(square, centred):
                hand = self._see(image, centred, lifted=lifted)
        if hand.presence < LEAST_PRESENCE:
            return None
        self._lifted = lifted
        return _detection_of(hand)

    def _see(self, image: RgbImage, square: TurnedSquare, *, lifted: bool) -> HandSighting:
        crop = square.cut(image, self._landmarks.size_px)
        return self._landmarks.place(lift_contrast(crop) if lifted else crop, square)


class _Rhythm:
    """When to look again: soon at first, ever more rarely while nothing comes of it.

    Only media time counts, so that a file gives the same result however fast it is read.
    """

    def __init__(self) -> None:
        self._looked_s = -math.inf
        self._wait_s = 0.0

    def is_due(self, now_s: float) -> bool:
        """Return whether the wait is over, or time has gone back."""
        return not 0 <= now_s - self._looked_s < self._wait_s

    def wait(self, now_s: float, *, soon: bool = False) -> None:
        """Wait from now on, longer than before unless it is to be soon."""
        self._looked_s = now_s
        self._wait_s = SOON_S if soon else min(max(PATIENCE * self._wait_s, SOON_S), LATE_S)

    def hurry(self) -> None:
        """Be due at once."""
        self._wait_s = 0.0


def _detection_of(hand: HandSighting) -> HandDetection:
    return HandDetection(
        landmarks=hand.landmarks,
        handedness="right" if hand.right > 0.5 else "left",
        score=max(hand.right, 1 - hand.right),
    )


def _on_arm(hand: HandDetection, arm: Arm) -> HandDetection:
    return replace(hand, handedness=arm.side, score=ARM_SCORE, by_arm=True)


def _has_moved(square: TurnedSquare, hand: TurnedSquare) -> bool:
    """Return whether a hand is so far from where it was looked for that landmarks suffer."""
    way = math.dist(square.centre_xy, hand.centre_xy) / square.side_px
    turn = abs(math.remainder(square.turn_rad - hand.turn_rad, math.tau))
    growth = abs(math.log(hand.side_px / square.side_px))
    return way > FAR or turn > TURNED_RAD or growth > GROWN


def _holds(square: TurnedSquare, hand: HandDetection) -> bool:
    """Return whether the middle of a square is on a hand."""
    return math.dist(hand.centre, square.centre_xy) < hand.size_px / 2


def _is_part_of(square: TurnedSquare, hand: HandDetection) -> bool:
    """Return whether a square is on a far larger hand: what was taken for an arm is a finger."""
    low, high = hand.landmarks.min(axis=0), hand.landmarks.max(axis=0)
    is_on_it = bool(np.all((low < square.centre_xy) & (square.centre_xy < high)))
    return is_on_it and square.side_px < hand.size_px / 2


def _is_taken_for(hand: HandDetection, arm: Arm) -> bool:
    """Return whether a hand that is on no arm is followed, or looks, as that of an arm."""
    if hand.follows is not None:
        return hand.follows.handedness == arm.side
    return hand.handedness == arm.side


def _distance(hand: HandDetection, arm: Arm) -> float:
    """Return how far a hand's wrist is from an arm's, in hand sizes."""
    return math.dist(hand.landmarks[0], arm.wrist) / hand.size_px


def _is_clear(hand: HandDetection, arm: Arm, arms: Sequence[Arm]) -> bool:
    """Return whether no other arm is about as near."""
    others = (_distance(hand, other) for other in arms if other is not arm)
    return _distance(hand, arm) < min(others, default=math.inf) - CLEARLY


def _pair(arms: Sequence[Arm], hands: Sequence[HandDetection]) -> dict[int, Arm]:
    """Return the arm of each hand that has one, by the hand's number, the nearest pairs first."""
    pairs = sorted(
        (_distance(hand, arm), number, which)
        for number, hand in enumerate(hands)
        for which, arm in enumerate(arms)
    )
    owned: dict[int, Arm] = {}
    for distance, number, which in pairs:
        if distance <= AT_ARM and number not in owned and arms[which] not in owned.values():
            owned[number] = arms[which]
    return owned
