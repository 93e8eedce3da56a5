"""A webcam that does as it is told, in place of ``cv2.VideoCapture``."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from stream.frames import RgbImage
from tests.waits import WAIT_S

__all__ = ["ScriptedCapture"]


class ScriptedCapture:
    """Gives out its pictures one by one, then says that there are no more.

    Args:
        pictures: RGB; None for a frame that arrives damaged.
        is_there: Whether the camera can be opened.
        gate: Where given, the camera waits for it before each frame.
    """

    def __init__(
        self,
        pictures: list[RgbImage | None],
        *,
        is_there: bool = True,
        gate: threading.Event | None = None,
        settings: dict[int, float] | None = None,
    ) -> None:
        self.asked: list[tuple[int, float]] = []
        """What was asked for, in order."""
        self.num_released = 0
        """How often the camera was given back."""
        self.is_waiting = threading.Event()
        """Set once a frame is waited for."""
        self.was_released = threading.Event()
        self._pictures = list(pictures)
        self._is_there = is_there
        self._gate = gate
        self._settings = settings or {}
        self._grabbed: RgbImage | None = None

    def isOpened(self) -> bool:  # noqa: N802
        return self._is_there

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        self.asked.append((propId, value))
        return True

    def get(self, propId: int) -> float:  # noqa: N803
        return self._settings.get(propId, 0.0)

    def grab(self) -> bool:
        self.is_waiting.set()
        if self._gate is not None:
            assert self._gate.wait(WAIT_S), "nobody opened the gate"
        if not self._pictures:
            return False
        self._grabbed = self._pictures.pop(0)
        return True

    def retrieve(self) -> tuple[bool, npt.NDArray[np.uint8]]:
        if self._grabbed is None:
            return False, np.zeros((0, 0, 3), np.uint8)
        return True, np.ascontiguousarray(self._grabbed[:, :, ::-1])

    def release(self) -> None:
        self.num_released += 1
        self.was_released.set()

    def getBackendName(self) -> str:  # noqa: N802
        return "SCRIPT"
