"""MediaPipe's hand landmarker: palms found, landmarks placed.

The only module that imports mediapipe. MediaPipe calls a hand "Right" that looks like a right hand
in the picture as it is (seen with 0.10.21 and 1.2.2 on right hands of two signers), so in an
unmirrored picture that is the signer's own right hand.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from models.chatter import muted_chatter
from models.hands.bundle import HandBundle
from models.hands.tracking import HandDetection
from stream.closing import Closing
from stream.frames import RgbImage
from stream.geometry import CropTransform

__all__ = ["HandGraph"]


class HandGraph(Closing):
    """One graph of MediaPipe. Used by one thread.

    Args:
        networks: The ``.task`` bundle.
        num_hands: Hands to find at most.
        confidence: Least confidence for palms, for landmarks and for following.
        follows: True where each picture follows the one before; hands are then looked for where
            they were, which labels and places them better than finding them anew.

    Raises:
        HandModelError: MediaPipe cannot load the bundle.
    """

    def __init__(
        self,
        networks: HandBundle,
        num_hands: int,
        confidence: float,
        *,
        follows: bool,
    ) -> None:
        with _without_plots():
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision

        self._image_of = mediapipe.Image
        self._rgb = mediapipe.ImageFormat.SRGB
        mode = vision.RunningMode.VIDEO if follows else vision.RunningMode.IMAGE
        # MediaPipe wants milliseconds that strictly increase and makes no other use of them, so
        # looks are simply counted: that serves every frame rate.
        self._looks = itertools.count() if follows else None
        try:
            options = vision.HandLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=networks.content),
                running_mode=mode,
                num_hands=num_hands,
                min_hand_detection_confidence=confidence,
                min_hand_presence_confidence=confidence,
                min_tracking_confidence=confidence,
            )
            with muted_chatter():
                self._graph: Any = vision.HandLandmarker.create_from_options(options)
        except (OSError, RuntimeError, ValueError) as error:
            raise networks.refused(error) from error
        # Some lines come with the first hand only; after it, looking is left alone.
        self._is_quiet = False

    def look(self, picture: RgbImage, transform: CropTransform) -> list[HandDetection]:
        """Return the hands in ``picture``, uint8 (H, W, 3) RGB, in the frame's pixels."""
        image = self._image_of(image_format=self._rgb, data=picture)
        if self._is_quiet:
            result = self._run(image)
        else:
            with muted_chatter():
                result = self._run(image)
            self._is_quiet = bool(result.hand_landmarks)
        return [
            HandDetection(
                landmarks=transform.to_frame(
                    np.array([(point.x, point.y) for point in points], np.float64)
                    * transform.crop_wh
                ),
                handedness="right" if labels[0].category_name == "Right" else "left",
                score=float(labels[0].score),
            )
            for points, labels in zip(result.hand_landmarks, result.handedness, strict=True)
        ]

    def close(self) -> None:
        """Release the graph; harmless when called again."""
        self._graph.close()

    def _run(self, image: Any) -> Any:  # noqa: ANN401 - mediapipe has no types
        if self._looks is None:
            return self._graph.detect(image)
        return self._graph.detect_for_video(image, next(self._looks))


@contextmanager
def _without_plots() -> Iterator[None]:
    """Spare MediaPipe's import matplotlib, which takes 0.6 s to load.

    Its drawing code asks for it and is not used here. Who imports matplotlib later gets it whole.
    """
    names = ("matplotlib", "matplotlib.pyplot")
    if "mediapipe" in sys.modules or names[0] in sys.modules:
        yield
        return
    package, pyplot = (ModuleType(name) for name in names)
    package.pyplot = pyplot  # type: ignore[attr-defined]
    sys.modules.update(zip(names, (package, pyplot), strict=True))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
