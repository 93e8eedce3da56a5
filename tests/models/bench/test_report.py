"""Figures, fresh processes and the page: what a benchmark says, and that it says all of it."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from models.bench.figures import (
    BenchReport,
    ExportFigures,
    LiveFigures,
    MapFigures,
    MatrixRate,
    StageFigures,
    Threads,
)
from models.bench.files import check_figures
from models.bench.machine import OtherPrograms, describe_machine, peak_memory_mb
from models.bench.stopwatch import STAGES, TimedParts
from models.bench.table import print_report
from run_live import COMMANDS
from stream.command_line.parsing import parse_args
from stream.errors import OutputError, SourceLostError, WorkerError
from stream.jobs.processes import run_fresh
from stream.priority import num_cores
from stream.stats import percentile
from tests.fakes import (
    FrameRenderer,
    GatedModel,
    ListSink,
    ScriptedFinder,
    ScriptedSource,
    cut_box,
    make_frame,
    make_hand,
)
from tests.waits import PROCESS_S


@pytest.fixture
def report() -> BenchReport:
    """Return a report with a figure in every place."""
    defaults = Threads(num_threads=2, omp_wait_policy=None)
    asleep = Threads(num_threads=2, omp_wait_policy="PASSIVE")
    ours = MapFigures(
        model="small", runtime="torch", device="cpu", precision="float32", num_maps=9,
        crop_px=224, median_ms=20.0, p95_ms=25.0, least_ms=19.0, in_a_row_ms=18.0, gflop=1.5,
        floor_ms=10.0, threads=defaults,
    )  # fmt: skip
    official = replace(ours, runtime="official", median_ms=50.0, p95_ms=51.0)
    stages = tuple(
        StageFigures(
            name=name, alone_ms=alone_ms, alone_median_ms=alone_ms, alone_p95_ms=2 * alone_ms,
            cpu_ms=1.5 * alone_ms, busy_ms=3 * alone_ms,
        )
        for name, alone_ms in zip(STAGES, (4.0, 10.0, 1.0, 40.0, 5.0, 20.0), strict=True)
    )  # fmt: skip
    return BenchReport(
        machine=describe_machine(gpu=None),
        clip="clip.mp4",
        is_quick=True,
        matrix=[MatrixRate(device="cpu", precision="float32", gflop_s=150.0)],
        maps=[ours, official],
        export=ExportFigures(
            model="small", runtime="torch, cpu, float32", size_wh=(1280, 720), num_frames=48,
            num_frames_with_hand=47, num_maps=51, threads=asleep, official_threads=defaults,
            frames_per_s=12.5, cpu_ms=140.0, stages=stages, num_cores=2,
            official_size_wh=(384, 224), official_frames_per_s=2.5, peak_memory_mb=900.0,
        ),
        live=LiveFigures(
            model="small", runtime="torch, cpu, float32", frame_rate=30.0, num_shown=118,
            num_dropped=2, shown_per_s=29.5, num_late=3, late_p95_ms=12.0, jitter_p95_ms=3.0,
            num_maps=70, age_p95_ms=120.0, cpu_share=0.8, first_shown_s=2.5, peak_memory_mb=None,
            threads=asleep,
        ),
        is_complete=True,
    )  # fmt: skip


def test_json_has_every_figure_and_what_follows_from_them(report: BenchReport) -> None:
    content = json.loads(json.dumps(report.as_json()))
    assert content.keys() == {field.name for field in fields(BenchReport)}
    ours, official = content["maps"]
    assert ours.keys() == {field.name for field in fields(MapFigures)} | {
        "maps_per_s", "times_floor", "times_official",
    }  # fmt: skip
    assert (ours["times_floor"], ours["times_official"], ours["maps_per_s"]) == (1.8, 2.5, 55.56)
    assert official["times_official"] == 1.0
    export = content["export"]
    assert export.keys() == {field.name for field in fields(ExportFigures)} | {
        "slowest_stage_per_s", "cores_per_s", "times_official", "caveat",
    }  # fmt: skip
    assert export["slowest_stage_per_s"] == 25.0  # 40 ms alone
    assert export["cores_per_s"] == pytest.approx(2 * 1000 / (1.5 * 80), rel=1e-3)
    assert export["times_official"] == 5.0
    assert [stage["name"] for stage in export["stages"]] == list(STAGES)
    assert content["live"].keys() == {field.name for field in fields(LiveFigures)}
    assert content["machine"]["num_cores"] >= 1
    assert {"signlight", "python", "torch", "numpy"} <= content["machine"]["versions"].keys()
    assert content["schema"] == 1
    assert ours["threads"] == {"num_threads": 2, "omp_wait_policy": None}
    assert export["threads"] == content["live"]["threads"] != export["official_threads"]


def test_way_is_compared_with_the_official_one_of_its_device(report: BenchReport) -> None:
    ours, official = report.maps
    gpu = replace(ours, device="cuda:0", median_ms=2.0)
    report.maps += [gpu, replace(official, device="cuda", median_ms=3.0)]
    assert report.times_official(ours) == 2.5
    assert report.times_official(gpu) == 1.5
    report.maps.pop()
    assert report.times_official(gpu) is None


def test_page_tells_where_ours_had_less_to_do(report: BenchReport) -> None:
    assert report.export is not None
    assert "for less work" not in _printed(report, 80)
    rare = replace(report.export, num_frames_with_hand=40)
    words = " ".join(_printed(replace(report, export=rare), 80).split())
    assert "40 of 48 frames had one; 51 maps made" in words
    assert "Only 83% of the frames had a hand" in words
    assert '"5.0 x as fast" is for less work' in words
    alone = replace(rare, official_frames_per_s=None)
    assert alone.caveat is None, "nothing is compared"


def _printed(report: BenchReport, width: int) -> str:
    out = io.StringIO()
    print_report(Console(file=out, width=width), report)
    return out.getvalue()


def test_page_shows_every_figure_in_a_narrow_terminal(report: BenchReport) -> None:
    page = _printed(report, 80)
    assert "…" not in page, "a column is cut short"
    assert max(map(len, page.splitlines())) <= 80
    words = " ".join(page.split())
    for figure in (
        "cpu float32 150 GFLOP/s", "small torch, float32 224 20.0 25.0 55.6 18.0 1.80 2.50",
        "official, float32 50.0 51.0 55.6 18.0 1.80", "attention 40.0 40.0 80.0 60.0 120.0",
        "12.5 frames a second", "allows 25.0, of which 50%", "ours is 5.0 x as fast", "900 MB",
        "29.5 frames a second; 2 of 120 dropped, 3 late", "12.0 ms, p95", "120 ms, p95; 70 made",
        "2.5 s", "random", "Without a window",
    ):  # fmt: skip
        assert figure in words


def test_page_of_a_stopped_run_says_what_it_is(report: BenchReport) -> None:
    stopped = replace(report, export=None, live=None, is_complete=False, notes=["[b] is missing"])
    page = _printed(stopped, 80)
    assert "Export" not in page
    assert "[b] is missing" in page
    assert "Other programs" not in page
    assert "stopped" in page


def test_page_warns_of_a_busy_machine(report: BenchReport) -> None:
    words = " ".join(_printed(replace(report, others_cores=1.3), 80).split())
    assert "Other programs kept 1.3 of" in words


def test_work_of_children_is_our_own_once_they_were_waited_for() -> None:
    others = OtherPrograms()
    if others.mean_cores() is None:
        pytest.skip("this system does not tell what other programs compute")
    burn = [sys.executable, "-c", "import time\nwhile time.process_time() < 2: pass"]
    began = time.monotonic()
    for child in [subprocess.Popen(burn) for _ in range(num_cores())]:
        assert child.wait(PROCESS_S) == 0
    span_s = time.monotonic() - began
    seen = others.mean_cores()
    assert seen is not None
    # The machine has no more to give than what the two seconds of each child leave.
    assert 0 <= seen <= (os.cpu_count() or 1) - 2 * num_cores() / span_s + 0.2


def test_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([7.0], 0.95) == 7.0


def test_stopwatches_count_what_each_part_was_asked_and_change_nothing() -> None:
    hand = make_hand()
    sink = ListSink()
    timed = TimedParts(
        source=ScriptedSource([make_frame(0), make_frame(1)]),
        finder=ScriptedFinder(lambda index: (hand,)),
        cut=cut_box,
        model=GatedModel(),
        renderer=FrameRenderer(),
        sink=sink,
    )
    frame = timed.source.read()
    assert frame is not None
    assert timed.finder.find(frame) == (hand,)
    crop = timed.cut(frame, hand)
    (maps,) = timed.model.attend_crops([crop])
    assert maps.frame_index == 0
    with timed.sink:
        timed.sink.write(frame.image, 0, frame.time_base)
    assert sink.pts == [0]
    calls = {name: len(watch.walls_ns) for name, watch in timed.watches.items()}
    assert calls == {
        "decode": 1, "hands": 1, "crop": 1, "attention": 1, "compose": 0, "encode": 2,
    }  # fmt: skip
    assert all(wall_ns >= 0 for watch in timed.watches.values() for wall_ns in watch.walls_ns)


def _process_id(offset: int) -> int:
    return os.getpid() + offset


def _fail(kind: str) -> None:
    if kind == "ours":
        raise WorkerError("capture failed") from SourceLostError("the camera is gone")
    if kind == "dies":
        os._exit(7)
    raise ZeroDivisionError("by zero")


def test_fresh_process_is_another_one() -> None:
    assert run_fresh(_process_id, offset=0) != os.getpid()


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("ours", SourceLostError, "the camera is gone"),
        ("other", RuntimeError, "ZeroDivisionError: by zero"),
        ("dies", RuntimeError, "exit code 7"),
    ],
)
def test_failure_in_a_fresh_process_is_told(kind: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        run_fresh(_fail, kind=kind)


def test_memory_never_shrinks() -> None:
    before = peak_memory_mb()
    if before is None:
        pytest.skip("this system does not tell how much memory a process held")
    held = bytearray(200_000_000)
    held[::4096] = b"x" * len(held[::4096])
    after = peak_memory_mb()
    assert after is not None
    assert after >= before
    assert after > 200


def test_figures_replace_figures_and_nothing_else(tmp_path: Path, report: BenchReport) -> None:
    path = tmp_path / "figures.json"
    check_figures(path)
    path.write_text(json.dumps(report.as_json()))
    check_figures(path)
    path.write_text('{"frames": 3}')
    with pytest.raises(OutputError, match="holds no figures"):
        check_figures(path)
    with pytest.raises(OutputError, match="check its folder"):
        check_figures(tmp_path / "missing" / "figures.json")


def _parse(*argv: str) -> SimpleNamespace:
    _, options = parse_args(["bench", *argv], COMMANDS)
    return SimpleNamespace(**options.by_name)


def test_command_line_names_clip_models_and_file() -> None:
    words = "clip.mp4 --quick --models dino_vitb8 dino_vits8 --json f.json"
    options = _parse(*shlex.split(words))
    assert (options.command, options.source, options.quick) == ("bench", "clip.mp4", True)
    assert (options.models, options.json_path) == (("dino_vitb8", "dino_vits8"), Path("f.json"))
    assert options.random_weights
    limited = _parse("--threads", "2", "--device", "cpu", "--precision", "float32")
    assert (limited.source, limited.num_threads, limited.device) == ("", 2, "cpu")
    assert (limited.skeleton, limited.hud) == (False, False)  # as an export has them


@pytest.mark.parametrize("argv", [["--models", "huge"], ["--threads", "0"], ["--frames", "3"]])
def test_wrong_usage_ends_with_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _parse(*argv)
    assert caught.value.code == 2
