"""How fast this machine multiplies matrices, measured now: the floor under every model."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from models.bench.figures import MatrixRate

__all__ = ["measure_matrix_rate"]

_SIDES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192), "mps": (2048, 4096)}
"""Sides of the square matrices: small ones live in the caches, large ones hide the starting up."""
_MIN_REPEATS = 2


def measure_matrix_rate(
    device: torch.device, dtype: torch.dtype, *, num_threads: int | None, budget_s: float
) -> MatrixRate:
    """Return the best rate of a matrix product, over sizes, repeats and two libraries.

    The best, not the median: what disturbs a measurement makes it slower, never faster, and a limit
    is what is possible. On a processor the product is tried as such (torch hands it to MKL or
    OpenBLAS) and as a convolution with a kernel of one pixel (oneDNN), whichever is quicker.

    Args:
        device: Where.
        dtype: Arithmetic.
        num_threads: Processor threads, as the models get them; None for torch's choice.
        budget_s: Time to spend, at most about twice.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads or before)
    try:
        best = 0.0
        sides = _SIDES[device.type]
        for side in sides:
            ways = _ways(device, dtype, side)
            for multiply in ways:
                seconds = _least_s(multiply, device, budget_s / len(sides) / len(ways))
                best = max(best, 2 * side**3 / seconds / 1e9)
    finally:
        torch.set_num_threads(before)
    return MatrixRate(device=device.type, precision=str(dtype).removeprefix("torch."), gflop_s=best)


def _ways(device: torch.device, dtype: torch.dtype, side: int) -> list[Callable[[], Tensor]]:
    left = torch.randn(side, side, device=device).to(dtype)
    right = torch.randn(side, side, device=device).to(dtype)
    out = torch.empty_like(left)
    ways: list[Callable[[], Tensor]] = [lambda: torch.mm(left, right, out=out)]
    if device.type == "cpu":
        rows = side // 32
        pixels = left.reshape(1, rows, 32, side).permute(0, 3, 1, 2)  # channels last in memory
        kernel = right.reshape(side, side, 1, 1)
        ways.append(lambda: F.conv2d(pixels, kernel))
    return ways


@torch.inference_mode()
def _least_s(multiply: Callable[[], Tensor], device: torch.device, budget_s: float) -> float:
    """Return the least time of one product in seconds."""

    def timed() -> float:
        began = time.perf_counter()
        multiply()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter() - began

    timed()
    end = time.perf_counter() + budget_s
    times = [timed() for _ in range(_MIN_REPEATS)]
    while time.perf_counter() < end:
        times.append(timed())
    return min(times)
