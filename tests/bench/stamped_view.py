"""``signlight`` whose pictures say, in black and white blocks, when the page was given them.

A recording's picture is composed ahead and waits for its time before any screen has it: that wait
is none of the page's.

The wall clock's milliseconds, modulo 2 ** 24, stand in 24 squares at the lower left, the highest
bit first: each ``BLOCK`` of the picture's width.
"""

from __future__ import annotations

import sys
import time

from run_live import main
from stream.frames import RgbImage
from stream.screens.page import Page

BLOCK = 1 / 80
NUM_BITS = 24

_show = Page.show


def _show_stamped(self: Page, canvas: RgbImage, wait_s: float) -> str | None:
    if canvas is not self._canvas:  # not again while it is encoded
        stamp(canvas)
    return _show(self, canvas, wait_s)


def stamp(canvas: RgbImage) -> None:
    """Write the time into a picture."""
    side = round(canvas.shape[1] * BLOCK)
    now_ms = time.time_ns() // 1_000_000
    for place in range(NUM_BITS):
        is_set = now_ms >> (NUM_BITS - 1 - place) & 1
        canvas[-side:, place * side : (place + 1) * side] = 255 * is_set


if __name__ == "__main__":
    Page.show = _show_stamped  # type: ignore[method-assign]
    sys.exit(main())
