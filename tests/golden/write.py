"""The pictures that the overlays are compared with; run as a program, writes them anew.

    python -m tests.golden.write

Look at every picture before you commit it: it says what "right" looks like from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from overlays.compositor import Compositor
from overlays.live_view import LiveView
from overlays.style import Style
from stream.frames import RgbImage
from stream.geometry import HandRegion
from stream.scene import AttentionMaps, MapKind, Scene
from stream.sinks.png import write_png
from stream.sources.picture_files import PictureReader
from stream.stats import Stats
from tests.overlays.scenes import make_maps, make_region, make_scene

FOLDER = Path(__file__).parent
SIZE_WH = (400, 300)
RIGHT = make_region((60, 90, 150, 190), handedness="right", track_id=0)
LEFT = make_region((250, 110, 330, 200), handedness="left", track_id=1)
STATS = Stats(fps_shown=29.97, maps_per_s=12.1, latency_ms=41, compute_ms=76, dropped_capture=3)


def picture() -> RgbImage:
    """Return a wall, light on the left and dark on the right, with two round hands before it."""
    width, height = SIZE_WH
    rows, columns = np.mgrid[0:height, 0:width]
    image = np.full((height, width, 3), (226, 226, 230), np.uint8)
    image[:, width // 2 :] = (30, 32, 38)
    for region in (RIGHT, LEFT):
        x, y = region.centre_xy
        image[np.hypot(columns - x, rows - y) < 38] = (196, 140, 112)
    return image


def maps(
    region: HandRegion, *, kind: MapKind = "attention", is_random: bool = False, num_heads: int = 6
) -> AttentionMaps:
    """Return a map per head, each looking at another side of the hand."""
    rows, columns = np.mgrid[0:14, 0:14] - 6.5
    angles = 2 * np.pi * np.arange(num_heads) / num_heads + region.track_id
    weights = np.stack(
        [
            0.03 + np.exp(-((columns - 3 * np.cos(a)) ** 2 + (rows - 3 * np.sin(a)) ** 2) / 5)
            for a in angles
        ]
    )
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    return make_maps(region, weights.astype(np.float32), kind=kind, is_random=is_random)


def scene(*, age_s: float = 0.045, is_random: bool = False, kind: MapKind = "attention") -> Scene:
    """Return the picture with a map for each of its hands."""
    hands = [RIGHT, LEFT]
    made = [maps(hand, kind=kind, is_random=is_random) for hand in hands]
    return make_scene(picture(), hands, made, age_s=age_s, stats=STATS)


def _whole() -> Scene:
    region = HandRegion.whole_frame(SIZE_WH)
    return make_scene(picture(), [region], [maps(region, kind="activation")])


def _waiting() -> Scene:
    return make_scene(picture(), [RIGHT, LEFT], [maps(LEFT)], age_s=0.6)


def _help() -> RgbImage:
    view = LiveView(Style())
    view.is_help_shown = True
    return view.draw(scene())


def _live(stats: Stats) -> RgbImage:
    return LiveView(Style(hud=False)).draw(replace(scene(), stats=stats))


CASES: dict[str, Callable[[], RgbImage]] = {
    "overlay": lambda: Compositor(Style(threshold=0.6)).draw(scene()),
    "mirrored": lambda: Compositor(Style(mirror=True)).draw(scene()),
    "side": lambda: Compositor(Style(layout="side", normalize="absolute")).draw(scene()),
    "heads": lambda: Compositor(Style(head=2, layout="heads", hud=False)).draw(scene()),
    "insets": lambda: Compositor(Style(layout="insets", colormap="viridis")).draw(scene()),
    "random": lambda: Compositor(Style(head="all")).draw(scene(is_random=True)),
    "whole": lambda: Compositor(Style()).draw(_whole()),
    "waiting": lambda: Compositor(Style()).draw(_waiting()),
    "help": _help,
    "lost": lambda: _live(Stats(lost_s=67.2)),
    "paused": lambda: _live(Stats(is_frozen=True, recording_s=12.9)),
}
"""Name of the picture: how it is drawn."""


def read(name: str) -> RgbImage:
    """Return the picture that was written under ``name``, uint8 (H, W, 3) RGB."""
    return PictureReader().read(FOLDER / f"{name}.png")


if __name__ == "__main__":
    for name, draw in CASES.items():
        write_png(FOLDER / f"{name}.png", draw())
