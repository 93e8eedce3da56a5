"""The whole benchmark, step by step, so that what is measured stays when it is stopped."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from models.bench.maps import official_way, runtimes_here, time_maps
from models.bench.official import VIDEO_WH, OfficialWay
from models.bench.peak import measure_matrix_rate
from models.registry import DEFAULT_MODEL, MODELS, find_spec
from models.runtimes.selection import choose
from stream.bench.figures import BenchReport, ExportFigures
from stream.bench.fresh import run_fresh
from stream.bench.loops import Factories, measure_export, measure_live
from stream.bench.machine import OtherPrograms, describe_machine
from stream.options import BenchOptions

__all__ = ["FULL", "QUICK", "Plan", "measure", "start_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    models: tuple[str, ...]
    """Models, where none are named; export and live take the first."""
    matrix_s: float
    """Time for the matrix rate of each precision."""
    maps_s: float
    """Time for each model, all its runtimes together."""
    num_rounds: int
    """Exports, each beside the official way's."""
    export_frames: int
    """Frames of one export."""
    official_frames: int
    """Frames of one export in the official way."""
    live_frames: int
    """Frames of the live view."""


_FIRST = "dino_vits16"
FULL = Plan(
    models=tuple(dict.fromkeys((_FIRST, DEFAULT_MODEL, *MODELS))),
    matrix_s=4.0,
    maps_s=15.0,
    num_rounds=3,
    export_frames=150,
    official_frames=16,
    live_frames=600,
)
"""Some five minutes on two cores."""
QUICK = Plan(
    models=tuple(dict.fromkeys((_FIRST, DEFAULT_MODEL))),
    matrix_s=1.0,
    maps_s=3.0,
    num_rounds=1,
    export_frames=40,
    official_frames=8,
    live_frames=120,
)
"""Under a minute on two cores."""


def start_report(options: BenchOptions) -> BenchReport:
    """Return a report that knows the machine and nothing else yet.

    Raises:
        DeviceError: The device, runtime or precision that was asked for is not there.
    """
    device = choose(options.device, options.runtime, options.precision).device
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return BenchReport(
        machine=describe_machine(gpu=gpu),
        clip=Path(options.source).name,
        crop_px=options.crop_size,
        is_quick=options.quick,
    )


def measure(
    report: BenchReport, options: BenchOptions, factories: Factories, *, plan: Plan
) -> Iterator[str]:
    """Fill in the report; before each step, yield what is measured next, in a few words.

    Export and live view run in processes of their own, as a person starts them.

    Raises:
        SignlightError: A part could not be had, or failed.
    """
    others = OtherPrograms()
    for step in _steps(report, options, factories, plan):
        report.others_cores = others.mean_cores()
        yield step
    report.others_cores = others.mean_cores()
    report.is_complete = True


def _steps(
    report: BenchReport, options: BenchOptions, factories: Factories, plan: Plan
) -> Iterator[str]:
    names = options.models or plan.models
    yield "matrix products"
    runtimes, missing = runtimes_here(options.device, options.runtime, options.precision)
    report.notes += missing
    _measure_matrices(report, options, plan, runtimes)
    for name in names:
        yield f"maps of {name}"
        report.maps += time_maps(
            find_spec(name),
            runtimes=runtimes,
            device=options.device,
            precision=options.precision,
            num_threads=options.num_threads,
            crop_px=options.crop_size,
            budget_s=plan.maps_s,
            rates=report.matrix,
        )
    options = replace(options, model=names[0])
    yield f"export with {names[0]}"
    with tempfile.TemporaryDirectory(prefix="signlight-bench-") as folder:
        report.export = run_fresh(
            _export, factories=factories, options=options, folder=Path(folder), plan=plan
        )
    yield f"live view with {names[0]}"
    report.live = run_fresh(
        measure_live,
        factories=factories,
        options=options,
        num_frames=plan.live_frames,
        started_ns=time.monotonic_ns(),
    )


def _measure_matrices(
    report: BenchReport, options: BenchOptions, plan: Plan, runtimes: Sequence[str]
) -> None:
    wanted = []
    for runtime in runtimes:
        choice = choose(options.device, runtime, "auto")
        # "auto" is bfloat16 or float16 only where the hardware has it.
        wanted += [(choice.device, torch.float32), (choice.device, choice.dtype)]
        if choice.device.type != "cpu":  # a processor emulates what it does not have: no limit
            asked = choose(options.device, runtime, options.precision)
            wanted.append((asked.device, asked.dtype))
    for device, dtype in dict.fromkeys(wanted):
        report.matrix.append(
            measure_matrix_rate(
                device, dtype, num_threads=options.num_threads, budget_s=plan.matrix_s
            )
        )


def _export(factories: Factories, options: BenchOptions, folder: Path, plan: Plan) -> ExportFigures:
    spec, clip = find_spec(options.model), Path(options.source)

    @cache  # made when it is first needed: until then memory is ours alone
    def official() -> OfficialWay | None:
        device = choose(options.device, "torch").device
        return official_way(spec, device=device, num_threads=options.num_threads)

    def export_officially() -> float:
        way = official()
        assert way is not None
        return way.export(clip, folder, num_frames=plan.official_frames)

    return measure_export(
        factories,
        options,
        folder=folder,
        num_frames=plan.export_frames,
        num_rounds=plan.num_rounds,
        rival=export_officially if spec.kind == "attention" else None,
        rival_size_wh=VIDEO_WH,
    )
