"""Finds the hands of each frame and follows them through time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from models.download import Progress
from models.hands.bundle import HandBundle, find_hand_bundle, find_pose_bundle
from models.hands.tracking import OTHER_SIDE, HandDetection, HandTracker
from stream.closing import Closing
from stream.frames import Frame
from stream.geometry import HandRegion

logger = logging.getLogger(__name__)

__all__ = ["HandDetector", "MediaPipeHandFinder"]


class HandDetector(Protocol):
    """Sees hands in one frame after the other. Used by one thread."""

    @property
    def face_xyxy(self) -> tuple[float, float, float, float] | None:
        """The face of the person who shows best, frame pixels, as last seen; None: unknown."""

    def detect(self, frame: Frame, expected: Sequence[HandRegion]) -> list[HandDetection]:
        """Return the hands of this frame, called left or right as the picture looks.

        Args:
            frame: The next frame, of the size of the one before unless nothing is expected.
            expected: Where the hands that are followed must be by now.
        """

    def close(self) -> None:
        """Release everything; harmless when called again."""


class MediaPipeHandFinder(Closing):
    """Finds and follows hands with MediaPipe's networks. Used by one thread; frames come in order.

    The networks run through OpenVINO where that is installed, which costs less and
    finds more (models.hands.network_detector), else in MediaPipe's own graphs.

    Args:
        max_hands: Hands to follow at once, 1 to 8.
        input_mirrored: Frames are mirrored: what looks like a right hand is the signer's left.
        bundle: A ``.task`` file; None takes the published one (models.hands.bundle).
        stills: Each frame is a picture by itself, at time 0: what was seen before makes no
            difference.
        faces: Of such pictures, look for the signer's face as well, where OpenVINO and the networks
            for people are installed. (In a video it is seen anyway.)
        progress: Called while the bundle is downloaded, with the bytes so far and in all.

    Raises:
        HandModelError: There is no bundle, or it cannot be loaded.
        ValueError: ``max_hands`` is out of range.
    """

    def __init__(
        self,
        *,
        max_hands: int = 2,
        input_mirrored: bool = False,
        bundle: Path | None = None,
        stills: bool = False,
        faces: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._tracker = HandTracker(max_hands=max_hands)
        self._input_mirrored = input_mirrored
        self._size_wh: tuple[int, int] | None = None
        networks = find_hand_bundle(bundle, progress=progress)
        self._detector = (
            _open_still_detector(networks, max_hands=max_hands, faces=faces)
            if stills
            else _open_detector(networks, max_hands=max_hands)
        )

    def find(self, frame: Frame) -> tuple[HandRegion, ...]:
        """Return the hands of this frame, the longest-followed first."""
        if frame.size_wh != self._size_wh:
            self._tracker.reset()
            self._size_wh = frame.size_wh
        found = self._detector.detect(frame, self._tracker.expect(frame.time_s))
        regions = self._tracker.update(found, frame.time_s)
        return tuple(self._of_signer(hand) for hand in regions)

    def _of_signer(self, hand: HandRegion) -> HandRegion:
        """Return a hand under its signer's name for it, with the signer's face."""
        assert hand.handedness is not None
        side = OTHER_SIDE[hand.handedness] if self._input_mirrored else hand.handedness
        return replace(hand, handedness=side, face_xyxy=self._detector.face_xyxy)

    def close(self) -> None:
        """Release the networks; harmless when called again."""
        self._detector.close()


def _open_still_detector(networks: HandBundle, *, max_hands: int, faces: bool) -> HandDetector:
    from models.hands.still_detector import StillDetector

    people = find_pose_bundle() if faces else None
    if people is None:
        return StillDetector(networks, max_hands=max_hands)
    try:
        from models.hands.pose_network import PoseNetwork
        from models.hands.tflite import ScratchError

        pose = PoseNetwork(people.content)
    except ImportError:  # no OpenVINO
        pose = None
    except ScratchError as error:
        logger.info("%s: no face is looked for", error)
        pose = None
    return StillDetector(networks, max_hands=max_hands, pose=pose)


def _open_detector(networks: HandBundle, *, max_hands: int) -> HandDetector:
    from models.hands.graph_detector import GraphDetector

    try:
        from models.hands.network_detector import NetworkDetector
        from models.hands.tflite import ScratchError
    except ImportError:  # no OpenVINO
        return GraphDetector(networks, max_hands=max_hands)
    try:
        return NetworkDetector(networks, find_pose_bundle(), max_hands=max_hands)
    except ScratchError as error:
        logger.info("%s: MediaPipe's graph finds the hands instead", error)
        return GraphDetector(networks, max_hands=max_hands)
