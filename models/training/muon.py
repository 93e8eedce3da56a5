"""The optimiser of the transformer's matrices."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["Muon"]

_MOMENTUM = 0.95
_ITERATIONS = 5
_QUINTIC = (3.4445, -4.7750, 2.0315)
"""K. Jordan's coefficients, which soon bring even small singular values to about 0.7 to 1.2."""


class Muon(torch.optim.Optimizer):
    """Steps along the gradient's momentum with all singular values made equal, nearly.

    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the size of a
    step as in J. Liu et al., "Muon is Scalable for LLM Training", 2025, section 2.2, so that the
    learning rate is AdamW's. Directions in which the gradient is weak are followed as far as the
    strong ones; by plain steps a short run hardly learns them.

    ``torch.optim.Muon`` does the same, matrix by matrix in bfloat16; here matrices of one shape go
    together, in the arithmetic that is quick: on a processor without bfloat16 that is float32, many
    times faster.

    Args:
        parameters: Matrices.
        lr: Learning rate.
        weight_decay: What each step takes off, in parts of the learning rate.
        dtype: Arithmetic in which directions are flattened; all else is as the matrices are.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        lr: float,
        weight_decay: float,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the matrices that have gradients."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape.setdefault(tuple(matrix.shape), []).append((matrix, matrix.grad))
            for shape, pairs in by_shape.items():
                matrices, gradients = map(list, zip(*pairs, strict=True))
                momenta = [self._momentum_of(matrix) for matrix in matrices]
                torch._foreach_lerp_(momenta, gradients, 1 - _MOMENTUM)
                # Nesterov's: as if the next step's momentum were known.
                ahead = torch._foreach_lerp(gradients, momenta, _MOMENTUM)
                steep = torch.stack(ahead)
                directions = _flatten(steep.to(self._dtype)).to(steep.dtype).unbind()
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                size = 0.2 * max(shape) ** 0.5  # the root mean square of AdamW's steps
                torch._foreach_add_(matrices, directions, alpha=-group["lr"] * size)

    def _momentum_of(self, matrix: Tensor) -> Tensor:
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        return state["momentum"]  # type: ignore[no-any-return]


def _flatten(matrices: Tensor) -> Tensor:
    """Return matrices, (N, rows, columns), with singular values of about 1: U V' of U S V'."""
    if matrices.shape[1] > matrices.shape[2]:
        return _flatten(matrices.mT).mT
    linear, cubic, quintic = _QUINTIC
    matrices = matrices / matrices.flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]
    for _ in range(_ITERATIONS):
        squares = matrices @ matrices.mT
        powers = torch.baddbmm(squares, squares, squares, beta=cubic, alpha=quintic)
        matrices = torch.baddbmm(matrices, powers, matrices, beta=linear)
    return matrices
