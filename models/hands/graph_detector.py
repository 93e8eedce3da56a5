"""Hands found and followed by MediaPipe's own graphs: where there is no OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import cv2
import numpy as np

from models.crops import cut_crop
from models.hands.bundle import HandBundle
from models.hands.contrast import lift_contrast
from models.hands.mediapipe_graph import HandGraph
from models.hands.tracking import HandDetection
from stream.closing import Closing
from stream.frames import Frame, RgbImage
from stream.geometry import CropTransform, HandRegion

__all__ = ["PLAIN_CONFIDENCE", "GraphDetector", "shrink"]

MAX_SIDE_PX: Final = 1280
"""Longer side of what MediaPipe gets to see; larger frames are shrunk first."""
PLAIN_CONFIDENCE: Final = 0.5
"""For pictures as they are: no false alarm on 214 handless pictures, not even at 0.2."""
ENHANCED_CONFIDENCE: Final = 0.5
"""For enhanced pictures, whose textures pass for hands: none of the 214 at 0.5, six at 0.3."""
WINS_TO_PREFER: Final = 5
"""Frames in a row in which only the enhanced view shows a hand, before it is tried first."""
IDLE_STRIDE: Final = 3
"""While no hand is about, every so many frames get the second look: 0.1 s at 30 fps."""
SCAN_STRIDE: Final = 5
"""While one hand is followed, every so many frames are searched for another: 0.17 s at 30 fps.
MediaPipe searches the whole picture, which costs as much as following, until it has all the hands
it was asked for; a graph asked for one does not (15 ms a frame instead of 32 on one core)."""
NEAR_SIDE_PX: Final = 448
"""Side of the close-up in which a lost hand is looked for."""
NEAR_MARGIN: Final = 0.5
"""Border around the expected box: the palm detector knows hands at arm's length, not close-ups."""


class GraphDetector(Closing):
    """Finds and follows hands with MediaPipe's graphs; see ``HandDetector``.

    A frame is looked at as it is. Where that shows no hand it is looked at again with its contrast
    lifted, which finds hands in dark and grey footage; whichever way worked is tried first from
    then on, and while no hand is about the second look is taken at every third frame only. A hand
    that was followed and shows in neither is looked for where it must be by now. While a single
    hand is followed, others are looked for at every fifth frame.

    Args:
        bundle: The networks.
        max_hands: Hands to follow at once, 1 to 8.

    Raises:
        HandModelError: MediaPipe cannot load the bundle.
    """

    face_xyxy: Final = None
    """These networks see no faces."""

    def __init__(self, bundle: HandBundle, *, max_hands: int) -> None:
        self._enhanced_wins = 0
        self._shown_enhanced = False
        self._num_idle = 0
        self._num_alone = 0
        with ExitStack() as graphs:

            def open_graph(num_hands: int, confidence: float, *, follows: bool) -> HandGraph:
                graph = HandGraph(bundle, num_hands, confidence, follows=follows)
                return graphs.enter_context(graph)

            # Several graphs: what a graph is asked for is fixed, and one that follows hands by
            # itself has to be shown the same view of the scene each time.
            self._plain = open_graph(max_hands, PLAIN_CONFIDENCE, follows=True)
            self._enhanced = open_graph(max_hands, ENHANCED_CONFIDENCE, follows=True)
            self._plain_alone = self._plain
            self._enhanced_alone = self._enhanced
            if max_hands > 1:
                self._plain_alone = open_graph(1, PLAIN_CONFIDENCE, follows=True)
                self._enhanced_alone = open_graph(1, ENHANCED_CONFIDENCE, follows=True)
            self._near = open_graph(1, PLAIN_CONFIDENCE, follows=False)
            self._graphs = graphs.pop_all()

    def detect(self, frame: Frame, expected: Sequence[HandRegion]) -> list[HandDetection]:
        """Return the hands of this frame."""
        picture, transform = shrink(frame.image)
        found = self._look_at_one(picture, transform, expected)
        if not found or self._num_alone % SCAN_STRIDE == 0:
            everywhere = self._look_at_all(picture, transform, expected)
            # A graph that follows its hand at every frame places it better than one that scans.
            found = everywhere if len(everywhere) > len(found) else found
        self._num_alone = self._num_alone + 1 if len(found) == 1 else 0
        if len(found) < len(expected):
            found += self._look_near(frame, expected, found)
        return found

    def close(self) -> None:
        """Release MediaPipe's graphs; harmless when called again."""
        self._graphs.close()

    @property
    def _prefers_enhanced(self) -> bool:
        return self._enhanced_wins >= WINS_TO_PREFER

    def _look_at_one(
        self, picture: RgbImage, transform: CropTransform, expected: Sequence[HandRegion]
    ) -> list[HandDetection]:
        """Return the hand that has been alone for a while; empty where there is no such hand.

        One that is hard to see (lost a moment ago, smeared) is looked for with all means instead.
        """
        if self._num_alone < SCAN_STRIDE or len(expected) != 1:
            return []
        if self._shown_enhanced:
            found = self._enhanced_alone.look(lift_contrast(picture), transform)
        else:
            found = self._plain_alone.look(picture, transform)
        if not found:
            self._num_alone = 0
        return found

    def _look_at_all(
        self, picture: RgbImage, transform: CropTransform, expected: Sequence[HandRegion]
    ) -> list[HandDetection]:
        """Return the hands in the first of two views, plain and enhanced, that shows any."""
        first = self._prefers_enhanced
        for enhanced in (first, not first):
            # With no hand about, a second look at every frame would double the cost of waiting.
            if enhanced is not first and self._num_idle % IDLE_STRIDE:
                break
            found = self._look(picture, transform, enhanced=enhanced)
            if found:
                self._shown_enhanced = enhanced
                wins = self._enhanced_wins + 1 if enhanced else 0
                self._enhanced_wins = min(wins, WINS_TO_PREFER)
                self._num_idle = 0
                return found
        self._num_idle = 0 if expected else self._num_idle + 1
        return []

    def _look(
        self, picture: RgbImage, transform: CropTransform, *, enhanced: bool
    ) -> list[HandDetection]:
        if enhanced:
            return self._enhanced.look(lift_contrast(picture), transform)
        return self._plain.look(picture, transform)

    def _look_near(
        self, frame: Frame, expected: Sequence[HandRegion], found: Sequence[HandDetection]
    ) -> list[HandDetection]:
        """Return what shows around the expected places of followed hands that were not found."""
        near: list[HandDetection] = []
        for region in expected:
            left, top, right, bottom = region.box_xyxy
            if any(left < x < right and top < y < bottom for x, y in (d.centre for d in found)):
                continue
            crop = cut_crop(frame, region, size_px=NEAR_SIDE_PX, margin=NEAR_MARGIN)
            picture = lift_contrast(crop.image) if self._prefers_enhanced else crop.image
            near += self._near.look(picture, crop.transform)
        return near


def shrink(image: RgbImage) -> tuple[RgbImage, CropTransform]:
    """Return ``image`` contiguous, its longer side at most ``MAX_SIDE_PX``; no needless copy."""
    height, width = image.shape[:2]
    zoom = MAX_SIDE_PX / max(height, width)
    if zoom >= 1:
        return np.ascontiguousarray(image), CropTransform.identity((width, height))
    small_wh = max(1, round(width * zoom)), max(1, round(height * zoom))
    small: RgbImage = cv2.resize(image, small_wh, interpolation=cv2.INTER_AREA)
    scale_xy = (width / small_wh[0], height / small_wh[1])
    return small, CropTransform(left_px=0.0, top_px=0.0, scale_xy=scale_xy, crop_wh=small_wh)
