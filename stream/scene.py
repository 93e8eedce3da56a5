"""Attention maps, and the scene: all that an overlay may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from stream.frames import Frame
from stream.geometry import CropTransform, HandRegion
from stream.stats import Stats

__all__ = ["AgedMaps", "AttentionMaps", "MapKind", "Scene"]

MapKind = Literal["attention", "activation"]

_LIFETIME_S = 1.0
"""Age from which a map says nothing: by then a signer has made two or three other shapes."""
_LIFETIME_BATCHES = 3
"""A slow model's maps live for as many of its batches, or they would hardly be seen at all."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AttentionMaps:
    """What a model made of one crop: a map per head, and their mean."""

    weights: npt.NDArray[np.float32]
    """float32 (heads, grid_h, grid_w), >= 0, read-only. For kind "attention" the softmax row of the
    CLS query over the patches (each head sums to at most 1; the rest is ``kept``). For kind
    "activation" the magnitudes of the leading components of a feature map."""
    kind: MapKind
    """"attention" for transformers, "activation" for convolutional networks."""
    model: str
    """Name of the model in the registry."""
    layer: int
    """Block that was read, from 0."""
    transform: CropTransform
    """Where the crop was; ``crop_wh`` spans the whole grid."""
    region_box_xyxy: tuple[float, float, float, float] | None = None
    """The region's box in that frame, to carry the map along with its hand; None: it stays."""
    mean: npt.NDArray[np.float32] = field(default=None)  # type: ignore[arg-type]
    """float32 (grid_h, grid_w): mean over heads; for "activation" the channels' L2 norm."""
    track_id: int = 0
    """Whose crop it was."""
    frame_index: int = 0
    """Frame that the crop was cut from."""
    time_s: float = 0.0
    """Presentation time of that frame in seconds."""
    captured_ns: int = 0
    """When that frame was captured, ``time.monotonic_ns``."""
    compute_ns: int = 0
    """Time the model took for the batch that this map came in."""
    is_random: bool = False
    """True where the model's weights are random: the map means nothing, and has to say so."""

    def __post_init__(self) -> None:
        if self.mean is None:
            object.__setattr__(self, "mean", self.weights.mean(axis=0, dtype=np.float32))
        if self.weights.ndim != 3 or self.weights.dtype != np.float32 or 0 in self.weights.shape:
            raise ValueError(
                "weights must be float32 (heads, grid_h, grid_w), "
                f"got {self.weights.dtype} {self.weights.shape}"
            )
        if self.mean.shape != self.weights.shape[1:] or self.mean.dtype != np.float32:
            raise ValueError(
                f"mean must be float32 {self.weights.shape[1:]}, "
                f"got {self.mean.dtype} {self.mean.shape}"
            )
        if self.kind not in ("attention", "activation"):
            raise ValueError(f"kind must be 'attention' or 'activation', got {self.kind!r}")
        # min() of a NaN is NaN, which is not >= 0: one test refuses both.
        if not min(self.weights.min(), self.mean.min()) >= 0:
            raise ValueError("weights must be >= 0 and not NaN")
        for name in ("weights", "mean"):
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @property
    def num_heads(self) -> int:
        """How many maps there are beside the mean."""
        return int(self.weights.shape[0])

    @property
    def kept(self) -> npt.NDArray[np.float32]:
        """Share of attention that is not on the patches, float32 (heads,), 0 to 1.

        The CLS query pays it to CLS itself and, where the model has them, to its registers. Zeros
        for "activation", of which nothing is left out.
        """
        if self.kind != "attention":
            return np.zeros(self.num_heads, np.float32)
        rest: npt.NDArray[np.float32] = 1 - self.weights.sum(axis=(1, 2))
        return rest.clip(0, 1)

    def relative(self, head: int | None) -> npt.NDArray[np.float32]:
        """Return one map in multiples of a uniform one, float32 (grid_h, grid_w).

        Attention: times the number of patches. Activation: over the map's own mean.

        Args:
            head: Number of the head (or component); None for the mean.
        """
        weights = self.mean if head is None else self.weights[head]
        if self.kind == "attention":
            return weights * np.float32(weights.size)
        mean = float(weights.mean())
        return weights / np.float32(mean if mean > 0 else 1.0)

    @property
    def grid_hw(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return int(self.weights.shape[1]), int(self.weights.shape[2])

    @property
    def lifetime_s(self) -> float:
        """Age in seconds from which the map says nothing; a slow model's maps live longer."""
        return max(_LIFETIME_S, _LIFETIME_BATCHES * self.compute_ns / 1e9)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AgedMaps:
    """Maps and how old they are at the frame they are drawn on."""

    maps: AttentionMaps
    """The newest maps there are of this region."""
    age_s: float
    """Seconds between the frame the crop was cut from and the frame on show; 0 in an export."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scene:
    """One moment, ready to be drawn: all that an overlay may see."""

    frame: Frame
    """The picture."""
    hands: tuple[HandRegion, ...]
    """Where the hands are in this very frame (or the whole picture as one region)."""
    maps: Mapping[int, AgedMaps]
    """Newest maps by ``track_id``; a hand without an entry has none yet."""
    stats: Stats | None = None
    """Counters and rates of the run, for the read-outs; None in an export."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "maps", MappingProxyType(dict(self.maps)))
