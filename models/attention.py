"""A model as the rest of the program sees it: pictures in, maps out."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from models.precision import LEAST_COSINE, PrecisionCheck
from models.registry import ModelSpec
from models.resnet import leading_components
from models.runtimes.protocol import Pending, Runtime
from stream.closing import Closing
from stream.frames import RgbImage, frozen_rgb
from stream.geometry import CropTransform, HandCrop, HandRegion
from stream.scene import AttentionMaps, MapKind

__all__ = ["DinoModel"]

_BATCH_SIZES = (32, 16, 8, 4, 2, 1)
"""Pictures in one forward pass. The largest bounds memory when a caller hands over hundreds; there
are few, as what a runtime keeps per shape (graphs, buffers) it keeps for each."""

Row = npt.NDArray[np.float32]


class DinoModel(Closing):
    """One of the models, ready to run; made by ``load_model``.

    Called from one thread at a time, except ``layer``, which any thread may set at any time: a
    batch that is under way keeps the layer that it began with.

    Args:
        spec: Which model it is.
        runtime: What computes; owned and closed by this model.
        layer: Layer to read; negative counts from the end.
        weights_path: File that the weights came from; None for random ones.
        weights_sha256: Hash of that file, hexadecimal.
        precision_check: What was found of the arithmetic that "auto" wanted, with these weights.
    """

    def __init__(
        self,
        spec: ModelSpec,
        runtime: Runtime,
        *,
        layer: int = -1,
        weights_path: Path | None = None,
        weights_sha256: str | None = None,
        precision_check: PrecisionCheck | None = None,
    ) -> None:
        self.spec = spec
        self.weights_path = weights_path
        self.weights_sha256 = weights_sha256
        self.precision_check = precision_check
        self._runtime = runtime
        self.layer = layer

    @property
    def name(self) -> str:
        """Name in the registry."""
        return self.spec.name

    @property
    def kind(self) -> MapKind:
        """What the maps are: "attention" (transformers) or "activation" (convolutions)."""
        return self.spec.kind

    @property
    def patch_px(self) -> int:
        """Pixels that the sides of a picture must be multiples of."""
        return self.spec.patch_px

    @property
    def num_heads(self) -> int:
        """Maps in ``AttentionMaps.weights``."""
        return self.spec.num_heads

    @property
    def num_layers(self) -> int:
        """Transformer blocks or stages; ``layers`` are those that can be read."""
        return self.spec.depth

    @property
    def layers(self) -> range:
        """Layers that can be read, from 0."""
        return self.spec.layers

    @property
    def is_random(self) -> bool:
        """True where the weights are random, so that the maps mean nothing."""
        return self.weights_path is None

    @property
    def runtime(self) -> str:
        """What computes: ``torch`` or ``openvino``."""
        return self._runtime.name

    @property
    def device(self) -> str:
        """Where it computes, for people to read."""
        return self._runtime.device

    @property
    def precision(self) -> str:
        """Arithmetic: ``float32``, ``bfloat16`` or ``float16``."""
        return self._runtime.precision

    @property
    def precision_cosine(self) -> float | None:
        """Cosine to float32 of the head that differs most, of the arithmetic that "auto" wanted.

        None where nothing was tried: it was float32, or named, or the weights are random. Where it
        is too small, ``precision`` is ``float32`` and ``warnings`` says so.
        """
        return None if self.precision_check is None else self.precision_check.least_cosine

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of these weights, a line each."""
        check = self.precision_check
        if check is None or check.is_kept:
            return ()
        return (
            f"{self.name} with these weights computes in float32: {check.precision} changes its "
            f"maps (a head's cosine to float32 is {check.least_cosine:.4f}, {LEAST_COSINE} is "
            f"wanted); --precision {check.precision} takes it all the same",
        )

    @property
    def frames_at_once(self) -> int:
        """Frames whose crops are best handed over together, where nobody waits for the first."""
        return self._runtime.pictures_at_once

    @property
    def layer(self) -> int:
        """Layer whose maps are read, from 0. Set it from any thread; negative counts from the end.

        Raises:
            ValueError: On setting: the model has no such layer.
        """
        return self._layer

    @layer.setter
    def layer(self, layer: int) -> None:
        self._layer = self.spec.layer_index(layer)

    @overload
    def attend(self, images: RgbImage) -> AttentionMaps: ...

    @overload
    def attend(self, images: Sequence[RgbImage]) -> list[AttentionMaps]: ...

    def attend(self, images: RgbImage | Sequence[RgbImage]) -> AttentionMaps | list[AttentionMaps]:
        """Return the maps of one picture, or of each picture in a sequence.

        Args:
            images: uint8 (H, W, 3) RGB, sides multiples of ``patch_px``; used as they are, never
                resized. Pictures of equal shape are computed as one batch.

        Returns:
            Maps with ``weights`` float32 (heads, H / patch, W / patch), and the identity as their
            transform; a list in the order of the pictures where a sequence was given.

        Raises:
            ValueError: A picture is not uint8 (H, W, 3), or a side is no multiple of ``patch_px``.
            DeviceError: The device cannot do it, for instance for want of memory.
        """
        if isinstance(images, np.ndarray) and images.ndim == 3:
            return self.attend([images])[0]
        return self.attend_crops([_whole_picture(image) for image in images])

    def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
        """Return the maps of each crop, in order; crops of equal shape make one batch.

        Raises:
            ValueError: The side of a crop is no multiple of ``patch_px``.
            DeviceError: The device cannot do it, for instance for want of memory.
        """
        layer, rows, compute_ns = self._compute([crop.image for crop in crops])
        return [
            AttentionMaps(
                weights=weights,
                mean=mean,
                kind=self.kind,
                model=self.name,
                layer=layer,
                transform=crop.transform,
                region_box_xyxy=crop.region.box_xyxy,
                track_id=crop.region.track_id,
                frame_index=crop.frame_index,
                time_s=crop.time_s,
                captured_ns=crop.captured_ns,
                compute_ns=compute_ns,
                is_random=self.is_random,
            )
            for crop, (weights, mean) in zip(crops, map(self._weights_and_mean, rows), strict=True)
        ]

    def warm_up(self, crop_px: int) -> None:
        """Run on a black square, so that the first real crop does not pay for the set-up.

        Args:
            crop_px: Side of the crops to come; a multiple of ``patch_px``.
        """
        self.attend(np.zeros((crop_px, crop_px, 3), np.uint8))

    def close(self) -> None:
        """Release the device; harmless when called again."""
        self._runtime.close()

    def _compute(self, images: Sequence[RgbImage]) -> tuple[int, list[Row], int]:
        """Return the layer read, the network's output per image, and the time it all took in ns."""
        layer = self._layer
        started_ns = time.monotonic_ns()
        alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, image in enumerate(images):
            self._check_sides(image)
            alike[image.shape].append(index)
        batches = [batch for indices in alike.values() for batch in _batches_of(indices)]
        rows: list[Row] = [np.empty(0, np.float32)] * len(images)
        waiting: deque[tuple[list[int], Pending]] = deque()

        def collect() -> None:
            indices, pending = waiting.popleft()
            for index, row in zip(indices, pending(), strict=True):
                rows[index] = row

        # One batch is submitted ahead of the one that is waited for: a GPU then never runs dry in
        # between, and no more than two batches of buffers are in use.
        for batch in batches:
            waiting.append((batch, self._runtime.submit([images[i] for i in batch], layer)))
            if len(waiting) > 1:
                collect()
        while waiting:
            collect()
        return layer, rows, time.monotonic_ns() - started_ns

    def _check_sides(self, image: RgbImage) -> None:
        height, width, _ = image.shape
        patch_px = self.patch_px
        if height % patch_px or width % patch_px:
            nearest = [max(round(side / patch_px), 1) * patch_px for side in (height, width)]
            raise ValueError(
                f"sides must be multiples of {patch_px} for {self.name}, got {height} x {width} "
                f"(height x width); the nearest is {nearest[0]} x {nearest[1]}"
            )

    def _weights_and_mean(self, row: Row) -> tuple[Row, Row]:
        if self.kind == "activation":
            return leading_components(row, self.num_heads)
        return row, row.mean(axis=0, dtype=np.float32)


def _batches_of(indices: list[int]) -> Iterator[list[int]]:
    for size in _BATCH_SIZES:
        while len(indices) >= size:
            yield indices[:size]
            indices = indices[size:]


def _whole_picture(image: RgbImage) -> HandCrop:
    image = frozen_rgb(image)
    size_wh = (image.shape[1], image.shape[0])
    return HandCrop(
        image=image,
        transform=CropTransform.identity(size_wh),
        region=HandRegion.whole_frame(size_wh),
        frame_index=0,
        pts=0,
        time_base=Fraction(1),
        captured_ns=0,
    )
