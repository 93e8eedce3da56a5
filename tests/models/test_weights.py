"""Weight files: found, fetched, verified; checkpoints: read, refused, never run."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Module

import models.weights
from models.cache import cache_folder
from models.checkpoints import load_checkpoint
from models.loading import build_network, load_model
from models.registry import MODELS, ModelSpec, find_spec
from models.weights import fetch_weights, find_weights, is_ready, remember, weights_path
from stream.errors import WeightsError, WeightsNotFoundError
from stream.hashing import sha256_of
from tests.models.networks import TINY, TINY_OTHERS, fill, noise, tiny_vit
from tests.models.server import FileServer, serving

State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def state() -> State:
    return tiny_vit().state_dict()


@pytest.fixture
def server(state: State, tmp_path: Path) -> Iterator[FileServer]:
    torch.save(state, tmp_path / "served.pth")
    with serving((tmp_path / "served.pth").read_bytes()) as server:
        yield server


@pytest.fixture
def spec(server: FileServer) -> ModelSpec:
    return replace(TINY, url=server.url)


def loaded(path: Path) -> State:
    network = build_network(TINY)
    load_checkpoint(path, network, TINY)
    return network.state_dict()


def assert_same(actual: State, expected: State) -> None:
    assert actual.keys() == expected.keys()
    assert all(torch.equal(actual[name], expected[name]) for name in expected)


# ---- files ---------------------------------------------------------------------------------------


def test_cache_is_where_it_is_told_to_be(cache: Path) -> None:
    assert cache_folder() == cache
    assert weights_path(TINY) == cache / "weights" / "tiny.pth"


@pytest.mark.skipif(os.name == "nt", reason="Windows has its own place")
def test_cache_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SIGNLIGHT_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "signlight"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "signlight"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "signlight"


def test_first_use_downloads_and_the_second_does_not(spec: ModelSpec, server: FileServer) -> None:
    assert not is_ready(spec)
    told: list[int] = []
    found = find_weights(spec, progress=lambda done, _: told.append(done))
    assert told[-1] == len(server.content)
    assert found.path == weights_path(spec)
    assert found.sha256 == sha256_of(found.path)
    assert is_ready(spec)
    assert find_weights(spec) == found == fetch_weights(spec)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "harm",
    [lambda content: content[:-1], lambda content: content[:-1] + bytes([content[-1] ^ 1])],
    ids=["shorter", "one bit"],
)
def test_file_that_changed_in_the_cache_is_refused_and_fetched_again(
    harm: Callable[[bytes], bytes], spec: ModelSpec, server: FileServer
) -> None:
    path = fetch_weights(spec).path
    path.write_bytes(harm(server.content))
    with pytest.raises(WeightsError, match=r"tiny.pth: damaged .*`signlight models fetch tiny`"):
        find_weights(spec)
    fetch_weights(spec)
    assert path.read_bytes() == server.content
    find_weights(spec)


def test_unreadable_record_is_one_line(spec: ModelSpec) -> None:
    path = fetch_weights(spec).path
    path.with_name("tiny.pth.json").write_text("{")
    assert not is_ready(spec)
    with pytest.raises(WeightsError, match=r"tiny.pth.json: unreadable record"):
        find_weights(spec)
    fetch_weights(spec)
    find_weights(spec)


def test_file_put_there_by_hand_is_remembered_once_it_has_loaded(
    spec: ModelSpec, server: FileServer
) -> None:
    path = weights_path(spec)
    path.parent.mkdir(parents=True)
    path.write_bytes(server.content)
    assert is_ready(spec)
    found = find_weights(spec)
    remember(spec, found)
    assert json.loads(path.with_name("tiny.pth.json").read_text()) == {
        "size": len(server.content),
        "sha256": found.sha256,
    }
    path.write_bytes(server.content[:-1])
    assert not is_ready(spec)
    with pytest.raises(WeightsError, match="damaged"):
        find_weights(spec)
    assert server.requests == []


def test_own_file_is_taken_as_it_is(server: FileServer, tmp_path: Path) -> None:
    found = find_weights(TINY, tmp_path / "served.pth")
    assert found.sha256 == sha256_of(tmp_path / "served.pth")
    remember(TINY, found)
    assert not (tmp_path / "served.pth.json").exists()


def test_own_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"none.pth: no such file; --weights takes"):
        find_weights(TINY, tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="is no file"):
        find_weights(TINY, tmp_path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_own_file_that_is_no_file_is_not_waited_for(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match="is no file"):
        find_weights(find_spec("dino_vits16"), tmp_path / "weights.pth")


def test_without_network_one_line_says_which_file_to_put_where(
    spec: ModelSpec, server: FileServer
) -> None:
    server.mode = "missing"
    with pytest.raises(WeightsNotFoundError) as caught:
        find_weights(spec)
    assert str(spec.url) in str(caught.value)
    assert str(weights_path(spec)) in str(caught.value)
    assert "\n" not in str(caught.value)


# ---- contents ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("get", [fetch_weights, find_weights])
def test_weights_handed_out_on_request_are_asked_for(get: Callable[[ModelSpec], object]) -> None:
    spec = find_spec("dinov3_vits16")
    assert not is_ready(spec)
    with pytest.raises(
        WeightsNotFoundError, match=r"ask for them at https://\S+, .*--weights PATH"
    ):
        get(spec)


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


# ---- both ----------------------------------------------------------------------------------------


def test_load_model_reads_a_checkpoint(tmp_path: Path) -> None:
    spec = find_spec("dino_vits16")
    network = build_network(spec)
    network.initialise(torch.Generator().manual_seed(3))
    path = tmp_path / "s16.pth"
    torch.save(network.state_dict(), path)
    with load_model("dino_vits16", weights=path, device="cpu", precision="float32") as model:
        assert model.weights_path == path
        assert model.weights_sha256 == sha256_of(path)
        assert not model.is_random
        maps = model.attend(noise(32, 48))
    seeded = load_model(
        "dino_vits16", random_weights=True, seed=3, device="cpu", precision="float32"
    )
    expected = seeded.attend(noise(32, 48))
    assert (seeded.weights_path, seeded.weights_sha256) == (None, None)
    assert expected.is_random
    assert not maps.is_random
    np.testing.assert_array_equal(maps.weights, expected.weights)


def test_weights_that_change_while_they_are_loaded_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s16.pth"
    network = build_network(find_spec("dino_vits16"))
    network.initialise(torch.Generator().manual_seed(3))
    torch.save(network.state_dict(), path)

    def replace_and_load(path: Path, network: Module, spec: ModelSpec) -> None:
        (tmp_path / "other.pth").write_bytes(path.read_bytes())
        (tmp_path / "other.pth").replace(path)
        load_checkpoint(path, network, spec)

    monkeypatch.setattr("models.loading.load_checkpoint", replace_and_load)
    with pytest.raises(WeightsError, match="changed while it was read"):
        load_model("dino_vits16", weights=path, device="cpu", precision="float32")


def test_load_model_remembers_a_file_put_there_by_hand(
    spec: ModelSpec, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.loading.find_spec", lambda name: spec)
    path = weights_path(spec)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not yet")
    with pytest.raises(WeightsError, match="is text"):
        load_model("tiny", device="cpu")
    assert models.weights.is_ready(spec)
    assert not path.with_name("tiny.pth.json").exists()  # what never loaded is not remembered
    path.write_bytes(server.content)
    load_model("tiny", device="cpu").close()
    assert path.with_name("tiny.pth.json").exists()
    assert server.requests == []


def test_load_model_refuses_contradictions(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        load_model("dino_vits16", weights=tmp_path, random_weights=True)
