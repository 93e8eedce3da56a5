"""The transformer: the softmax by the book (the official numbers: test_parity.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from models.loading import build_network
from models.preprocessing import normalize
from models.registry import ModelSpec
from models.vit import VisionTransformer, VitConfig
from tests.models.networks import (
    TINY,
    TINY_OTHERS,
    noise,
    plain_cls_attention,
    tiny_vit,
)


@pytest.fixture
def pixels() -> Tensor:
    return normalize(torch.from_numpy(np.stack([noise(24, 40, seed) for seed in (1, 2)])))


@pytest.mark.parametrize("layer", range(-4, 4))
def test_every_layer_equals_the_plain_softmax(layer: int, pixels: Tensor) -> None:
    vit = tiny_vit()
    with torch.inference_mode():
        row = vit(pixels, layer)
        assert row.shape == (2, 3, 3, 5)
        assert row.dtype == torch.float32
        torch.testing.assert_close(row, plain_cls_attention(vit, pixels, layer % 4))


def test_heads_sum_to_one_less_the_share_of_cls(pixels: Tensor) -> None:
    with torch.inference_mode():
        sums = tiny_vit()(pixels).sum(dim=(2, 3))
    assert (sums > 0.1).all()
    assert (sums < 1).all()


def test_nothing_is_computed_after_the_layer(pixels: Tensor) -> None:
    vit = tiny_vit()
    run = []
    for index, block in enumerate(vit.blocks):
        block.register_forward_pre_hook(lambda *_, index=index: run.append(index))
        block.mlp.register_forward_pre_hook(  # type: ignore[union-attr]
            lambda *_, index=index: run.append(f"mlp {index}")
        )
    with torch.inference_mode():
        vit(pixels, 2)
    assert run == [0, "mlp 0", 1, "mlp 1"]


@pytest.mark.parametrize("layer", [4, -5])
def test_no_such_layer(layer: int, pixels: Tensor) -> None:
    with pytest.raises(IndexError):
        tiny_vit()(pixels, layer)


def test_positions_fit_every_grid_and_are_untouched_at_home() -> None:
    vit = tiny_vit()
    assert vit.positions((4, 4)) is vit.pos_embed
    for rows in range(1, 40):
        positions = vit.positions((rows, 41 - rows))
        assert positions.shape == (1, 1 + rows * (41 - rows), 24)
        assert torch.equal(positions[:, 0], vit.pos_embed[:, 0])


def test_positions_made_once_give_the_same(pixels: Tensor) -> None:
    vit = tiny_vit()
    with torch.inference_mode():
        assert torch.equal(vit.for_size((24, 40))(pixels, 3), vit(pixels, 3))


@pytest.mark.parametrize("cls_block", [1, 3])
def test_cls_token_may_join_late(cls_block: int, pixels: Tensor) -> None:
    vit = tiny_vit(replace(TINY, cls_block=cls_block))
    with torch.inference_mode():
        for layer in range(cls_block, 4):
            torch.testing.assert_close(vit(pixels, layer), plain_cls_attention(vit, pixels, layer))
        assert vit.cls_feature(pixels)[0].shape == (2, 24)
        with pytest.raises(
            ValueError, match=rf"layer must be in \[{cls_block}, 4\), got layer = 0"
        ):
            vit(pixels, 0)


def test_only_the_patches_that_are_kept_count(pixels: Tensor) -> None:
    vit = tiny_vit(replace(TINY, cls_block=1))
    with torch.inference_mode():
        whole, row = vit.cls_feature(pixels)
        assert row.shape == (2, 3, 1 + 15)
        torch.testing.assert_close(row.sum(-1), torch.ones(2, 3))
        every = torch.arange(15).expand(2, -1)
        torch.testing.assert_close(vit.cls_feature(pixels, every)[0], whole)
        some, some_row = vit.cls_feature(pixels, every[:, :8])  # of the 3 x 5 patches
        changed = pixels.clone()
        changed[:, :, 16:, :] = 0  # the last row of patches, which was not kept
        torch.testing.assert_close(vit.cls_feature(changed, every[:, :8])[0], some)
    assert some_row.shape == (2, 3, 1 + 8)
    assert not torch.allclose(some, whole)


def test_rotary_periods_stay_exact_where_the_network_is_rounded() -> None:
    network = tiny_vit(replace(TINY_OTHERS[-1], dim=48))
    exact = network.state_dict()["rope_embed.periods"].clone()
    assert not torch.equal(exact, exact.bfloat16().float())
    assert torch.equal(network.bfloat16().state_dict()["rope_embed.periods"], exact)


@pytest.mark.parametrize("spec", TINY_OTHERS, ids=lambda spec: spec.name)
def test_map_and_what_is_kept_make_the_whole_row(spec: ModelSpec, pixels: Tensor) -> None:
    vit = tiny_vit(spec)
    with torch.inference_mode():
        row = vit.cls_row(pixels)
        assert row.shape == (2, 3, 1 + spec.num_registers + 15)
        torch.testing.assert_close(row.sum(-1), torch.ones(2, 3))
        assert torch.equal(row[:, :, -15:].reshape(2, 3, 3, 5), vit(pixels))
        feature, again = vit.cls_feature(pixels)
        torch.testing.assert_close(again, row)
        assert feature.shape == (2, 24)


def test_starts_as_dino_does_and_trains(pixels: Tensor) -> None:
    vit = VisionTransformer(VitConfig(patch_px=8, dim=24, depth=2, num_heads=3, pretrain_px=32))
    assert 0.015 < vit.blocks[0].attn.qkv.weight.std() < 0.025  # type: ignore[union-attr, operator]
    assert not vit.blocks[0].attn.qkv.bias.any()  # type: ignore[union-attr, operator]
    vit.cls_feature(pixels)[0].square().sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in vit.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_heads": 5}, "multiple of num_heads"),
        ({"pretrain_px": 30}, "multiple of patch_px"),
        ({"cls_block": 4}, r"cls_block must be in \[0, 4\)"),
    ],
)
def test_impossible_configurations(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_network(replace(TINY, **change))  # type: ignore[arg-type]
