"""What the floor of the benchmark stands on: how many operations a model needs."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.flops import cls_row_flop, whole_flop
from models.loading import build_network
from models.registry import MODELS
from models.vit import VisionTransformer, VitConfig

TINY = VitConfig(patch_px=4, dim=6, depth=2, num_heads=2, mlp_ratio=4.0, pretrain_px=8)


def test_tiny_transformer_counted_by_hand() -> None:
    # 8 x 8 pixels: 4 patches of 3 * 4 * 4 values, 5 tokens of 6 values.
    embedding = 2 * 4 * 48 * 6
    block = (
        2 * 5 * 6 * 18  # queries, keys, values
        + 2 * 5 * 5 * 6  # every query with every key
        + 2 * 5 * 5 * 6  # the values mixed
        + 2 * 5 * 6 * 6  # projection
        + 2 * 5 * 6 * 24  # MLP up
        + 2 * 5 * 24 * 6  # MLP down
    )
    # The query of CLS, each head's back through the keys' weights, and its row over 5 tokens.
    last = 2 * 6 * 6 + 2 * (2 * 3 * 6) + 2 * (2 * 5 * 6)
    assert cls_row_flop(TINY, (8, 8)) == embedding + block + last
    assert whole_flop(TINY, (8, 8)) == embedding + 2 * block


def test_patch_tokens_alone_before_cls_joins() -> None:
    late = VitConfig(patch_px=4, dim=6, depth=3, num_heads=2, pretrain_px=8, cls_block=1)
    counted = _count(VisionTransformer(late), (8, 8))
    assert cls_row_flop(late, (8, 8)) == counted


@pytest.mark.parametrize(
    "name", ["dino_vits16", "dino_vitb8", "dino_resnet50", "dinov2_vits14_reg", "dinov3_vits16"]
)
@pytest.mark.parametrize("size_hw", [(224, 224), (112, 448)])
def test_formula_agrees_with_what_torch_counts_while_it_runs(
    name: str, size_hw: tuple[int, int]
) -> None:
    if (name, size_hw) == ("dino_vitb8", (224, 224)):
        size_hw = (64, 96)  # what it counts at 224 pixels would take seconds
    network = build_network(MODELS[name])
    network.initialise(torch.Generator().manual_seed(0))
    assert MODELS[name].family.map_flop(MODELS[name], size_hw) == _count(network, size_hw)


@pytest.mark.parametrize(("name", "gmac"), [("dino_vits16", 4.6), ("dino_vitb16", 17.6)])
def test_whole_model_is_as_large_as_papers_say(name: str, gmac: float) -> None:
    """Touvron et al., "Training data-efficient image transformers" (ICML 2021), table 5."""
    assert _whole_gflop(name) / 2 == pytest.approx(gmac, rel=0.01)


@pytest.mark.parametrize(("name", "spared"), [("dino_vits16", 0.08), ("dino_vitb8", 0.08)])
def test_row_of_cls_spares_nearly_a_twelfth(name: str, spared: float) -> None:
    gflop = MODELS[name].family.map_flop(MODELS[name], (224, 224)) / 1e9
    assert gflop == pytest.approx((1 - spared) * _whole_gflop(name), rel=0.01)


def _whole_gflop(name: str) -> float:
    network = build_network(MODELS[name])
    assert isinstance(network, VisionTransformer)
    return whole_flop(network.config, (224, 224)) / 1e9


def _count(network: torch.nn.Module, size_hw: tuple[int, int]) -> int:
    """Return what torch counts in one run; it knows the products inside attention as such only."""
    pixels = torch.zeros(1, 3, *size_hw)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network.eval()(pixels, -1)
    return int(counter.get_total_flops())
