"""The official codes' numbers, of every official model; see parity/README.md."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.loading import build_network
from models.preprocessing import normalize
from models.registry import MODELS, find_spec
from models.resnet import ResNet50
from models.runtimes.selection import choose
from models.vit import VisionTransformer
from tests.models.networks import fill, parity_picture

FOLDER = Path(__file__).parent / "parity"
TRANSFORMERS = [
    name for name, spec in MODELS.items() if spec.origin != "bundled" and spec.kind == "attention"
]
TOLERANCE = {"torch": 1e-5, "openvino": 2e-5}
"""Largest difference over the largest value, float32."""

Numbers = dict[str, dict[str, npt.NDArray[np.float32]]]


def official_numbers(name: str) -> Numbers:
    """Return the numbers of a model: by size as "HxW", then by what they are."""
    numbers: Numbers = defaultdict(dict)
    with np.load(FOLDER / f"{name.split('_', maxsplit=1)[0]}.npz") as archive:
        for key in archive.files:
            model, size, what = key.split("/")
            if model == name:
                numbers[size][what] = archive[key]
    assert numbers, f"no numbers of {name}"
    return numbers


def official_heads(
    numbers: dict[str, npt.NDArray[np.float32]],
) -> tuple[list[int], npt.NDArray[np.float32]]:
    """Return which heads there are, and their maps, float32 (n, rows, columns)."""
    heads = {int(what[4:]): maps for what, maps in numbers.items() if what.startswith("head")}
    return list(heads), np.stack(list(heads.values()))


def assert_equal(actual: npt.ArrayLike, official: npt.ArrayLike, runtime: str = "torch") -> None:
    actual, official = np.asarray(actual), np.asarray(official)
    assert actual.shape == official.shape
    assert np.abs(actual - official).max() <= TOLERANCE[runtime] * np.abs(official).max()


def picture_of(size: str) -> npt.NDArray[np.uint8]:
    height, width = map(int, size.split("x"))
    return parity_picture(height, width)


@pytest.mark.parametrize("name", TRANSFORMERS)
@torch.inference_mode()
def test_transformer_equals_the_official_code(name: str) -> None:
    network = build_network(find_spec(name)).eval()
    assert isinstance(network, VisionTransformer)
    fill(network, name, salt="public")
    prefix = network.config.num_prefix
    for size, numbers in official_numbers(name).items():
        pixels = normalize(torch.from_numpy(picture_of(size))[None])
        heads, maps = official_heads(numbers)
        row = network.cls_row(pixels)[0]
        assert_equal(row[heads, prefix:].reshape(maps.shape), maps)
        if "kept" in numbers:
            assert_equal(row[:, :prefix], numbers["kept"])
        # The feature takes a second pass; the narrow models cover the code.
        if "cls_feature" in numbers and network.config.dim == 384:
            assert_equal(network.cls_feature(pixels)[0][0], numbers["cls_feature"])


@torch.inference_mode()
def test_resnet_equals_torchvision() -> None:
    network = build_network(find_spec("dino_resnet50")).eval()
    assert isinstance(network, ResNet50)
    fill(network, "dino_resnet50", salt="public")
    ((size, numbers),) = official_numbers("dino_resnet50").items()
    layer4 = network(normalize(torch.from_numpy(picture_of(size))[None]))[0]
    assert_equal(layer4[::16], numbers["layer4_every16th"])
    assert_equal(layer4.mean(dim=(1, 2)), numbers["pooled"])


@pytest.mark.parametrize("name", [name for name in TRANSFORMERS if "vits" in name])
def test_openvino_equals_the_official_code(name: str) -> None:
    pytest.importorskip("models.runtimes.openvino_cpu", exc_type=ImportError)
    spec = find_spec(name)
    network = build_network(spec)
    fill(network, name, salt="public")
    runtime = choose("cpu", "openvino", "float32").open(network)
    for size, numbers in official_numbers(name).items():
        heads, maps = official_heads(numbers)
        rows = runtime.submit([picture_of(size)], spec.depth - 1)()[0]
        assert_equal(rows[heads], maps, "openvino")
    runtime.close()
