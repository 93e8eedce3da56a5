"""A decoded picture with its time, and what is known about where pictures come from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["LARGE_PX", "STALE_S", "Frame", "RgbImage", "SourceInfo", "frozen_rgb"]

LARGE_PX = 4096 * 2304
"""Pictures of more pixels, beyond 4K, are decoded, handed on and encoded one at a time: an export
of 8K then takes some 2 GB, not 6."""
STALE_S: Final = 3.0
"""A live source that gives no picture for so long is lost, in seconds. What was seen before says
nothing of what comes after."""

RgbImage = npt.NDArray[np.uint8]
"""Pixels: uint8, shape ``(H, W, 3)``, red first."""


def frozen_rgb(image: RgbImage) -> RgbImage:
    """Return a read-only view of an RGB picture; the caller's own array stays writable.

    Raises:
        ValueError: ``image`` is not uint8 of shape ``(H, W, 3)`` with H, W >= 1.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"image must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
    view = image.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Frame:
    """One decoded picture and the moment it belongs to. Read-only, safe to share by threads."""

    image: RgbImage
    """Pixels, uint8, shape ``(H, W, 3)``, RGB, read-only, upright (rotation is applied)."""
    pts: int
    """Presentation time in ``time_base`` ticks since the source began; strictly increasing."""
    time_base: Fraction
    """Seconds per tick, > 0."""
    duration: int | None = None
    """Ticks for which the frame is shown; None where that is told by the next one only."""
    file_pts: int | None = None
    """Its time in the file that is played, in ticks; None where none is."""
    index: int
    """Number of the frame in its source, from 0; gaps tell of dropped frames."""
    captured_ns: int
    """When the frame was taken or decoded, ``time.monotonic_ns``; never written to a file."""
    num_losses: int = 0
    """How often its source had been lost before, and had come back."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", frozen_rgb(self.image))
        if self.time_base <= 0:
            raise ValueError(f"time_base must be > 0, got {self.time_base = }")
        if self.duration is not None and self.duration <= 0:
            raise ValueError(f"duration must be > 0, got {self.duration = }")
        if self.index < 0:
            raise ValueError(f"index must be >= 0, got {self.index = }")

    @property
    def time_s(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)

    @property
    def file_s(self) -> Fraction | None:
        """Time in the file that is played, in seconds; None where none is."""
        return None if self.file_pts is None else self.file_pts * self.time_base

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """What a source declares about itself before the first frame is read."""

    name: str
    """What a person would call it: a path, a URL without its password, ``camera 0``."""
    size_wh: tuple[int, int]
    """Width and height of the upright picture in pixels; later frames may differ."""
    frame_rate: Fraction | None
    """Declared frames per second; None where the source declares none (it may vary anyway)."""
    time_base: Fraction
    """Seconds per tick of the frames' ``pts``."""
    is_live: bool
    """True where frames are lost unless they are read in time: cameras, network streams."""
    num_frames: int | None = None
    """Frames to expect, for a progress bar; an estimate, None where unknown."""
    duration_s: float | None = None
    """Length in seconds; None where unknown or endless."""
    start_s: Fraction = Fraction(0)
    """What the source itself calls the time from which frames' times count, seconds."""
    details: str = ""
    """One line for people: negotiated format, codec, pixel format."""
