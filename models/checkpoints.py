"""What is inside a checkpoint: read without running any code in it, unwrapped, held to the model.

Read are the official backbones, and the full checkpoints that DINO's training writes (teacher and
student with their projection heads, optimiser, arguments), as ``.pth`` or ``.safetensors``.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.registry import MODELS, ModelSpec
from stream.errors import WeightsError

__all__ = ["RECIPE_KEY", "load_checkpoint"]

RECIPE_KEY = "signlight_recipe"
"""Where in the metadata of safetensors ``models.train`` says how it made them, as JSON."""

_LARGEST = 1e8
"""No trained network has such numbers, and products of larger ones leave float32."""
_PREFIXES = ("module.", "backbone.")
"""Put before every name by DistributedDataParallel and by DINO's multi-crop wrapper."""
_HEADS = ("head.", "fc.", "dino_head.", "ibot_head.")
"""Projection head or classifier: not part of the backbone."""


def load_checkpoint(path: Path, network: nn.Module, spec: ModelSpec) -> None:
    """Fill ``network`` from a checkpoint, every parameter, float32 on the CPU.

    Args:
        path: ``.pth`` or ``.safetensors``; a full training checkpoint gives its teacher, or its
            student where it has no teacher.
        network: Network of ``spec``; its parameters are replaced.
        spec: The model it must be a checkpoint of.

    Raises:
        WeightsError: It is empty, corrupt, holds code (which is never run), or belongs to another
            model. One line with file, fault and way out.
    """
    try:
        content = _read(path)
        state = _unwrap(content)
        _hold_to(spec, content, state)
        fitted = _fit(spec.family.backbone(state), network)
        network.load_state_dict(fitted, strict=True, assign=True)
    except _FaultError as fault:
        way_out = _way_out(spec, _recognise(fault.state))
        raise WeightsError(f"{path}: {fault}; {way_out}") from fault


def _way_out(spec: ModelSpec, recognised: ModelSpec | None) -> str:
    if recognised is not None and recognised is not spec:
        return f"it is a checkpoint of {recognised.title}: use --model {recognised.name}"
    if spec.origin == "bundled":
        return f"--weights takes a trained {spec.name}; without it, Signlight's own serves"
    return f"--weights takes an official or full DINO checkpoint of {spec.title}"


class _FaultError(Exception):
    """What is wrong with a checkpoint, and its tensors as far as they could be read."""

    def __init__(self, message: str, state: Mapping[str, Tensor] | None = None) -> None:
        super().__init__(message)
        self.state = state or {}


def _read(path: Path) -> object:
    """Return what is in the file; tensors may still lie in the file itself (mapped)."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise _FaultError(f"cannot be read ({error.strerror})") from error
    if not start:
        raise _FaultError("is empty")
    if path.suffix == ".safetensors" or start[8:9] == b"{":
        return _read_safetensors(path)
    if start.isascii() and start.decode().isprintable():
        raise _FaultError("is text, not a checkpoint")
    try:
        with (
            torch.serialization.safe_globals(_harmless_globals()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # the one line of the error is enough
            # Mapped (zip format only), so that of a full checkpoint only the backbone is read.
            return torch.load(
                path, map_location="cpu", weights_only=True, mmap=start.startswith(b"PK")
            )
    except Exception as error:  # whatever a broken or hostile file brings the reader to raise
        code = re.search(r"GLOBAL (\S+)", str(error))
        if code:
            message = f"holds code ({code[1]}), which is never run"
        elif isinstance(error, pickle.UnpicklingError):
            message = "holds no plain tensors (what it holds may be code, which is never run)"
        else:
            message = "is corrupt or not a checkpoint"
        raise _FaultError(message) from error


def _read_safetensors(path: Path) -> object:
    """Return the tensors; those of ``models.train`` with their recipe, as in its checkpoints."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            recipe = (file.metadata() or {}).get(RECIPE_KEY)
        return tensors if recipe is None else {"recipe": json.loads(recipe), "teacher": tensors}
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise _FaultError("is corrupt or not a checkpoint") from error


def _hold_to(spec: ModelSpec, content: object, state: Mapping[str, Tensor]) -> None:
    """Refuse what was trained with other heads or another place of CLS: shapes do not tell."""
    recipe = content.get("recipe") if isinstance(content, Mapping) else None
    for name in ("num_heads", "cls_block"):
        trained = recipe.get(name) if isinstance(recipe, Mapping) else None
        own = getattr(spec, name)
        if isinstance(trained, int) and trained != own:
            raise _FaultError(f"was trained with {name} = {trained}, {spec.name} has {own}", state)


def _harmless_globals() -> list[Any]:
    """Return what DINO's training puts into a full checkpoint beside tensors.

    Its parsed arguments, and numpy numbers as learning rates (under numpy's name of before and
    after version 2). Plain values, without behaviour: nothing is run in making them.
    """
    make_scalar = np.float64(0).__reduce__()[0]
    return [
        argparse.Namespace,
        (make_scalar, "numpy.core.multiarray.scalar"),
        (make_scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *(type(np.dtype(name)) for name in ("float32", "float64", "int64")),
    ]


def _unwrap(content: object) -> dict[str, Tensor]:
    """Return the backbone's tensors under the names that the network has for them."""
    for wrapping in ("teacher", "student", "state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapping), Mapping):
            content = content[wrapping]
            break
    if not isinstance(content, Mapping):
        raise _FaultError(f"holds a {type(content).__name__} instead of named tensors")
    state = {}
    for key, tensor in content.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise _FaultError(f"holds a {type(tensor).__name__} instead of a tensor as {key!r}")
        name = key
        while name.startswith(_PREFIXES):
            name = name.split(".", 1)[1]
        if not name.startswith(_HEADS):
            state[name] = tensor
    return state


def _fit(state: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return the state that the network asks for, copied into memory of its own."""
    wanted = network.state_dict()
    # Counters of batch norm, which only training reads; old checkpoints lack them.
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}
    missing = sorted(wanted.keys() - counters - state.keys())
    unknown = sorted(state.keys() - wanted.keys())
    if missing or unknown:
        fault = f"lacks {missing[0]}" if missing else f"has an unknown {unknown[0]}"
        more = len(missing) + len(unknown) - 1
        raise _FaultError(fault + (f" and differs in {more} more names" if more else ""), state)
    fitted = {name: torch.tensor(0) for name in counters}
    for name in wanted.keys() - counters:
        given, shape = state[name], tuple(wanted[name].shape)
        if tuple(given.shape) != shape:
            raise _FaultError(f"has {name} of {tuple(given.shape)} instead of {shape}", state)
        if not given.is_floating_point() or given.layout != torch.strided:
            raise _FaultError(f"has {name} of {given.dtype} instead of floating point", state)
        if given.is_meta:
            raise _FaultError(f"has only the shape of {name}, no numbers", state)
        tensor = given.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
        if not tensor.sum().isfinite():
            raise _FaultError(f"has NaN or infinity in {name}", state)
        if tensor.numel() and tensor.abs().max() > _LARGEST:
            raise _FaultError(f"has numbers beyond {_LARGEST:g} in {name}", state)
        fitted[name] = tensor
    return fitted


def _recognise(state: Mapping[str, Tensor]) -> ModelSpec | None:
    """Return the model that tensors look like."""
    return next((spec for spec in MODELS.values() if spec.family.is_like(spec, state)), None)
