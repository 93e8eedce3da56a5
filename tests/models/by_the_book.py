"""Maps as the books say, to compare a runtime with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from models.preprocessing import normalize
from models.vit import VisionTransformer
from tests.models.networks import plain_cls_attention

__all__ = ["assert_alike", "by_the_book"]

_LEAST_COSINE = {"float32": 0.9999999, "float16": 0.9999, "bfloat16": 0.995}
"""Per head, to the book. The narrow seeded network is harsher than a real one: its heads have few
channels to average rounding over, and it attends sharply. Real models must keep 0.999."""


@torch.inference_mode()
def by_the_book(
    vit: VisionTransformer, images: list[npt.NDArray[np.uint8]], layer: int
) -> npt.NDArray[np.float32]:
    """Return the maps of a block by the definition of attention, in float32."""
    pixels = normalize(torch.from_numpy(np.stack(images)))
    rows: npt.NDArray[np.float32] = plain_cls_attention(vit, pixels, layer).numpy()
    return rows


def assert_alike(
    actual: npt.NDArray[np.float32], by_book: npt.NDArray[np.float32], precision: str
) -> None:
    """Assert that maps, heads first, are the book's as far as ``precision`` allows."""
    assert actual.shape == by_book.shape
    assert actual.dtype == np.float32
    one, other = (
        maps.reshape(-1, maps[0, 0].size).astype(np.float64) for maps in (actual, by_book)
    )
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    assert ((one * other).sum(axis=1) >= _LEAST_COSINE[precision] * norms).all()
