"""How the pictures of a source are to be had and decoded; read before any library that decodes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_PIXELS", "PictureOptions"]

MAX_PIXELS = 8192 * 4320
"""Those of the largest 8K, 106 MB as RGB: an export of such takes some 2 GB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions:
    """How the pictures of a source are to be had and decoded."""

    deinterlace: bool = False
    """Make pictures of one moment of interlaced ones; cameras and folders of pictures have none."""
    playlists: bool = False
    """Open the files and addresses that a playlist names, too."""
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
