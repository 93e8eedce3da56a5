"""Ways to go about it, side by side; prints, asserts nothing about time. Run with ``-m bench -s``.

What a whole machine reaches is ``signlight bench``; these are the choices behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models import load_model
from models.bench.machine import describe_machine
from models.bench.maps import Timed, interleave, runtimes_here
from models.bench.peak import measure_matrix_rate
from run_live import main
from stream.priority import num_cores
from stream.stats import percentile
from tests.conftest import ROOT

pytestmark = pytest.mark.bench

CLIP = ROOT / "samples" / "fingerspelling.mp4"


def _print(title: str, timed: dict[tuple[str, str, str], Timed]) -> None:
    machine = describe_machine(gpu=None)
    print(f"\n{title} ({machine.cpu}, {machine.num_cores} cores)")
    for key, each in timed.items():
        times = each.after_pause
        print(
            f"  {' '.join(key):42s} median {percentile(times, 0.5):7.1f} ms, "
            f"p95 {percentile(times, 0.95):7.1f} ms, least {min(times):7.1f} ms"
        )


@pytest.mark.parametrize("name", ["dino_vits16", "dino_vits8"])
def test_two_hands_as_one_batch_or_one_by_one(name: str) -> None:
    pictures = list(np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8))
    calls: dict[tuple[str, str, str], Callable[[], object]] = {}
    for runtime in runtimes_here("cpu", "auto", "auto")[0]:
        model = load_model(name, random_weights=True, device="cpu", runtime=runtime)
        calls[runtime, "one", "batch"] = lambda model=model: model.attend(pictures)  # type: ignore[misc]
        calls[runtime, "one by", "one"] = lambda model=model: [  # type: ignore[misc]
            model.attend(picture) for picture in pictures
        ]
    _print(f"two pictures, {name}", interleave(calls, budget_s=10.0))


def test_numbers_of_threads() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    calls: dict[tuple[str, str, str], Callable[[], object]] = {}
    for runtime in runtimes_here("cpu", "auto", "auto")[0]:
        for count in range(1, num_cores() + 1):
            model = load_model(
                "dino_vits16", random_weights=True, device="cpu", runtime=runtime, num_threads=count
            )
            calls[runtime, f"{count}", "threads"] = lambda model=model: model.attend(picture)  # type: ignore[misc]
    _print("one picture, dino_vits16", interleave(calls, budget_s=10.0))


def test_matrix_rate_comes_out_alike_each_time() -> None:
    rates = [
        measure_matrix_rate(torch.device("cpu"), torch.float32, num_threads=None, budget_s=1.0)
        for _ in range(5)
    ]
    print("\nmatrix rate, GFLOP/s:", ", ".join(f"{rate.gflop_s:.1f}" for rate in rates))


@pytest.mark.parametrize("threads", ["1", "2"])
def test_export_and_live_with_so_many_threads(threads: str, tmp_path: Path) -> None:
    figures = ["--json", str(tmp_path / "figures.json")]
    assert main(["bench", str(CLIP), "--quick", "--threads", threads, *figures]) == 0
