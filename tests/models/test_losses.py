"""The terms of self-distillation, by numbers that can be told by hand."""

from __future__ import annotations

import math

import pytest
import torch

from models.training.losses import (
    Centre,
    alike_loss,
    contrast_loss,
    cover_loss,
    distillation_loss,
    entropy,
    even_part,
    whole_part,
)
from models.training.recipe import Recipe


def test_distillation_loss_by_hand() -> None:
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, 0.5]])
    students = [torch.tensor([[0.25, 0.75]]).log(), torch.tensor([[0.5, 0.5]]).log()]
    # Each target meets the other view only: a with the second student, b with the first.
    expected = (math.log(2) - 0.5 * (math.log(0.25) + math.log(0.75))) / 2
    assert distillation_loss([a, b], students).item() == pytest.approx(expected)


def test_contrast_loss_is_chance_for_equal_units_and_small_for_own_ones() -> None:
    same = torch.ones(4, 2) / math.sqrt(2)
    assert contrast_loss([same, same], [same, same], 0.1).item() == pytest.approx(math.log(4))
    own = torch.eye(4)
    assert contrast_loss([own, own], [own, own], 0.05).item() < 1e-6


def test_centre_moves_towards_the_mean_of_outputs() -> None:
    centre = Centre(2, 0.75, torch.device("cpu"))
    centre.update(torch.tensor([[4.0, 0.0], [0.0, 8.0]]))
    torch.testing.assert_close(centre.value, torch.tensor([[0.5, 1.0]]))


def test_parts_of_a_view_that_a_head_covers() -> None:
    # The CLS token's own share first, then those of four patches.
    everywhere = torch.full((5,), 0.2)
    half = torch.tensor([0.0, 0.5, 0.5, 0.0, 0.0])
    glow = torch.tensor([0.0, 0.7, 0.1, 0.1, 0.1])
    itself = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0])
    rows = torch.stack([everywhere, half, glow, itself])[None]
    even, whole = even_part(rows)[0].tolist(), whole_part(rows)[0].tolist()
    assert even == pytest.approx([1.0, 2 / 5, 1 / 0.52 / 5, 1 / 5])
    glow_nats = -0.7 * math.log(0.7) - 0.3 * math.log(0.1)
    assert whole == pytest.approx([1.0, 1 / 2, math.exp(glow_nats) / 4, 1 / 4], abs=1e-6)


def test_heads_that_cover_enough_and_not_too_much_cost_nothing() -> None:
    half = torch.tensor([[[0.0, 0.5, 0.5, 0.0, 0.0]]])

    def cost(rows: list[torch.Tensor], least: float, most: float) -> float:
        return cover_loss(rows, torch.tensor([least]), torch.tensor([most])).item()

    assert cost([half], 0.4, 0.5) == pytest.approx(0.0, abs=1e-6)
    assert cost([half], 0.8, 0.5) == pytest.approx(math.log(2), abs=1e-6)
    assert cost([half], 0.4, 0.25) == pytest.approx(math.log(2), abs=1e-6)
    assert cost([half, half], 0.8, 0.25) == pytest.approx(2 * math.log(2), abs=1e-6)


def test_each_head_has_bounds_of_its_own() -> None:
    half = torch.tensor([0.0, 0.5, 0.5, 0.0, 0.0])
    rows = [torch.stack([half, half])[None]]
    recipe = Recipe(num_heads=2, cover_min=0.1, first_min=0.8, first_max=0.9)
    least, _ = recipe.cover_bounds_at(recipe.steps - 1)
    assert least == (0.8, 0.1)
    loss = cover_loss(rows, torch.tensor(least), torch.ones(2))
    assert loss.item() == pytest.approx(math.log(2) / 2, abs=1e-6)  # of two heads, one falls short


@pytest.mark.parametrize("top", [0, 1])
def test_a_head_on_one_token_is_told_to_let_go(top: int) -> None:
    leaf = torch.zeros(1, 1, 5)
    leaf[..., top] = 4.0
    leaf.requires_grad_()
    cover_loss([leaf.softmax(-1)], torch.tensor([0.9]), torch.ones(1)).backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    told = leaf.grad.flatten().sign()
    assert told.tolist() == [1.0 if i == top else -1.0 for i in range(5)]  # descent evens them out


@pytest.mark.parametrize("top", [0, 1])
def test_a_head_that_lost_all_but_one_token_breaks_no_step(top: int) -> None:
    """Where float32 leaves nothing for the other tokens, there is no slope, but no NaN either."""
    leaf = torch.zeros(1, 1, 5)
    leaf[..., top] = 200.0
    leaf.requires_grad_()
    loss = cover_loss([leaf.softmax(-1)], torch.tensor([0.9]), torch.tensor([0.1]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    assert loss.isfinite()
    assert leaf.grad.isfinite().all()


def test_a_head_that_looks_everywhere_is_told_to_choose() -> None:
    leaf = torch.tensor([[[-9.0, 0.1, 0, 0, 0]]], requires_grad=True)
    cover_loss([leaf.softmax(-1)], torch.tensor([1e-3]), torch.tensor([0.5])).backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    assert leaf.grad.flatten().argmin() == 1  # descent raises what is highest already


def test_heads_cost_by_how_far_they_look_alike() -> None:
    # The CLS token's own share, first, is no part of a map; nor does brightness make a difference.
    left = torch.tensor([0.0, 0.5, 0.5, 0.0, 0.0])
    faint = torch.tensor([0.5, 0.25, 0.25, 0.0, 0.0])
    right = torch.tensor([0.0, 0.0, 0.0, 0.5, 0.5])
    middle = torch.tensor([0.0, 0.0, 0.5, 0.5, 0.0])

    def cost(heads: list[torch.Tensor], most: float) -> float:
        return alike_loss([torch.stack(heads)[None]], most).item()

    assert cost([left, faint], 0.6) == pytest.approx(0.4)
    assert cost([left, right], 0.0) == 0.0  # opposite, which is less than unlike
    assert cost([left, middle], 0.0) == pytest.approx(0.0, abs=1e-6)
    assert cost([left, faint, right], 0.6) == pytest.approx(0.4 / 3)  # one pair of three
    assert cost([left], 0.0) == 0.0


def test_heads_may_look_alike_in_one_view_if_they_differ_in_others() -> None:
    left, right = torch.tensor([0.0, 0.8, 0.2, 0.0]), torch.tensor([0.0, 0.0, 0.2, 0.8])
    alike, apart = torch.stack([left, left]), torch.stack([left, right])
    assert alike_loss([torch.stack([alike, apart])], 0.6).item() == 0.0
    assert alike_loss([alike[None], apart[None]], 0.6).item() == pytest.approx(0.2)


def test_heads_that_look_alike_are_told_to_part() -> None:
    leaf = torch.tensor([[[0.0, 2.0, 1.0, 0.0], [0.0, 2.0, 0.0, 1.0]]], requires_grad=True)
    before = alike_loss([leaf.softmax(-1)], 0.1)
    before.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    after = alike_loss([(leaf - leaf.grad).softmax(-1)], 0.1)
    assert after < before


def test_heads_without_any_shape_break_no_step() -> None:
    leaf = torch.zeros(1, 2, 5, requires_grad=True)
    loss = alike_loss([leaf.softmax(-1)], 0.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    assert loss.isfinite()
    assert leaf.grad.isfinite().all()


def test_entropy_knows_its_ends() -> None:
    rows = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25] * 4])
    torch.testing.assert_close(entropy(rows), torch.tensor([0.0, math.log(4)]))
