"""MediaPipe's pose networks: where the hands of a person must be, and whose they are.

V. Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.hands.anchors import AnchorDetector
from models.hands.squares import TurnedSquare, turn_between
from models.hands.tflite import TfliteNetwork
from stream.frames import RgbImage
from stream.geometry import Handedness

__all__ = ["Arm", "Person", "PoseNetwork"]

LEAST_SCORE: Final = 0.5
"""Less sure people are nobody."""
_GRIDS: Final = ((28, 2), (14, 2), (7, 6))
_MIDDLE: Final = 2
_END: Final = 3
"""Rows of a found person's key points, after the box's corners: between the hips, and head or foot
as far from there as the body reaches."""
_NUM_POINTS: Final = 39
_MIDDLE_AGAIN: Final = 33
_END_AGAIN: Final = 34
"""Rows of the same two points among the landmarks."""
_SCALE: Final = 2.5
"""Side of the person's square in distances between those two."""
_ARMS: Final[tuple[tuple[Handedness, int, int, int, int], ...]] = (
    ("left", 13, 15, 19, 17),
    ("right", 14, 16, 20, 18),
)
"""Landmarks of each arm: elbow, wrist, knuckles of index and little finger."""
_HAND_SCALE: Final = 4.0
"""Side of a hand's square in distances from wrist to knuckles."""
_SHORTEST: Final = 0.2
"""Least distance from wrist to knuckles, in forearms: hands that point at the camera look short."""
_EYES: Final = (2, 5)
_EARS: Final = (7, 8)
_MOUTH: Final = (9, 10)
_FOREHEAD: Final = 1.2
_CHIN: Final = 0.9
"""How far a face goes on above the eyes and below the mouth, in distances between these two."""

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Arm:
    """An arm of a person."""

    side: Handedness
    """Whose it is to the person, in a picture that is not mirrored."""
    wrist: _Points
    """float64 (2,), frame pixels."""
    hand: TurnedSquare
    """Where its hand must be."""
    presence: float
    """How sure it is that the hand is in the picture, 0 to 1; it may be hidden there."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Person:
    """Where a person's face and arms are."""

    arms: tuple[Arm, Arm]
    """Left and right."""
    face_xyxy: tuple[float, float, float, float]
    """Left, top, right, bottom around the face, forehead to chin, frame pixels."""


class PoseNetwork:
    """Finds a person, and follows them until they are lost. Used by one thread.

    Args:
        content: The archive of a pose bundle.

    Raises:
        RuntimeError: OpenVINO cannot read its networks.
        ValueError: They are others.
    """

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            detector = bundle.read("pose_detector.tflite")
            landmarks = bundle.read("pose_landmarks_detector.tflite")
        self._detector = AnchorDetector(
            detector, num_points=4, grids=_GRIDS, darkest=-1.0, least_score=LEAST_SCORE
        )
        self._network = TfliteNetwork(landmarks, [(5 * _NUM_POINTS,), (1,)])
        self._square: TurnedSquare | None = None

    def find(self, image: RgbImage, *, anew: bool = False) -> Person | None:
        """Return the person who shows best; None where there is nobody.

        Args:
            image: uint8 (H, W, 3) RGB.
            anew: Whoever was seen before is not followed: it is another picture.
        """
        if anew:
            self._square = None
        if self._square is None:
            people = self._detector.find(image)
            if not people:
                return None
            self._square = _square_of(people[0][_MIDDLE], people[0][_END])
        crop = self._square.cut(image, self._network.size_px)
        values, presence = self._network(crop * np.float32(1 / 255))
        rows = values.reshape(_NUM_POINTS, 5).astype(np.float64)  # x, y, depth, visible, present
        points = self._square.to_frame(rows[:, :2] / self._network.size_px)
        if presence[0] < LEAST_SCORE:
            self._square = None
            return None
        self._square = _square_of(points[_MIDDLE_AGAIN], points[_END_AGAIN])
        present = 1 / (1 + np.exp(-rows[:, 4]))
        left, right = (
            Arm(
                side=side,
                wrist=points[wrist],
                hand=_square_of_hand(points[elbow], points[wrist], points[[index, little]].mean(0)),
                presence=float(present[wrist]),
            )
            for side, elbow, wrist, index, little in _ARMS
        )
        return Person(arms=(left, right), face_xyxy=_box_of_face(points))


def _box_of_face(points: _Points) -> tuple[float, float, float, float]:
    """Return the box round a face from its few landmarks, of which none is at forehead or chin."""
    eyes, mouth = points[list(_EYES)].mean(axis=0), points[list(_MOUTH)].mean(axis=0)
    down = mouth - eyes
    ends = np.stack([eyes - _FOREHEAD * down, mouth + _CHIN * down])
    half_px = max(np.linalg.norm(points[_EARS[0]] - points[_EARS[1]]) / 2, np.linalg.norm(down))
    left, top = ends.min(axis=0) - (half_px, 0)
    right, bottom = ends.max(axis=0) - (-half_px, 0)
    return float(left), float(top), float(right), float(bottom)


def _square_of(middle: _Points, end: _Points) -> TurnedSquare:
    """Return the square of the person with these two points."""
    return TurnedSquare(
        centre_xy=(float(middle[0]), float(middle[1])),
        side_px=max(_SCALE * float(np.linalg.norm(end - middle)), 1e-3),
        turn_rad=turn_between(middle, end),
    )


def _square_of_hand(elbow: _Points, wrist: _Points, knuckles: _Points) -> TurnedSquare:
    forearm_px = float(np.linalg.norm(wrist - elbow))
    palm_px = float(np.linalg.norm(knuckles - wrist))
    return TurnedSquare(
        centre_xy=(float(knuckles[0]), float(knuckles[1])),
        side_px=_HAND_SCALE * max(palm_px, _SHORTEST * forearm_px, 1e-3),
        turn_rad=turn_between(wrist, knuckles),
    )
