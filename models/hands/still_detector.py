"""Hands found in pictures that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from models.hands.bundle import HandBundle
from models.hands.contrast import lift_contrast
from models.hands.graph_detector import PLAIN_CONFIDENCE, shrink
from models.hands.mediapipe_graph import HandGraph
from models.hands.tracking import HandDetection
from stream.closing import Closing
from stream.frames import Frame
from stream.geometry import HandRegion

__all__ = ["StillDetector"]


class StillDetector(Closing):
    """Finds hands whatever it saw before; see ``HandDetector``.

    A picture is looked at as it is and, where that shows no hand, with its contrast lifted.

    Args:
        bundle: The networks.
        max_hands: Hands to find in a picture, 1 to 8.

    Raises:
        HandModelError: MediaPipe cannot load the bundle.
    """

    face_xyxy: Final = None
    """These networks see no faces."""

    def __init__(self, bundle: HandBundle, *, max_hands: int) -> None:
        self._graph = HandGraph(bundle, max_hands, PLAIN_CONFIDENCE, follows=False)

    def detect(self, frame: Frame, expected: Sequence[HandRegion]) -> list[HandDetection]:
        """Return the hands of this picture; nothing is expected of it."""
        picture, transform = shrink(frame.image)
        return self._graph.look(picture, transform) or self._graph.look(
            lift_contrast(picture), transform
        )

    def close(self) -> None:
        """Release MediaPipe's graph; harmless when called again."""
        self._graph.close()
