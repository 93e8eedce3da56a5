"""What a runtime is to the model that uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from stream.frames import RgbImage

__all__ = ["Pending", "Rows", "Runtime"]

Rows = npt.NDArray[np.float32]
"""Output of a network: float32 (B, rows, grid_h, grid_w), a row per head or per channel."""
Pending = Callable[[], Rows]
"""Waits for a submitted batch and returns it; may be called once or more, gives the same."""


class Runtime(Protocol):
    """Runs one network on one device. Used from one thread at a time; starts none of its own."""

    @property
    def name(self) -> str:
        """What ``--runtime`` calls it."""

    @property
    def device(self) -> str:
        """Where it computes, for people to read: ``cpu``, ``cuda:0 (NVIDIA ...)``."""

    @property
    def precision(self) -> str:
        """Arithmetic of the network: ``float32``, ``bfloat16`` or ``float16``."""

    @property
    def pictures_at_once(self) -> int:
        """Pictures of a batch that keep the device busy."""

    def submit(self, images: Sequence[RgbImage], layer: int) -> Pending:
        """Start on a batch and return what waits for its result.

        Args:
            images: Pictures of one shape, uint8 (H, W, 3) RGB; free to change after the call.
            layer: Layer to read, from 0.

        Raises:
            DeviceError: The device cannot do it, for instance for want of memory.
        """

    def close(self) -> None:
        """Release the device; harmless when called again."""
