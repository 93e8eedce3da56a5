"""Sets of pictures as the renderer writes them, drawn in a moment: striped ovals before noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from stream.sinks.png import write_png


def write_set(folder: Path, *, count: int) -> None:
    """Write pictures of 64 pixels, their masks and what is known of them."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:64, 0:64]
    for index in range(count):
        colours = rng.integers(0, 256, (2, 3))
        rx, ry = rng.uniform(8, 26, 2)
        inside = ((x - 32) / rx) ** 2 + ((y - 32) / ry) ** 2 < 1
        stripes = (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)) % 8 < 4
        image = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
        image[inside] = np.where(stripes[..., None], *colours)[inside]
        write_png(folder / f"{index:06d}.png", image)
        mask = np.repeat(inside[..., None].astype(np.uint8), 3, axis=2)
        write_png(folder / f"{index:06d}.mask.png", mask)
        corners = [[32 - rx, 32 - ry], [32 + rx, 32 + ry]] + [[32.0, 32.0]] * 19
        truth = {"index": index, "hands": [{"letter": "A", "landmarks_px": corners}]}
        (folder / f"{index:06d}.json").write_text(json.dumps(truth), encoding="utf-8")
    (folder / "set.json").write_text('{"format": 1}', encoding="utf-8")
