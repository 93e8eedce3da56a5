"""The model under test, and the same model untrained."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.checkpoints import load_checkpoint
from models.loading import build_network
from models.preprocessing import normalize
from models.registry import DEFAULT_MODEL, MODELS, find_spec
from models.training.learner import start_network
from models.training.run_files import read_weights
from models.vit import VisionTransformer
from models.weights import find_weights
from stream.errors import OptionError
from stream.geometry import HandCrop
from stream.hashing import sha256_of
from stream.scene import AttentionMaps

__all__ = ["Subject", "open_subject", "untrained"]

_BATCH = 64
"""Pictures in one forward pass."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Subject:
    """A transformer to be measured."""

    name: str
    """What it is called in tables."""
    network: VisionTransformer
    """In evaluation mode, on the processor or a GPU."""
    crop_px: int
    """Side of the crops that it reads where nobody names another."""
    weights_sha256: str | None = None
    """Hash of its weights' file; None for random ones."""

    @property
    def patch_px(self) -> int:
        """Pixels that sides must be multiples of."""
        return self.network.config.patch_px

    @torch.inference_mode()
    def attend(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the last block's maps, float32 (N, heads, S / patch, S / patch)."""
        maps = [self.network(pixels).float().cpu() for pixels in self._batches(images)]
        return torch.cat(maps).numpy()

    @property
    def frames_at_once(self) -> int:
        """See ``stream.protocols.AttentionModel``."""
        return _BATCH

    def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
        """See ``stream.protocols.AttentionModel``; crops have one shape."""
        return [
            AttentionMaps(
                weights=weights,
                kind="attention",
                model=self.name,
                layer=self.network.config.depth - 1,
                transform=crop.transform,
                is_random=self.weights_sha256 is None,
            )
            for crop, weights in zip(
                crops, self.attend(np.stack([crop.image for crop in crops])), strict=True
            )
        ]

    @torch.inference_mode()
    def features(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the CLS features, float32 (N, D)."""
        rows = [
            self.network.cls_feature(pixels)[0].float().cpu() for pixels in self._batches(images)
        ]
        return torch.cat(rows).numpy()

    @torch.inference_mode()
    def time_ms(self, image: npt.NDArray[np.uint8], *, runs: int = 30) -> float:
        """Return the median time of one picture's maps, ms, on this machine as it is now."""
        spent = []
        for _ in range(runs + 3):
            started = time.perf_counter()
            self.attend(image[None])
            spent.append((time.perf_counter() - started) * 1e3)
        return float(np.median(spent[3:]))

    def _batches(self, images: npt.NDArray[np.uint8]) -> list[Tensor]:
        device = self.network.cls_token.device
        return [
            normalize(torch.from_numpy(images[start : start + _BATCH]).to(device))
            for start in range(0, len(images), _BATCH)
        ]


def open_subject(model: str, device: torch.device) -> Subject:
    """Return the model of a name in the registry, or of a file that ``models.train`` wrote.

    Raises:
        UnknownModelError: Neither a file nor a name.
        WeightsError: The file cannot be read as such.
        WeightsNotFoundError: The weights are not there.
        OptionError: The model has no attention (ResNet).
    """
    path = Path(model)
    if path.suffix == ".safetensors" or (path.suffix and path.is_file()):
        network, recipe = read_weights(path)
        # As that model which it would stand in for, but never less than its own views.
        own = {spec.patch_px: spec.crop_px for spec in MODELS.values() if spec.origin == "bundled"}
        default_px = find_spec(DEFAULT_MODEL).crop_px // recipe.patch_px * recipe.patch_px
        usual_px = own.get(recipe.patch_px, default_px)
        return Subject(
            name=path.stem,
            network=network.to(device),
            crop_px=max(usual_px, recipe.view_px),
            weights_sha256=sha256_of(path),
        )
    spec = find_spec(model)
    network_of_spec = build_network(spec)
    if not isinstance(network_of_spec, VisionTransformer):
        names = ", ".join(name for name, known in MODELS.items() if known.kind == "attention")
        raise OptionError(f"{model} has no attention to measure; {names} have")
    weights = find_weights(spec)
    load_checkpoint(weights.path, network_of_spec, spec)
    network_of_spec.eval().requires_grad_(False)
    return Subject(
        name=spec.name,
        network=network_of_spec.to(device),
        crop_px=spec.crop_px,
        weights_sha256=weights.sha256,
    )


def untrained(subject: Subject, *, seed: int = 0) -> Subject:
    """Return the same transformer as training begins with it."""
    network = start_network(subject.network.config, torch.Generator().manual_seed(seed))
    network.eval().requires_grad_(False).to(subject.network.cls_token.device)
    return Subject(name="untrained", network=network, crop_px=subject.crop_px)
