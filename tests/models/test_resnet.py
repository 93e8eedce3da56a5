"""ResNet-50: its stages, and the components in place of heads."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.loading import build_network
from models.preprocessing import normalize
from models.registry import find_spec
from models.resnet import ResNet50, leading_components
from tests.conftest import ROOT
from tests.models.networks import fill, noise
from tests.waits import PROCESS_S


@pytest.fixture(scope="module")
def resnet() -> ResNet50:
    network = build_network(find_spec("dino_resnet50"))
    assert isinstance(network, ResNet50)
    fill(network, "dino_resnet50", salt="public")
    return network.eval()


def test_stages_have_their_strides_and_channels(resnet: ResNet50) -> None:
    pixels = normalize(torch.from_numpy(noise(64, 96))[None])
    with torch.inference_mode():
        shapes = [tuple(resnet(pixels, layer).shape) for layer in range(4)]
        assert torch.equal(resnet(pixels, -2), resnet(pixels, 2))
    assert shapes == [(1, 256, 16, 24), (1, 512, 8, 12), (1, 1024, 4, 6), (1, 2048, 2, 3)]


def test_stages_after_the_layer_are_not_computed(resnet: ResNet50) -> None:
    run = []
    hooks = [
        stage.register_forward_pre_hook(lambda *_, index=index: run.append(index))
        for index, stage in enumerate([resnet.layer1, resnet.layer2, resnet.layer3])
    ]
    with torch.inference_mode():
        resnet(normalize(torch.from_numpy(noise(32, 32))[None]), 1)
    for hook in hooks:
        hook.remove()
    assert run == [0, 1]


@pytest.mark.parametrize("shape", [(40, 3, 5), (6, 7, 8)], ids=["wide", "tall"])
def test_components_are_those_of_the_svd(shape: tuple[int, int, int]) -> None:
    features = _features(*shape)
    components, norm = leading_components(features, 4)
    left, singular, _ = np.linalg.svd(features.reshape(shape[0], -1).T, full_matrices=False)
    expected = abs(left * singular)[:, :4].T.reshape(4, *shape[1:])
    np.testing.assert_allclose(components, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(norm, np.linalg.norm(features, axis=0), rtol=1e-6)
    assert components.dtype == norm.dtype == np.float32


@pytest.mark.parametrize("shape", [(40, 3, 5), (6, 7, 8)], ids=["wide", "tall"])
def test_components_are_parts_of_the_mean_map(shape: tuple[int, int, int]) -> None:
    components, norm = leading_components(_features(*shape), 60)
    np.testing.assert_allclose((components**2).sum(axis=0), norm**2, rtol=1e-4)
    strengths = (components**2).sum(axis=(1, 2))
    assert (np.diff(strengths) <= 1e-6 * strengths[0]).all()


def test_a_place_that_alone_responds_is_the_first_component() -> None:
    features = np.full((8, 4, 4), 0.01, np.float32)
    features[3, 1, 2] = 5
    components, norm = leading_components(features, 2)
    assert np.unravel_index(components[0].argmax(), (4, 4)) == (1, 2)
    assert components[0, 1, 2] == pytest.approx(norm[1, 2], rel=1e-3)


def test_components_beyond_the_rank_are_zero() -> None:
    components, norm = leading_components(_features(16, 1, 1), 6)
    assert components.shape == (6, 1, 1)
    assert components[0] == pytest.approx(norm, rel=1e-5)
    assert not components[1:].any()
    assert not leading_components(np.zeros((16, 2, 2), np.float32), 6)[0].any()


def test_torchvision_loads_beside_a_torch_it_was_not_built_for() -> None:
    """And leaves FFmpeg's messages alone, see ``ignore_messages``."""
    # In a process of its own: the operators can be declared only once.
    program = (
        "from models.torchvision_ops import import_resnet as load; "
        "assert load() is load(); import torchvision.transforms.v2; "
        "import av; assert av.logging.get_level() is None"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=PROCESS_S)


def _features(channels: int, rows: int, columns: int) -> npt.NDArray[np.float32]:
    normal = np.random.default_rng(0).standard_normal((channels, rows, columns))
    return np.maximum(normal, 0).astype(np.float32)
