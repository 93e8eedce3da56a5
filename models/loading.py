"""From a name to a model that runs."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from models.attention import DinoModel
from models.checkpoints import load_checkpoint
from models.download import Progress
from models.precision import PrecisionCheck, measure_precision, recall_precision
from models.registry import ModelSpec, find_spec
from models.runtimes.neural_network import Network
from models.runtimes.protocol import Runtime
from models.runtimes.selection import choose
from models.weights import find_weights, remember

__all__ = ["build_network", "load_model"]


def load_model(
    name: str,
    *,
    weights: str | PathLike[str] | None = None,
    random_weights: bool = False,
    seed: int = 0,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    layer: int = -1,
    num_threads: int | None = None,
    progress: Progress | None = None,
) -> DinoModel:
    """Return the model called ``name``, ready to run.

    Args:
        name: A name in ``models.registry.MODELS``.
        weights: Checkpoint to load; None takes the official one from the cache, and downloads it
            there first where it is missing.
        random_weights: Take seeded random weights instead; the maps then say so.
        seed: What the random weights are drawn from.
        device: "auto", "cpu", "cuda" or "mps"; "auto" takes a GPU where there is one.
        runtime: "auto", "torch" or "openvino".
        precision: "float32", "bfloat16" or "float16"; "auto" takes the quickest that leaves the
            maps as they are. With weights from a file that is tried the first time they are used
            (``models.precision``): where a head's cosine to float32 is less than 0.999, float32
            computes.
        layer: Layer to read; negative counts from the end.
        num_threads: Processor threads for one operation (CPU only); None leaves torch's choice.
        progress: Told the bytes there are and the bytes expected (or None) during a download.

    Raises:
        UnknownModelError: There is no model of that name.
        WeightsNotFoundError: The weights are neither here nor to be downloaded.
        WeightsError: The checkpoint is corrupt, unsafe, or belongs to another model.
        DeviceError: Device, runtime or precision are not to be had here.
        ValueError: An option has a value that does not exist, or the model has no such layer.
    """
    spec = find_spec(name)
    if random_weights and weights is not None:
        raise ValueError("weights and random_weights exclude each other")
    # What may be refused comes first: a download is long.
    layer = spec.layer_index(layer)
    choice = choose(device, runtime, precision)
    network = build_network(spec)
    if random_weights:
        network.initialise(torch.Generator().manual_seed(seed))
        return DinoModel(spec, choice.open(network, num_threads=num_threads), layer=layer)
    found = find_weights(spec, None if weights is None else Path(weights), progress=progress)
    load_checkpoint(found.path, network, spec)
    found.check_unchanged()
    remember(spec, found)
    checked: Runtime | None = None
    check: PrecisionCheck | None = None
    if precision == "auto" and choice.dtype != torch.float32:
        check = recall_precision(choice, spec, layer, found.sha256)
        if check is None:
            checked, check = measure_precision(
                network, choice, spec, layer, found.sha256, num_threads=num_threads
            )
        if not check.is_kept:
            choice = choose(device, runtime, "float32")
            if checked is not None:  # it may have rounded the network
                checked.close()
                checked = None
                network = build_network(spec)
                load_checkpoint(found.path, network, spec)
                found.check_unchanged()
    return DinoModel(
        spec,
        checked or choice.open(network, num_threads=num_threads),
        layer=layer,
        weights_path=found.path,
        weights_sha256=found.sha256,
        precision_check=check,
    )


def build_network(spec: ModelSpec) -> Network:
    """Return the network of a model with its parameters left as the memory was.

    They are about to be filled from a file or at random; filling them before that takes a second.
    """
    # Not torch's "meta" device: its first random number takes 2 s, to import sympy and dynamo.
    with _LeftUnfilled():
        return spec.family.build(spec)


class _LeftUnfilled(TorchFunctionMode):
    """Skips what modules do to initialise their parameters."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs.get("tensor", args[0] if args else None)
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_):
            return args[0]
        return func(*args, **kwargs)
