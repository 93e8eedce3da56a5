"""Frames of a webcam."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from stream.errors import SourceError, SourceLostError, SourceNotFoundError, SourceTimeoutError
from stream.frames import Frame, RgbImage, SourceInfo
from stream.sources.closable import ClosableSource
from stream.sources.opening_thread import Opening
from stream.sources.timeline import Span
from stream.sources.v4l2 import Mode, camera_numbers

__all__ = ["CameraSource", "Capture", "mode_of", "open_capture"]

FIRST_FRAME_WITHIN_S = 2.0
"""Longest wait for a camera to open and show its first frame."""
_TIME_BASE = Fraction(1, 1_000_000)
_MAX_DAMAGED = 30
"""Frames in a row that may arrive damaged: a second of bad cable is bearable, more is a loss."""
_BACKENDS = {
    "linux": (cv2.CAP_V4L2,),
    "darwin": (cv2.CAP_AVFOUNDATION,),
    # DirectShow opens in a fraction of the time that Media Foundation takes.
    "win32": (cv2.CAP_DSHOW, cv2.CAP_MSMF),
}
# Nothing of CAP_PROP_BUFFERSIZE: some drivers never fill a single buffer, and whoever reads each
# frame as it comes leaves none to grow old.
_SIZE_AND_RATE = (
    (cv2.CAP_PROP_FRAME_WIDTH, 1280.0),
    (cv2.CAP_PROP_FRAME_HEIGHT, 720.0),
    (cv2.CAP_PROP_FPS, 30.0),
)
_COMPRESSED = (cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG")))
"""Over USB 2 raw pictures of this size come at no more than 10 per second."""


class Capture(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool:  # noqa: N802
        """Tell whether the camera is open."""

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        """Ask for a setting; the camera may choose another."""

    def get(self, propId: int) -> float:  # noqa: N803
        """Return a setting, 0 or less where it is unknown."""

    def grab(self) -> bool:
        """Wait for the next frame; False when there is none to come."""

    def retrieve(self) -> tuple[bool, npt.NDArray[np.uint8]]:
        """Decode the frame that was grabbed: BGR."""

    def release(self) -> None:
        """Give the camera back."""

    def getBackendName(self) -> str:  # noqa: N802
        """Return what the camera is read through."""


def open_capture(number: int) -> Capture:
    """Return OpenCV's capture of camera ``number``, open or not, by the platform's own backend."""
    # What it says of missing cameras is said by our errors. The name moved after OpenCV 4.12.
    silence = cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel
    silence(0)
    # How long the Linux backend waits for a frame, in seconds; it is 10 otherwise.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")
    capture = cv2.VideoCapture()
    for backend in _BACKENDS.get(sys.platform, (cv2.CAP_ANY,)):
        if capture.open(number, backend):
            break
    return capture


def mode_of(capture: Capture) -> Mode:
    """Return the size and rate that an open camera says it is set to."""
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    return Mode(
        size_wh=(
            round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        ),
        rates_hz=(Fraction(rate_hz).limit_denominator(1001),) if rate_hz > 0 else (),
    )


class CameraSource(ClosableSource):
    """Frames of a camera as they come, timed by the monotonic clock; the first one is at 0.

    Asks for 1280 x 720 at 30 frames per second, compressed, and takes what it gets, which
    ``info.details`` tells.

    Args:
        number: The camera's number, from 0.
        end_s: Moment to stop at, in seconds since the first frame.
        max_frames: Most frames to read.
        open_capture: Opens the camera of a number; may block.
        first_frame_within_s: Longest wait for the first frame.

    Raises:
        SourceNotFoundError: There is no such camera, or it cannot be opened.
        SourceTimeoutError: It shows no frame in time.
        ValueError: The range is empty.
    """

    def __init__(
        self,
        number: int,
        *,
        end_s: float | Fraction | None = None,
        max_frames: int | None = None,
        open_capture: Callable[[int], Capture] = open_capture,
        first_frame_within_s: float = FIRST_FRAME_WITHIN_S,
    ) -> None:
        super().__init__()
        self._span = Span(None, end_s, max_frames)
        self._name = f"camera {number}"
        opening = Opening(
            partial(_open, number, self._name, open_capture),
            give_back=lambda opened: opened[0].release(),
            name=self._name,
        )
        try:
            self._capture, first, self._first_ns = opening.wait(first_frame_within_s)
        except TimeoutError as exc:
            if isinstance(exc, SourceError):
                raise
            raise SourceTimeoutError(
                f"{self._name} showed no frame within {first_frame_within_s:g} s; close other "
                "programs that use it, or plug it in again"
            ) from None
        self._first: tuple[RgbImage, int] | None = (first, self._first_ns)
        self._last_pts = -1
        self._num_frames = 0
        self._info = _describe(self._name, self._capture, first)

    @property
    def info(self) -> SourceInfo:
        """What was agreed on with the camera."""
        return self._info

    @property
    def warnings(self) -> list[str]:
        """Nothing: a camera either works or stops."""
        return []

    def _read_next(self) -> Frame | None:
        if self._span.max_frames is not None and self._num_frames >= self._span.max_frames:
            return None
        taken, self._first = self._first or _take(self._capture, self._name), None
        image, captured_ns = taken
        pts = max(self._last_pts + 1, (captured_ns - self._first_ns) // 1000)
        end = self._span.end_tick(_TIME_BASE)
        if end is not None and pts >= end:
            return None
        frame = Frame(
            image=image,
            pts=pts,
            time_base=_TIME_BASE,
            index=self._num_frames,
            captured_ns=captured_ns,
        )
        self._last_pts = pts
        self._num_frames += 1
        return frame

    def _release(self) -> None:
        self._capture.release()


def _open(
    number: int, name: str, open_capture: Callable[[int], Capture]
) -> tuple[Capture, RgbImage, int]:
    """Return the open camera, its first frame and when that was taken.

    Raises:
        SourceError: It cannot be opened.
    """
    capture = open_capture(number)
    try:
        if not capture.isOpened():
            raise _not_opened(number)
        _ask(capture)
        return capture, *_take(capture, name)
    except BaseException:
        capture.release()
        raise


def _ask(capture: Capture) -> None:
    """Ask for the size and rate, compressed, unless the camera sends it so already.

    Each change makes a driver begin anew, which not all survive. The format comes first: drivers
    choose another size when it changes.
    """
    if any(capture.get(wish) != value for wish, value in _SIZE_AND_RATE):
        for wish, value in (_COMPRESSED, *_SIZE_AND_RATE):
            capture.set(wish, value)


def _take(capture: Capture, name: str) -> tuple[RgbImage, int]:
    """Return the next picture, RGB, and when it was taken in ns of the monotonic clock."""
    for _ in range(_MAX_DAMAGED):
        if not capture.grab():
            raise SourceLostError(
                f"{name} stopped: it was unplugged or taken by another program; "
                "plug it in and start again"
            )
        # Taken now; decoding what was taken comes after.
        captured_ns = time.monotonic_ns()
        is_whole, picture = capture.retrieve()
        if is_whole and picture is not None and picture.size:
            code = cv2.COLOR_BGR2RGB if picture.ndim == 3 else cv2.COLOR_GRAY2RGB
            return np.asarray(cv2.cvtColor(picture, code), np.uint8), captured_ns
    raise SourceLostError(
        f"{name} stopped: it sends damaged pictures only; try another cable or port"
    )


def _describe(name: str, capture: Capture, first: RgbImage) -> SourceInfo:
    size_wh = (first.shape[1], first.shape[0])
    rate = capture.get(cv2.CAP_PROP_FPS)
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    fourcc = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24)) if code > 0 else ""
    parts = [
        f"{size_wh[0]} x {size_wh[1]}",
        f"{rate:g} fps" if rate > 0 else "",
        fourcc if fourcc.isprintable() else "",
        capture.getBackendName(),
    ]
    return SourceInfo(
        name=name,
        size_wh=size_wh,
        frame_rate=Fraction(rate).limit_denominator(1001) if rate > 0 else None,
        time_base=_TIME_BASE,
        is_live=True,
        details=", ".join(part for part in parts if part),
    )


def _not_opened(number: int) -> SourceError:
    numbers = camera_numbers()
    if number in numbers:
        device = Path(f"/dev/video{number}")
        if not os.access(device, os.R_OK | os.W_OK):
            return SourceNotFoundError(
                f"camera {number} may not be opened; add yourself to the group that owns {device}"
            )
        return SourceNotFoundError(
            f"camera {number} cannot be opened; close other programs that use it"
        )
    if numbers:
        others = ", ".join(map(str, numbers))
        return SourceNotFoundError(f"there is no camera {number}; there is {others}")
    if sys.platform == "linux":
        return SourceNotFoundError(
            f"there is no camera {number}, nor any other; connect one or give a video file"
        )
    return SourceNotFoundError(
        f"camera {number} cannot be opened; connect one, allow its use in the system's settings, "
        "or give a video file"
    )
