"""One step of self-distillation: its terms, its optimisers, and the numbers of a recipe."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.training.learner import Learner, start_network
from models.training.losses import alike_loss, cover_loss
from models.training.recipe import Recipe
from tests.models.networks import SMALL

CPU = torch.device("cpu")


def test_heads_asked_to_differ_do() -> None:
    views = _noise_views()

    def alike(differ: float) -> float:
        learner = Learner(replace(SMALL, num_heads=4, differ=differ, alike_max=0.0), device=CPU)
        for _ in range(8):
            learner.step(views)
        _, row = learner.student.cls_feature(views[0])
        return alike_loss([row], 0.0).item()

    assert alike(differ=20.0) < 0.5 * alike(differ=0.0)


def test_infonce_term_tells_pictures_apart_where_asked_for() -> None:
    views = _noise_views()

    def contrast(weight: float) -> float:
        learner = Learner(replace(SMALL, contrast=weight), device=CPU)
        return [learner.step(views).contrast for _ in range(12)][-1]

    assert contrast(weight=1.0) < 0.6 * contrast(weight=0.0)


def test_infonce_term_fades_where_asked_to() -> None:
    steady = replace(SMALL, steps=100, contrast=0.5)
    fading = replace(steady, contrast_fade=0.4)
    assert [steady.contrast_at(step) for step in (0, 99)] == [0.5, 0.5]
    weights = [fading.contrast_at(step) for step in (0, 60, 80, 99)]
    assert weights == pytest.approx([0.5, 0.5, 0.25, 0.0125])
    learner = Learner(
        replace(fading, steps=2, contrast_fade=1.0, cover=0.0, differ=0.0), device=CPU
    )
    for weight in (0.5, 0.25):
        report = learner.step(_noise_views())
        assert report.loss == pytest.approx(report.distillation + weight * report.contrast)


@pytest.mark.parametrize("muon", [0, 1])
def test_every_parameter_is_trained_by_one_optimiser(muon: int) -> None:
    learner = Learner(replace(SMALL, muon=muon), device=CPU)
    trained = {
        name: [id(p) for group in optimiser.param_groups for p in group["params"]]
        for name, optimiser in learner.optimisers.items()
    }
    everything = [*learner.student.parameters(), *learner.student_head.parameters()]
    both = [number for numbers in trained.values() for number in numbers]
    assert sorted(both) == sorted(id(p) for p in everything)
    matrices = [p for p in learner.student.blocks.parameters() if p.ndim == 2]
    assert len(matrices) == 4 * SMALL.depth
    assert trained.get("muon", []) == [id(p) for p in matrices] * muon
    for step in range(2):
        learner.step(_noise_views())
        rates = [g["lr"] for o in learner.optimisers.values() for g in o.param_groups]
        assert set(rates) == {learner.recipe.lr_at(step)}


@pytest.mark.parametrize(
    ("dtype", "flattened"),
    [
        (torch.float32, torch.float32),
        (torch.bfloat16, torch.bfloat16),
        (torch.float16, torch.float32),  # whose range is too small for it
    ],
)
def test_muon_computes_as_the_transformer_does(
    dtype: torch.dtype, flattened: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def recording(matrices: Tensor) -> Tensor:
        seen.append(matrices.dtype)
        return matrices

    monkeypatch.setattr("models.training.muon._flatten", recording)
    Learner(SMALL, device=CPU, dtype=dtype).step(_noise_views())
    assert set(seen) == {flattened}


@pytest.mark.parametrize("where", ["cls_token", "blocks.0.attn.qkv.weight"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_gradients_out_of_range_hold_the_whole_step_back(where: str, dtype: torch.dtype) -> None:
    """Whichever optimiser's they are."""
    learner = Learner(SMALL, device=CPU, dtype=dtype)
    views = _noise_views()
    everything = [*learner.student.parameters(), *learner.teacher.parameters()]
    before = [parameter.detach().clone() for parameter in everything]
    spoilt = learner.student.get_parameter(where).register_hook(  # type: ignore[no-untyped-call]
        lambda grad: grad * math.inf
    )
    learner.step(views)
    assert all(torch.equal(a, b) for a, b in zip(before, everything, strict=True))
    spoilt.remove()
    assert math.isfinite(learner.step(views).loss)
    assert not all(torch.equal(a, b) for a, b in zip(before, everything, strict=True))


def test_schedules_rise_and_end_where_they_should() -> None:
    recipe = Recipe(ramp=0.5, steps=1000, warm_up=0.1, lr=1.0, momentum=0.9)
    rates = [recipe.lr_at(step) for step in range(1001)]
    assert rates[0] < 0.02
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[1000] == pytest.approx(0.02)
    assert recipe.momentum_at(0) == pytest.approx(0.9)
    assert recipe.momentum_at(1000) == pytest.approx(1.0)
    strengths = [recipe.strength_at(step) for step in (0, 250, 500, 1000)]
    assert strengths == pytest.approx([0.25, 0.625, 1.0, 1.0])
    assert replace(recipe, ramp=0.0).strength_at(0) == 1.0


def test_heads_but_the_first_narrow_late() -> None:
    recipe = Recipe(
        steps=1000, num_heads=3, narrow=0.3, wide=2.0,
        cover_min=0.1, cover_max=0.6, first_min=0.5, first_max=0.7,
    )  # fmt: skip
    wide = ((0.5, 0.2, 0.2), (0.7, 1.0, 1.0))  # no head looks at more than all
    assert [recipe.cover_bounds_at(step) for step in (0, 699)] == [wide, wide]
    assert recipe.cover_bounds_at(700) == ((0.5, 0.1, 0.1), (0.7, 0.6, 0.6))


def test_a_step_holds_heads_to_the_bounds_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def recording(rows: list[Tensor], least: Tensor, most: Tensor) -> Tensor:
        seen.append(round(most[1].item(), 3))
        return cover_loss(rows, least, most)

    monkeypatch.setattr("models.training.learner.cover_loss", recording)
    recipe = replace(SMALL, steps=4, narrow=0.5, wide=1.5, cover_max=0.4)
    learner = Learner(recipe, device=CPU)
    for _ in range(4):
        learner.step(_noise_views())
    assert seen == [0.6, 0.6, 0.4, 0.4]


def test_fresh_network_depends_on_the_seed_alone() -> None:
    first, again, other = (
        start_network(SMALL.network, torch.Generator().manual_seed(seed)).blocks[0].state_dict()
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["mlp.fc1.weight"], other["mlp.fc1.weight"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("grey", 1.5),
        ("lr", 0.0),
        ("zoom_max", 0.5),
        ("wide", 0.9),
        ("narrow", 1.1),
        ("cls_block", 9),
        ("dim", 31),
        ("patch_px", 0),
        ("view_px", 25),
        ("cover_min", 0.0),
        ("cover_max", 1.1),
        ("cover_min", 0.5),
        ("first_min", 0.9),
        ("differ", -0.1),
        ("contrast", -0.1),
        ("contrast_fade", 1.1),
        ("muon", 2),
        ("alike_max", 1.1),
    ],
)
def test_numbers_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        replace(SMALL, **{name: value})  # type: ignore[arg-type]


def _noise_views() -> list[Tensor]:
    """Return two views of 16 pictures without anything in common."""
    generator = torch.Generator().manual_seed(0)
    return list(torch.randn(2, 16, 3, SMALL.view_px, SMALL.view_px, generator=generator).unbind())
