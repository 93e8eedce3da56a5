"""What training puts behind cut-out hands: rooms, patterns, and what is easily taken for a hand.

Backdrop ``index`` of seed ``seed`` is always the same picture, so that a folder can be continued
where it stopped, and two processes can share the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast, get_args

import numpy as np
import numpy.typing as npt

from samples.backgrounds import BackgroundKind, draw_background
from samples.dataset import agree
from samples.rivals import RivalKind, draw_rival
from samples.tone import to_display
from stream.sinks.png import write_png

__all__ = ["draw_backdrop", "write_backdrops"]

FORMAT: Final = 1
"""Version of what is drawn, raised when the same numbers give other pictures."""
_ABOUT: Final = "backdrops.json"
_SHARES: Final[dict[RivalKind | BackgroundKind, float]] = {
    "face": 0.36, "hand": 0.08, "arm": 0.09, "surface": 0.12, "window": 0.05,
    "leaves": 0.10, "room": 0.12, "wall": 0.02, "noise": 0.03, "stripes": 0.02, "gradient": 0.01,
}  # fmt: skip
"""What hides a hand is what teaches to find it: skin, then clutter, least of all plain walls."""


def draw_backdrop(seed: int, index: int, size_px: int) -> npt.NDArray[np.uint8]:
    """Return one square backdrop, uint8 RGB (S, S, 3); the same numbers, the same bytes.

    Args:
        seed: Chooses the series, >= 0.
        index: Chooses the picture in it, >= 0.
        size_px: Side, px, >= 1.
    """
    rng = np.random.default_rng([seed, index])
    kinds = list(_SHARES)
    kind = kinds[int(rng.choice(len(kinds), p=list(_SHARES.values())))]
    if kind in get_args(RivalKind):
        return draw_rival(cast("RivalKind", kind), size_px, rng)
    return to_display(draw_background((size_px, size_px), rng, cast("BackgroundKind", kind)))


def write_backdrops(
    folder: Path, *, count: int, size_px: int, seed: int = 0
) -> Iterator[tuple[int, bool]]:
    """Write backdrops 0 to ``count - 1`` as ``000123.png``, leaving out those already there.

    Args:
        folder: Made if it does not exist.
        count: Number of pictures, >= 1.
        size_px: Side of the pictures, >= 1.
        seed: Chooses the series, >= 0.

    Yields:
        Index of each finished picture and whether it was drawn now.

    Raises:
        ValueError: ``count`` or ``size_px`` < 1.
        SetMismatchError: The folder holds backdrops of another size, seed or format.
        OSError: The folder or a file cannot be written.
    """
    if count < 1 or size_px < 1:
        raise ValueError(f"count and size must be >= 1, got {count} and {size_px}")
    folder.mkdir(parents=True, exist_ok=True)
    agree(folder / _ABOUT, {"format": FORMAT, "seed": seed, "size_px": size_px})
    for index in range(count):
        path = folder / f"{index:06d}.png"
        is_new = not path.exists()
        if is_new:
            write_png(path, draw_backdrop(seed, index, size_px))
        yield index, is_new
