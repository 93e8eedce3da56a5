"""Hands found in pictures that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.hands.bundle import HandBundle
from models.hands.contrast import lift_contrast
from models.hands.graph_detector import PLAIN_CONFIDENCE, shrink
from models.hands.mediapipe_graph import HandGraph
from models.hands.tracking import HandDetection
from stream.closing import Closing
from stream.frames import Frame
from stream.geometry import HandRegion

if TYPE_CHECKING:
    from models.hands.pose_network import PoseNetwork

__all__ = ["StillDetector"]


class StillDetector(Closing):
    """Finds hands whatever it saw before; see ``HandDetector``.

    A picture is looked at as it is and, where that shows no hand, with its contrast lifted.

    Args:
        bundle: The networks.
        max_hands: Hands to find in a picture, 1 to 8.
        pose: The networks for people, which find faces; None does without.

    Raises:
        HandModelError: MediaPipe cannot load the bundle.
    """

    def __init__(
        self, bundle: HandBundle, *, max_hands: int, pose: PoseNetwork | None = None
    ) -> None:
        self.face_xyxy: tuple[float, float, float, float] | None = None
        """The face of the person who shows best in the last picture."""
        self._graph = HandGraph(bundle, max_hands, PLAIN_CONFIDENCE, follows=False)
        self._pose = pose

    def detect(self, frame: Frame, expected: Sequence[HandRegion]) -> list[HandDetection]:
        """Return the hands of this picture; nothing is expected of it."""
        person = None if self._pose is None else self._pose.find(frame.image, anew=True)
        self.face_xyxy = person.face_xyxy if person else None
        picture, transform = shrink(frame.image)
        return self._graph.look(picture, transform) or self._graph.look(
            lift_contrast(picture), transform
        )

    def close(self) -> None:
        """Release MediaPipe's graph; harmless when called again."""
        self._graph.close()
