"""Models on one picture at a time: each runtime that is there, and DINO's own way, in turns."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.bench.figures import MapFigures, MatrixRate, Threads
from models.bench.official import OfficialWay
from models.families.dino import DINO
from models.loading import build_network, load_model
from models.registry import ModelSpec
from models.runtimes.selection import choose
from models.vit import VisionTransformer
from stream.errors import DeviceError
from stream.priority import num_cores
from stream.stats import percentile

if TYPE_CHECKING:
    from models.bench.converted import ConvertedWay

__all__ = ["Timed", "interleave", "official_way", "runtimes_here", "threads_of", "time_maps"]

_WARM_UP_CALLS = 3
_MIN_REPEATS = 5
_MAX_REPEATS = 200
_PAUSE_S = 0.005
"""Before a turn: threads of one library wait busily for a moment, at the cost of the next."""
_IN_A_ROW = 2
"""Calls at once after the first of a turn: they find threads awake and weights in the caches."""


@dataclass(slots=True)
class Timed:
    """Times of one call in ms."""

    after_pause: list[float] = field(default_factory=list)
    """Of the first of each turn: as in a live view, where a picture comes now and then."""
    in_a_row: list[float] = field(default_factory=list)
    """Of those that follow at once: what the processor can do."""


def runtimes_here(device: str, runtime: str, precision: str) -> tuple[list[str], list[str]]:
    """Return the runtimes to measure, and why others are not there.

    Raises:
        DeviceError: The runtime that was asked for is not there, or not even torch is.
    """
    if runtime != "auto":
        choose(device, runtime, precision)
        return [runtime], []
    choose(device, "torch", precision)
    try:
        choose(device, "openvino", precision)
    except DeviceError as error:
        return ["torch"], [f"{error}"]
    return ["torch", "openvino"], []


def threads_of(num_threads: int | None, *, runtime: str, wait_policy: str | None = None) -> Threads:
    """Return how a process of ours shares the processor.

    Args:
        num_threads: What was asked for; None is the choice of the library.
        runtime: ``openvino`` or ``converted``, or another, which torch computes.
        wait_policy: What is set where the environment says nothing.
    """
    theirs = num_cores() if runtime in ("openvino", "converted") else torch.get_num_threads()
    return Threads(
        num_threads=num_threads or theirs,
        omp_wait_policy=os.environ.get("OMP_WAIT_POLICY", wait_policy),
    )


def official_way(
    spec: ModelSpec, *, device: torch.device, num_threads: int | None
) -> OfficialWay | None:
    """Return the baseline of a model with seeded weights; None where DINO's scripts have none."""
    if spec.family is not DINO:
        return None
    network = build_network(spec)
    assert isinstance(network, VisionTransformer)
    network.initialise(torch.Generator().manual_seed(0))
    return OfficialWay(network, device=device, num_threads=num_threads)


def _converted_way(
    spec: ModelSpec, crop_px: int, *, dtype: torch.dtype, num_threads: int | None
) -> ConvertedWay:
    from models.bench.converted import ConvertedWay

    network = build_network(spec)
    network.initialise(torch.Generator().manual_seed(0))
    return ConvertedWay(
        network, (crop_px, crop_px), spec.depth - 1, dtype=dtype, num_threads=num_threads
    )


def time_maps(
    spec: ModelSpec,
    *,
    runtimes: Sequence[str],
    device: str,
    precision: str,
    num_threads: int | None,
    crop_px: int,
    budget_s: float,
    rates: Sequence[MatrixRate],
) -> list[MapFigures]:
    """Return the figures of one model in each runtime, then of the baselines.

    Those are what OpenVINO's own converter makes of the network, where OpenVINO is there, and last
    DINO's own way, on each device.

    All of it in this process, with the defaults of the libraries: waiting threads spin as they do
    for whoever runs DINO's scripts, and a pause before each turn keeps that from the next way.

    Args:
        spec: Which model.
        runtimes: Those that are there.
        device: As ``load_model`` takes it.
        precision: As ``load_model`` takes it.
        num_threads: Processor threads for one operation; None leaves each runtime's choice.
        crop_px: Side of the picture.
        budget_s: Time to spend on repeats.
        rates: Matrix rates of this machine.
    """
    image = np.random.default_rng(0).integers(0, 256, (crop_px, crop_px, 3), np.uint8)
    gflop = spec.family.map_flop(spec, (crop_px, crop_px)) / 1e9
    calls: dict[tuple[str, str, str], Callable[[], object]] = {}
    with ExitStack() as stack:
        for name in runtimes:
            model = stack.enter_context(
                load_model(
                    spec.name,
                    random_weights=True,
                    device=device,
                    runtime=name,
                    precision=precision,
                    num_threads=num_threads,
                )
            )
            key = (model.runtime, model.device, model.precision)
            calls[key] = lambda model=model: model.attend(image)  # type: ignore[misc]
        chosen = [choose(device, name, precision).device for name in runtimes]
        if "openvino" in runtimes:
            dtype = choose(device, "openvino", precision).dtype
            name = str(dtype).removeprefix("torch.")
            way = _converted_way(spec, crop_px, dtype=dtype, num_threads=num_threads)
            calls["converted", "cpu", name] = lambda: way.attend(image)
        for each in dict.fromkeys(chosen):
            official = official_way(spec, device=each, num_threads=num_threads)
            if official is not None:
                calls["official", each.type, "float32"] = lambda way=official: way.attend(image)  # type: ignore[misc]
        timed = interleave(calls, budget_s=budget_s)
    floors_ms = {(rate.device, rate.precision): 1e3 * gflop / rate.gflop_s for rate in rates}
    return [
        MapFigures(
            model=spec.name,
            runtime=name,
            device=where,
            precision=arithmetic,
            crop_px=crop_px,
            num_maps=len(times.after_pause),
            threads=threads_of(num_threads, runtime=name),
            median_ms=statistics.median(times.after_pause),
            p95_ms=percentile(times.after_pause, 0.95),
            least_ms=min(times.after_pause),
            in_a_row_ms=statistics.median(times.in_a_row),
            gflop=gflop,
            floor_ms=floors_ms.get((where.split(":")[0].split(" ")[0], arithmetic)),
        )
        for (name, where, arithmetic), times in timed.items()
    ]


def interleave(
    calls: Mapping[tuple[str, str, str], Callable[[], object]], *, budget_s: float
) -> dict[tuple[str, str, str], Timed]:
    """Return the times of each call, taken in turns: what disturbs, disturbs all alike."""
    turn_s = 0.0
    for call in calls.values():
        for _ in range(_WARM_UP_CALLS):
            last_s = _seconds(call)
        turn_s += last_s * (1 + _IN_A_ROW)
    num_turns = max(_MIN_REPEATS, min(_MAX_REPEATS, round(budget_s / turn_s)))
    timed = {key: Timed() for key in calls}
    for _ in range(num_turns):
        for key, call in calls.items():
            time.sleep(_PAUSE_S)
            timed[key].after_pause.append(1e3 * _seconds(call))
            timed[key].in_a_row.extend(1e3 * _seconds(call) for _ in range(_IN_A_ROW))
    return timed


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
