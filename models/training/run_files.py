"""What is kept of a run: the checkpoint to go on from, and the weights to use."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from models.checkpoints import RECIPE_KEY
from models.training.learner import Learner
from models.training.recipe import Recipe
from models.training.views import ViewMaker
from models.vit import VisionTransformer
from stream.errors import OutputError, WeightsError, WeightsNotFoundError
from stream.whole_files import written_whole

__all__ = [
    "begin_with", "load_run", "read_recipe", "read_weights", "save_run", "write_weights",
]  # fmt: skip

_FORMAT: Final = 1
_FIXED: Final = (
    "patch_px", "dim", "depth", "num_heads", "cls_block", "view_px",
    "num_prototypes", "head_hidden", "bottleneck", "muon",
)  # fmt: skip
"""Numbers of a recipe that a run keeps to its end: some change no shape, and yet the network; and
an optimiser has nothing to go on with from another's state."""


def save_run(path: Path, learner: Learner, views: ViewMaker) -> None:
    """Write everything that the next step depends on; the file is there whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    state = {
        "format": _FORMAT,
        "recipe": learner.recipe.as_dict(),
        "views": views.generator.get_state(),
        **learner.state_dict(),
    }
    try:
        content = io.BytesIO()  # torch, writing itself, has words of its own for a full disk
        torch.save(state, content)
        with written_whole(path) as unfinished:
            unfinished.write_bytes(content.getbuffer())
    except OSError as error:
        raise OutputError(f"{path}: the checkpoint cannot be written ({error.strerror})") from error


def load_run(path: Path, learner: Learner, views: ViewMaker) -> None:
    """Take up a run where ``save_run`` left it.

    Raises:
        WeightsError: The file is damaged, of a run with another network, or further than this run
            is to go.
    """
    state = _load(path)
    before, now = _recipe_of(state.get("recipe"), path).as_dict(), learner.recipe.as_dict()
    changed = [f"{name} was {before[name]}" for name in _FIXED if before[name] != now[name]]
    if changed:
        raise WeightsError(
            f"{path}: does not fit this run ({', '.join(changed)}); choose another --out"
        )
    steps_done = state.get("steps_done")
    if isinstance(steps_done, int) and steps_done > learner.recipe.steps:
        raise WeightsError(f"{path}: is at step {steps_done} already; ask for more with --steps")
    try:
        learner.load_state_dict(state)
        views.generator.set_state(state["views"].cpu())
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path}: does not fit this run ({str(error).splitlines()[0]}); choose another --out"
        ) from error


def begin_with(path: Path, learner: Learner) -> None:
    """Give student and teacher the weights of a file; their projection heads begin anew.

    Views may be of another size than the file's were: its position embedding is then stretched, as
    for larger pictures in use. A short end at the size of use mends that a network which is used on
    larger pictures than it learnt from sees things larger than it knows them (H. Touvron et al.,
    "Fixing the train-test resolution discrepancy", NeurIPS 2019).

    Raises:
        WeightsNotFoundError: There is no such file.
        WeightsError: The file is damaged, or of another network.
    """
    network, recipe = read_weights(path)
    wanted = learner.recipe.network
    if replace(recipe.network, pretrain_px=wanted.pretrain_px) != wanted:
        raise WeightsError(
            f"{path}: is of another network than this run trains ({recipe.network}); "
            "give the numbers of its recipe, or begin without --start"
        )
    side = wanted.pretrain_px // wanted.patch_px
    state = {**network.state_dict(), "pos_embed": network.positions((side, side))}
    for learnt in (learner.student, learner.teacher):
        learnt.load_state_dict(state)


def read_recipe(path: Path) -> Recipe:
    """Return the recipe that a run was started with.

    Raises:
        WeightsError: The file is damaged or no checkpoint of a run.
    """
    return _recipe_of(_load(path).get("recipe"), path)


def write_weights(path: Path, network: VisionTransformer, recipe: Recipe) -> None:
    """Write a network as float16 safetensors, its recipe in the metadata; whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    tensors = {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in network.state_dict().items()
    }
    metadata = {RECIPE_KEY: json.dumps(recipe.as_dict()), "format": "pt"}
    try:
        with written_whole(path) as unfinished:
            # Not save_file: what it writes only its owner may read.
            unfinished.write_bytes(save(tensors, metadata))
    except OSError as error:
        raise OutputError(f"{path}: the weights cannot be written ({error})") from error


def read_weights(path: Path) -> tuple[VisionTransformer, Recipe]:
    """Return the network of a file that ``write_weights`` wrote, float32, and its recipe.

    Raises:
        WeightsNotFoundError: There is no such file.
        WeightsError: The file is damaged or says nothing about its network.
    """
    if not path.is_file():
        raise WeightsNotFoundError(f"{path}: no such file; give what models.train wrote")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: is damaged or not safetensors ({error})") from error
    try:
        numbers = json.loads(metadata.get(RECIPE_KEY, "null"))
    except (ValueError, RecursionError):
        numbers = None
    recipe = _recipe_of(numbers, path)
    network = VisionTransformer(recipe.network)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(
            f"{path}: its weights are not those of its recipe ({str(error).splitlines()[0]})"
        ) from error
    return network.eval().requires_grad_(False), recipe


def _load(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # whatever a broken file brings the reader to raise
        raise WeightsError(
            f"{path}: is damaged or not a checkpoint; delete it, or choose another --out"
        ) from error
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise WeightsError(f"{path}: is not a checkpoint of models.train")
    return state


def _recipe_of(numbers: object, path: Path) -> Recipe:
    try:
        if not isinstance(numbers, dict):
            raise TypeError("it names none")
        # Nor is a number that is missing today's default: it may never have been so.
        if foreign := numbers.keys() ^ Recipe.__dataclass_fields__.keys():
            names = ", ".join(sorted(foreign))
            raise TypeError(f"another version of Signlight wrote it: {names}; train again")
        return Recipe(**numbers)
    except (TypeError, ValueError, RuntimeError) as error:  # the last of tensors for numbers
        raise WeightsError(f"{path}: has no recipe that can be read ({error})") from error
