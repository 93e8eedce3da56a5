"""Whether a quick arithmetic leaves the maps of some weights as they are: measured, not believed.

Weights whose attention is very peaked turn rounding into other maps; that cannot be told from the
model, only from the weights. So each file of weights is tried once, and the result is kept.
"""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.cache import cache_folder
from models.preprocessing import normalize
from models.registry import ModelSpec
from models.runtimes.neural_network import Network
from models.runtimes.protocol import Rows, Runtime
from models.runtimes.selection import Choice
from stream.errors import OutputError
from stream.frames import RgbImage
from stream.installed_packages import version_of
from stream.json_files import write_json
from stream.priority import run_after_others

__all__ = ["LEAST_COSINE", "PrecisionCheck", "measure_precision", "recall_precision"]

logger = logging.getLogger(__name__)

LEAST_COSINE = 0.999
"""Cosine to float32 that every head must keep: differences that no colormap shows."""
_NUM_PICTURES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionCheck:
    """What was found of an arithmetic, with the weights that are in use."""

    precision: str
    """Arithmetic that was tried: ``bfloat16`` or ``float16``."""
    least_cosine: float
    """Cosine of the head that differs most to the same in float32, over the built-in pictures."""

    @property
    def is_kept(self) -> bool:
        """Whether the maps are the same to the eye, so that the arithmetic may be used."""
        return self.least_cosine >= LEAST_COSINE


def recall_precision(
    choice: Choice, spec: ModelSpec, layer: int, weights_sha256: str
) -> PrecisionCheck | None:
    """Return what was found of these weights before, on a machine and with libraries like these."""
    kept = _read(weights_sha256).get(_circumstances(choice, spec, layer))
    if not isinstance(kept, float):
        return None
    return PrecisionCheck(precision=_name(choice.dtype), least_cosine=kept)


def measure_precision(
    network: Network,
    choice: Choice,
    spec: ModelSpec,
    layer: int,
    weights_sha256: str,
    *,
    num_threads: int | None,
) -> tuple[Runtime, PrecisionCheck]:
    """Compare with float32 on built-in pictures; keep what was found in the cache.

    Args:
        network: Float32, on the processor; taken over by the runtime, and rounded where that does.
        choice: Device, runtime and arithmetic to try.
        spec: Which model it is.
        layer: Layer to compare, from 0.
        weights_sha256: Hash of the weights, by which the result is kept.
        num_threads: Processor threads for one operation.

    Returns:
        The runtime, ready, and what was found.
    """

    def compare() -> tuple[Runtime, float]:
        pictures = _pictures(spec.crop_px)
        exact = [_exact_rows(network, picture, layer) for picture in pictures]
        runtime = choice.open(network, num_threads=num_threads)
        try:
            cosines = [
                _least_cosine(rows, runtime.submit([picture], layer)()[0], spec)
                for picture, rows in zip(pictures, exact, strict=True)
            ]
        except BaseException:
            runtime.close()
            raise
        return runtime, min(cosines)

    # On a thread that gives way: what libraries start here serves the live view, too.
    with ThreadPoolExecutor(1, "signlight-precision", initializer=run_after_others) as thread:
        runtime, least_cosine = thread.submit(compare).result()
    kept = _read(weights_sha256) | {_circumstances(choice, spec, layer): least_cosine}
    try:
        _record_path(weights_sha256).parent.mkdir(parents=True, exist_ok=True)
        write_json(_record_path(weights_sha256), kept)
    except (OutputError, OSError) as error:  # a cache that is only readable still serves
        logger.debug("what was found of the precision is not kept: %s", error)
    return runtime, PrecisionCheck(precision=_name(choice.dtype), least_cosine=least_cosine)


def _pictures(side_px: int) -> list[RgbImage]:
    """Return pictures of an oval before clutter of several sizes, uint8 (S, S, 3) RGB."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px - 0.5
    pictures: list[RgbImage] = []
    for _ in range(_NUM_PICTURES):
        clutter = np.zeros((side_px, side_px, 3))
        for cells in (3, 9, 27):
            colours = rng.uniform(0, 1 / 3, (cells, cells, 3))
            places = np.arange(side_px) * cells // side_px
            clutter += colours[np.ix_(places, places)]
        (cx, cy), (rx, ry) = rng.uniform(-0.2, 0.2, 2), rng.uniform(0.15, 0.4, 2)
        inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
        stripes = 0.5 + 0.2 * np.sin(40 * (x * rng.uniform(-1, 1) + y))
        clutter[inside] = (rng.uniform(0.4, 1, 3) * stripes[..., None])[inside]
        pictures.append((255 * clutter).astype(np.uint8))
    return pictures


@torch.inference_mode()
def _exact_rows(network: Network, picture: RgbImage, layer: int) -> Rows:
    """Return the rows of one picture, float32 (rows, grid_h, grid_w), by torch on the processor."""
    height, width, _ = picture.shape
    forward = network.eval().for_size((height, width))
    rows: Rows = forward(normalize(torch.from_numpy(picture)[None]), layer)[0].numpy()
    return rows


def _least_cosine(exact: Rows, quick: Rows, spec: ModelSpec) -> float:
    """Return the least cosine of all heads; of a feature map, whose channels are not shown, one."""
    num_maps = len(exact) if spec.kind == "attention" else 1
    one, other = (rows.reshape(num_maps, -1).astype(np.float64) for rows in (exact, quick))
    norms: npt.NDArray[np.float64] = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    # Rows that are zero or not finite are not those of float32, and have no cosine either.
    cosines = np.nan_to_num((one * other).sum(axis=1) / np.maximum(norms, np.finfo(float).tiny))
    return float(cosines.min())


def _circumstances(choice: Choice, spec: ModelSpec, layer: int) -> str:
    """Return what the result depends on beside the weights."""
    library = "openvino" if choice.use_openvino else "torch"
    device = choice.device.type
    if device == "cuda":
        device = torch.cuda.get_device_name(choice.device)
    elif device == "cpu":
        device = f"cpu {torch.backends.cpu.get_cpu_capability()}"
    return (
        f"{spec.name} layer {layer}, {_name(choice.dtype)}, "
        f"{library} {version_of(library)} on {device}"
    )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _record_path(weights_sha256: str) -> Path:
    return cache_folder() / "precision" / f"{weights_sha256}.json"


def _read(weights_sha256: str) -> dict[str, Any]:
    try:
        kept = json.loads(_record_path(weights_sha256).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # nothing there, or nothing of use: it is measured again
        return {}
    return kept if isinstance(kept, dict) else {}
