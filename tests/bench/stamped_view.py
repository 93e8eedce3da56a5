"""``signlight`` whose live pictures say, in black and white blocks, when they were composed.

The wall clock's milliseconds, modulo 2 ** 24, stand in 24 squares at the lower left, the highest
bit first: each ``BLOCK`` of the picture's width.
"""

from __future__ import annotations

import sys
import time

from overlays.live_view import LiveView
from run_live import main
from stream.frames import RgbImage
from stream.scene import Scene

BLOCK = 1 / 80
NUM_BITS = 24

_draw = LiveView.draw


def _draw_stamped(self: LiveView, scene: Scene) -> RgbImage:
    canvas = _draw(self, scene)
    stamp(canvas)
    return canvas


def stamp(canvas: RgbImage) -> None:
    """Write the time into a picture."""
    side = round(canvas.shape[1] * BLOCK)
    now_ms = time.time_ns() // 1_000_000
    for place in range(NUM_BITS):
        is_set = now_ms >> (NUM_BITS - 1 - place) & 1
        canvas[-side:, place * side : (place + 1) * side] = 255 * is_set


if __name__ == "__main__":
    LiveView.draw = _draw_stamped  # type: ignore[method-assign]
    sys.exit(main())
