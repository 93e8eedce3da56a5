"""The optimiser of the transformer's matrices, against torch's own and by what it promises."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.training.muon import Muon

SHAPES = ((24, 8), (8, 24), (24, 8), (8, 8))
LR = 0.1
DECAY = 0.1


def _gradients(steps: int) -> list[list[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [
        [torch.randn(shape, generator=generator) for shape in SHAPES] for _ in range(steps)
    ]  # fmt: skip


def _walk(optimiser: torch.optim.Optimizer, gradients: list[list[Tensor]]) -> None:
    (group,) = optimiser.param_groups
    for step in gradients:
        for matrix, gradient in zip(group["params"], step, strict=True):
            matrix.grad = gradient.clone()
        optimiser.step()


def _ones() -> list[Tensor]:
    return [torch.nn.Parameter(torch.ones(shape)) for shape in SHAPES]


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon since 2.9")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_walks_as_torchs_own_does(dtype: torch.dtype) -> None:
    ours, theirs = _ones(), _ones()
    gradients = _gradients(steps=5)
    _walk(Muon(ours, lr=LR, weight_decay=DECAY, dtype=dtype), gradients)
    reference = torch.optim.Muon(
        theirs, lr=LR, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"
    )  # fmt: skip
    _walk(reference, gradients)
    for own, their in zip(ours, theirs, strict=True):
        walked = (their - 1).norm()
        assert walked > 0.1
        assert (own - their).norm() < 0.03 * walked  # theirs is in bfloat16


def test_weak_directions_of_a_gradient_are_followed_as_the_strong_ones() -> None:
    left, right = (torch.linalg.qr(part).Q for part in (torch.randn(2, 8, 8, dtype=torch.float64)))
    strengths = torch.tensor([1.0, 0.5, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], dtype=torch.float64)
    matrix = torch.nn.Parameter(torch.zeros(8, 8))
    matrix.grad = (left @ torch.diag(strengths) @ right.T).float()
    Muon([matrix], lr=LR, weight_decay=DECAY).step()
    steps = -(left.T @ matrix.detach().double() @ right).diagonal() / (LR * 0.2 * 8**0.5)
    assert steps.min() > 0.6
    assert steps.max() < 1.3


def test_goes_on_from_its_state_in_the_same_bits() -> None:
    gradients = _gradients(steps=4)
    whole, begun = _ones(), _ones()
    _walk(Muon(whole, lr=LR, weight_decay=DECAY), gradients)
    first = Muon(begun, lr=LR, weight_decay=DECAY)
    _walk(first, gradients[:2])
    second = Muon(begun, lr=LR, weight_decay=DECAY)
    second.load_state_dict(first.state_dict())
    _walk(second, gradients[2:])
    assert all(torch.equal(a, b) for a, b in zip(whole, begun, strict=True))


def test_a_matrix_without_a_gradient_stays() -> None:
    moved, still = torch.nn.Parameter(torch.ones(4, 8)), torch.nn.Parameter(torch.ones(4, 8))
    moved.grad = torch.eye(4, 8)
    Muon([moved, still], lr=LR, weight_decay=DECAY).step()
    assert not torch.equal(moved, torch.ones(4, 8))
    assert torch.equal(still, torch.ones(4, 8))
