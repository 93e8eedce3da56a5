"""How the pictures of a source are to be decoded; read before any library that decodes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_PIXELS", "PictureOptions"]

MAX_PIXELS = 2**26
"""Twice those of 8K, and more than the largest phones take; 200 MB as RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions:
    """How the pictures of a source are to be decoded."""

    deinterlace: bool = False
    """Make pictures of one moment of interlaced ones; cameras and folders of pictures have none."""
    max_pixels: int = MAX_PIXELS
    """Most pixels that a picture may have: a few bytes can declare more than there is memory."""

    def fault_of(self, size_wh: tuple[int, int]) -> str | None:
        """Return what is wrong with pictures of this size; None where nothing is."""
        width, height = size_wh
        if width * height <= self.max_pixels:
            return None
        return (
            f"{width} x {height} pixels are more than {self.max_pixels}; "
            f"give --max-pixels {width * height} if you trust it and have the memory"
        )
