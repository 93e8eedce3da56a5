"""Weight files: found, fetched, verified, loaded into a model."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import Module

import models.weights
from models.cache import cache_folder
from models.checkpoints import load_checkpoint
from models.loading import build_network, load_model
from models.registry import ModelSpec, find_spec
from models.weights import fetch_weights, find_weights, is_ready, remember, weights_path
from stream.errors import WeightsError, WeightsNotFoundError
from stream.hashing import sha256_of
from tests.models.networks import TINY, noise, tiny_vit
from tests.models.server import FileServer, serving


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    torch.save(tiny_vit().state_dict(), tmp_path / "served.pth")
    with serving((tmp_path / "served.pth").read_bytes()) as server:
        yield server


@pytest.fixture
def spec(server: FileServer) -> ModelSpec:
    return replace(TINY, url=server.url)


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


@pytest.mark.parametrize("get", [fetch_weights, find_weights])
def test_weights_handed_out_on_request_are_asked_for(get: Callable[[ModelSpec], object]) -> None:
    spec = find_spec("dinov3_vits16")
    assert not is_ready(spec)
    with pytest.raises(
        WeightsNotFoundError, match=r"ask for them at https://\S+, .*--weights PATH"
    ):
        get(spec)


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
