"""Checkpoints: read whatever their maker, refused in words where they do not fit, never run."""

from __future__ import annotations

import argparse
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoints import load_checkpoint
from models.loading import build_network
from models.registry import MODELS, ModelSpec, find_spec
from stream.errors import WeightsError
from tests.models.networks import TINY, TINY_OTHERS, fill, tiny_vit

State = dict[str, Tensor]


@pytest.fixture
def state() -> State:
    return tiny_vit().state_dict()


def loaded(path: Path) -> State:
    network = build_network(TINY)
    load_checkpoint(path, network, TINY)
    return network.state_dict()


def assert_same(actual: State, expected: State) -> None:
    assert actual.keys() == expected.keys()
    assert all(torch.equal(actual[name], expected[name]) for name in expected)


def test_official_backbone_as_pth_and_safetensors(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "new.pth")
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "a.safetensors")
    save_file(state, tmp_path / "unnamed")
    for path in sorted(tmp_path.iterdir()):
        assert_same(loaded(path), state)


def test_half_precision_checkpoint(state: State, tmp_path: Path) -> None:
    save_file({name: tensor.half() for name, tensor in state.items()}, tmp_path / "a.safetensors")
    actual = loaded(tmp_path / "a.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in actual.values())
    torch.testing.assert_close(actual, dict(state), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("with_teacher", [True, False], ids=["teacher", "student"])
def test_full_training_checkpoint(with_teacher: bool, state: State, tmp_path: Path) -> None:
    other = tiny_vit(seed=1).state_dict()
    head = {"head.mlp.0.weight": torch.ones(2, 2), "head.last_layer.weight_g": torch.ones(2)}
    student = {f"module.backbone.{name}": tensor for name, tensor in state.items()}
    content = {
        "student": student | {f"module.{name}": tensor for name, tensor in head.items()},
        "optimizer": {"param_groups": [{"lr": np.float64(5e-4), "betas": (0.9, 0.999)}]},
        "epoch": 100,
        "args": argparse.Namespace(arch="vit_small", lr=5e-4, local_crops_scale=(0.05, 0.4)),
        "dino_loss": {"center": torch.zeros(1, 4)},
    }
    if with_teacher:
        content["teacher"] = {f"backbone.{name}": tensor for name, tensor in other.items()} | head
    torch.save(content, tmp_path / "full.pth")
    assert_same(loaded(tmp_path / "full.pth"), other if with_teacher else state)


def test_resnet_checkpoint_with_classifier_and_without_counters(tmp_path: Path) -> None:
    spec = find_spec("dino_resnet50")
    network = build_network(spec)
    fill(network, spec.name, salt="0")
    state = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    torch.save(state | {"fc.weight": torch.ones(10, 2048)}, tmp_path / "resnet.pth")
    again = build_network(spec)
    load_checkpoint(tmp_path / "resnet.pth", again, spec)
    assert all(torch.equal(again.state_dict()[name], state[name]) for name in state)


class _Evil:
    """Makes a file as soon as it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.target}",)


def test_code_in_a_checkpoint_is_never_run(state: State, tmp_path: Path) -> None:
    target = tmp_path / "it-ran"
    paths = [tmp_path / name for name in ("zip.pth", "legacy.pth", "plain.pth", "args.pth")]
    torch.save({**state, "evil": _Evil(target)}, paths[0])
    torch.save(_Evil(target), paths[1], _use_new_zipfile_serialization=False)
    paths[2].write_bytes(pickle.dumps(_Evil(target)))
    torch.save({"teacher": state, "args": argparse.Namespace(x=_Evil(target))}, paths[3])
    for path in paths:
        with pytest.raises(WeightsError, match=r"code( \(\w+\.system\))?, which is never run"):
            loaded(path)
    assert not target.exists()


def _meta(state: State) -> State:
    return state | {"norm.bias": torch.empty(24, device="meta")}


def _huge(state: State) -> State:
    return state | {"norm.bias": torch.full((24,), 1e30)}


def _nan(state: State) -> State:
    return state | {"norm.bias": torch.full((24,), float("nan"))}


def _whole_numbers(state: State) -> State:
    return state | {"norm.bias": torch.ones(24, dtype=torch.int64)}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda state: {**state, "norm.bias": torch.ones(25)},
            r"norm.bias of \(25,\) inst.* \(24,\)",
        ),
        (lambda state: {k: v for k, v in state.items() if k != "norm.bias"}, "lacks norm.bias;"),
        (lambda state: {**state, "extra": torch.ones(1)}, "has an unknown extra;"),
        (lambda state: {}, r"lacks blocks.* and differs in \d+ more names"),
        (lambda state: [1, 2], "holds a list instead of named tensors"),
        (lambda state: {"epoch": 3}, "holds a int instead of a tensor as 'epoch'"),
        (lambda state: {"teacher": {"a": "b"}}, "holds a str instead of a tensor as 'a'"),
        (_nan, "NaN or infinity in norm.bias"),
        (_meta, "only the shape of norm.bias, no numbers"),
        (_huge, r"numbers beyond 1e\+08 in norm.bias"),
        (_whole_numbers, "has norm.bias of torch.int64 instead of floating point"),
    ],
)
def test_checkpoint_that_does_not_fit(
    spoil: Callable[[State], object], message: str, state: State, tmp_path: Path
) -> None:
    path = tmp_path / "other.pth"
    torch.save(spoil(dict(state)), path)
    with pytest.raises(WeightsError, match=message) as caught:
        loaded(path)
    assert str(path) in str(caught.value)
    assert "--weights takes an official or full DINO checkpoint of Tiny ViT" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_checkpoint_of_another_model_is_recognised(tmp_path: Path) -> None:
    spec = find_spec("dino_vits8")
    shapes = build_network(spec).state_dict().items()
    # One number behind each tensor: a file of a few kB with the shapes of the real one.
    state = {name: torch.zeros(1).expand(tensor.shape) for name, tensor in shapes}
    torch.save({"teacher": state}, tmp_path / "s8.pth")
    with pytest.raises(WeightsError, match=r"it is a checkpoint of DINO ViT-S/8: use --model"):
        loaded(tmp_path / "s8.pth")


@pytest.mark.parametrize("spec", TINY_OTHERS, ids=lambda spec: spec.name)
def test_official_checkpoint_of_another_family(spec: ModelSpec, tmp_path: Path) -> None:
    expected = tiny_vit(spec).state_dict()
    published = dict(expected) | {"mask_token": torch.ones(1, spec.dim)}
    if "dinov3" in spec.name:
        published["storage_tokens"] = published.pop("register_tokens")
        published["rope_embed.periods"] = published["rope_embed.periods"].bfloat16()
        for index in range(spec.depth):
            published[f"blocks.{index}.attn.qkv.bias_mask"] = torch.full((3 * spec.dim,), torch.nan)
        expected["rope_embed.periods"] = published["rope_embed.periods"].float()
    torch.save(published, tmp_path / "published.pth")
    network = build_network(spec)
    load_checkpoint(tmp_path / "published.pth", network, spec)
    assert_same(network.state_dict(), expected)


def test_ibot_checkpoints_load_as_dino(state: State, tmp_path: Path) -> None:
    """J. Zhou et al., "iBOT", ICLR 2022: a backbone as published, and a whole training."""
    torch.save({"state_dict": state}, tmp_path / "teacher.pth")
    hidden = {"module.backbone.masked_embed": torch.ones(1, 24)}
    student = {f"module.backbone.{name}": tensor for name, tensor in state.items()} | hidden
    head = {"module.head.mlp.0.weight": torch.ones(2, 2)}
    torch.save({"student": student | head, "epoch": 800}, tmp_path / "training.pth")
    for name in ("teacher.pth", "training.pth"):
        assert_same(loaded(tmp_path / name), state)


@pytest.mark.parametrize("name", list(MODELS))
def test_every_official_checkpoint_is_told_from_all_others(name: str, tmp_path: Path) -> None:
    spec = MODELS[name]
    shapes = build_network(spec).state_dict().items()
    state = {key: torch.zeros(()).expand(tensor.shape) for key, tensor in shapes}
    if "dinov3" in name:
        state["storage_tokens"] = state.pop("register_tokens")
    torch.save(state, tmp_path / "some.pth")
    wanted = find_spec("dino_vits16" if name != "dino_vits16" else "dinov3_vits16")
    with pytest.raises(WeightsError, match=rf"checkpoint of {re.escape(spec.title)}: .*{name}$"):
        load_checkpoint(tmp_path / "some.pth", build_network(wanted), wanted)


@pytest.mark.parametrize("spec", [TINY, *TINY_OTHERS], ids=lambda spec: spec.name)
def test_families_of_one_size_are_told_apart(spec: ModelSpec) -> None:
    state = tiny_vit(spec).state_dict()
    alike = [other for other in (TINY, *TINY_OTHERS) if other.family.is_like(other, state)]
    assert alike == [spec]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>" * 3, "is text"),
        (b"PK\x03\x04" + b"\x00" * 100, "is corrupt or not a checkpoint"),
        (b"\x80\x02}q\x00.", "is corrupt or not a checkpoint"),
        (bytes(range(128, 256)) * 10, "holds no plain tensors"),
        (b"\xff\x00\x00\x00\x00\x00\x00\x00{}", "is corrupt or not a checkpoint"),
    ],
    ids=["empty", "web page", "zip", "pickle", "noise", "safetensors"],
)
def test_no_checkpoint_at_all(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "some.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        loaded(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_truncated_anywhere(suffix: str, state: State, tmp_path: Path) -> None:
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "pth":
        torch.save(state, whole)
    else:
        save_file(state, whole)
    content = whole.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    for length in range(1, len(content), len(content) // 40):
        cut.write_bytes(content[:length])
        with pytest.raises(WeightsError):
            loaded(cut)
