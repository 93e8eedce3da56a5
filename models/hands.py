"""Hands in pictures, found by MediaPipe's hand landmarker and followed through time.

The only module that imports mediapipe. Labels: the Tasks API calls a hand "Right" when it looks
like a right hand in the picture as it is, so on an unmirrored picture that is the signer's own
right (checked with 0.10.21 and 1.2.2 on real right hands).
"""

from __future__ import annotations

import itertools
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import cv2
import numpy as np

from models.hand_bundle import find_hand_bundle
from models.tracking import HandDetection, HandTracker
from stream.errors import HandModelError
from stream.frames import Frame, RgbImage
from stream.geometry import HandRegion

__all__ = ["MediaPipeHandFinder"]

MAX_SIDE_PX: Final = 1280
"""Longer side of what MediaPipe gets to see; larger frames are shrunk first."""
CONFIDENCE: Final = 0.3


class MediaPipeHandFinder:
    """Finds and follows hands. One thread's: frames come in order, ``close`` when done.

    Args:
        max_hands: Hands to follow at once, 1 to 8.
        bundle: A ``.task`` file; None makes or downloads one (models.hand_bundle).
        progress: Called while the bundle is downloaded, with bytes so far and in all.

    Raises:
        HandModelError: There is no bundle, or MediaPipe cannot load it.
        ValueError: ``max_hands`` is out of range.
    """

    def __init__(
        self,
        *,
        max_hands: int = 2,
        bundle: Path | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self._tracker = HandTracker(max_hands=max_hands)
        path = find_hand_bundle(bundle, progress=progress)
        with _native_chatter_muted():
            self._landmarker = _open_landmarker(path, max_hands)
        # MediaPipe wants milliseconds that strictly increase and uses them for nothing else, so
        # looks are simply counted: any frame rate will do, and two looks at one frame.
        self._looks = itertools.count()
        self._enhance = cv2.createCLAHE(clipLimit=3, tileGridSize=(8, 8))
        self._prefers_enhanced = False
        self._size_wh: tuple[int, int] | None = None

    def find(self, frame: Frame) -> tuple[HandRegion, ...]:
        """Return the hands of this frame, the longest-followed first."""
        if frame.size_wh != self._size_wh:
            self._tracker.reset()
            self._size_wh = frame.size_wh
        return self._tracker.update(self._detect(frame), frame.time_s)

    def close(self) -> None:
        """Release MediaPipe's graph; harmless when called again."""
        landmarker, self._landmarker = self._landmarker, None
        if landmarker is not None:
            landmarker.close()

    def __enter__(self) -> MediaPipeHandFinder:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _detect(self, frame: Frame) -> list[HandDetection]:
        picture = _shrink(frame.image)
        wanted = max(1, self._tracker.num_followed)
        found = self._look(picture, frame.size_wh, enhanced=self._prefers_enhanced)
        if len(found) < wanted:
            again = self._look(picture, frame.size_wh, enhanced=not self._prefers_enhanced)
            if len(again) > len(found):
                found = again
                self._prefers_enhanced = not self._prefers_enhanced
        return found

    def _look(
        self, picture: RgbImage, size_wh: tuple[int, int], *, enhanced: bool
    ) -> list[HandDetection]:
        import mediapipe

        if enhanced:
            picture = self._lift_contrast(picture)
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
        with _native_chatter_muted():
            result = self._landmarker.detect_for_video(image, next(self._looks))
        return [
            HandDetection(
                landmarks=np.array([(point.x, point.y) for point in points], np.float64) * size_wh,
                handedness="right" if labels[0].category_name == "Right" else "left",
                score=float(labels[0].score),
            )
            for points, labels in zip(result.hand_landmarks, result.handedness, strict=True)
        ]

    def _lift_contrast(self, picture: RgbImage) -> RgbImage:
        """Return the picture with its lightness equalised tile by tile (CLAHE)."""
        lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
        lab[..., 0] = self._enhance.apply(lab[..., 0])
        lifted: RgbImage = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
        return lifted


def _open_landmarker(path: Path, max_hands: int) -> Any:  # noqa: ANN401 - mediapipe is untyped
    from mediapipe.tasks import python as tasks
    from mediapipe.tasks.python import vision

    options = vision.HandLandmarkerOptions(
        # The bytes rather than the path, which MediaPipe cannot open if it is not plain ASCII.
        base_options=tasks.BaseOptions(model_asset_buffer=path.read_bytes()),
        running_mode=vision.RunningMode.VIDEO,
        num_hands=max_hands,
        min_hand_detection_confidence=CONFIDENCE,
        min_hand_presence_confidence=CONFIDENCE,
        min_tracking_confidence=CONFIDENCE,
    )
    try:
        return vision.HandLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise HandModelError(
            f"MediaPipe cannot load the hand model {path}: {reason}; delete it to have it made "
            "again, or give another with --hand-model PATH"
        ) from error


def _shrink(image: RgbImage) -> RgbImage:
    """Return ``image`` contiguous, its longer side at most ``MAX_SIDE_PX``; no needless copy."""
    height, width = image.shape[:2]
    zoom = MAX_SIDE_PX / max(height, width)
    if zoom >= 1:
        return np.ascontiguousarray(image)
    size_wh = max(1, round(width * zoom)), max(1, round(height * zoom))
    small: RgbImage = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    return small


_CHATTER: Final = re.compile(
    rb"[IW]\d{4} \d\d:|INFO: Created TensorFlow|WARNING: (All log|Logging before|Read-only tensor)"
)
"""How the lines begin that MediaPipe's C++ side always prints and nobody can act on."""
_STDERR_LOCK = threading.Lock()


@contextmanager
def _native_chatter_muted() -> Iterator[None]:
    """Keep MediaPipe's routine lines off stderr; everything else written meanwhile still appears.

    No flag or variable silences them: they are written to file descriptor 2 by C++ threads.
    """
    with _STDERR_LOCK, tempfile.TemporaryFile() as caught:
        try:
            stderr = os.dup(2)
        except OSError:  # no stderr at all, as under pythonw
            yield
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(stderr, 2)
            caught.seek(0)
            for line in caught:
                if not _CHATTER.match(line):
                    os.write(stderr, line)
            os.close(stderr)
