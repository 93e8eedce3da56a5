"""The figures as a page for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.bench.figures import BenchReport, ExportFigures, LiveFigures

__all__ = ["print_page", "print_report"]

_DASH = "-"
_QUIET_CORES = 0.1
"""What others may take before the figures have to say so."""


def print_page(report: BenchReport) -> None:
    """Print what was measured so far to stdout."""
    # A file has no width of its own.
    print_report(Console(width=None if sys.stdout.isatty() else 100), report)


def print_report(console: Console, report: BenchReport) -> None:
    """Print what was measured so far, a table for each part."""
    _print_machine(console, report)
    if report.maps:
        _print_maps(console, report)
    if report.export is not None:
        _print_export(console, report.export)
    if report.live is not None:
        _print_live(console, report.live)
    for note in report.notes:
        _print_aside(console, f"Note: {note}")
    if not report.is_complete:
        console.print("stopped: what is missing was not measured", style="yellow")


def _print_machine(console: Console, report: BenchReport) -> None:
    machine = report.machine
    memory = "" if machine.memory_gb is None else f", {machine.memory_gb:.0f} GB of memory"
    cores = _count(machine.num_cores, "core")
    rates = [f"{rate.device} {rate.precision} {rate.gflop_s:,.0f}" for rate in report.matrix]
    rows = [
        ("machine", f"{machine.cpu}, {cores}{memory}, {machine.system}"),
        ("GPU", machine.gpu or ""),
        ("instructions", " ".join(machine.instructions)),
        ("versions", ", ".join(f"{name} {number}" for name, number in machine.versions.items())),
        ("matrix peak", ", ".join(rates) + " GFLOP/s" if rates else ""),
        ("weights", f"{report.weights}: speed does not depend on them"),
        ("clip", escape(report.clip)),
    ]
    _print_rows(console, "", rows)
    if report.others_cores is not None and report.others_cores > _QUIET_CORES:
        console.print(
            f"Other programs kept {report.others_cores:.1f} of {cores} busy meanwhile: "
            "this machine can do more than the figures say.",
            style="yellow",
            highlight=False,
        )


def _print_maps(console: Console, report: BenchReport) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in ("model", "way"):
        table.add_column(name, no_wrap=True)
    for name in (
        "side\npx",
        "median\nms",
        "p95\nms",
        "maps\n/s",
        "in a row\nms",
        "x the\nfloor",
        "x the\nofficial",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    last = ""
    for figures in report.maps:
        is_baseline = figures.runtime == "official"
        if last not in ("", figures.model):
            table.add_section()
        device = "" if figures.device == "cpu" else f"{escape(figures.device)}, "
        table.add_row(
            figures.model if figures.model != last else "",
            f"{'official' if is_baseline else figures.runtime}, {device}{figures.precision}",
            str(figures.crop_px) if figures.model != last else "",
            _number(figures.median_ms),
            _number(figures.p95_ms),
            _number(figures.maps_per_s),
            _number(figures.in_a_row_ms),
            _number(figures.times_floor, 2),
            _DASH if is_baseline else _number(report.times_official(figures), 2),
            style="dim" if is_baseline else "",
        )
        last = figures.model
    _print_title(console, "One picture at a time")
    console.print(table)
    _print_aside(
        console,
        "From uint8 picture to float32 maps, the ways of a model in turns, each after a pause and "
        "then in a row. Floor, compared with the time in a row: the operations of the CLS row over "
        "the matrix peak of the precision. Official way: as DINO's scripts do it, eager float32, "
        "every attention matrix whole. Converted: what OpenVINO's own converter makes of the same "
        "network.",
    )


def _print_export(console: Console, export: ExportFigures) -> None:
    width, height = export.size_wh
    _print_title(console, f"Export at {width} x {height}, {export.model}, {export.runtime}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("stage, ms a frame", no_wrap=True)
    for name in ("alone", "median", "p95", "CPU time", "in the export"):
        table.add_column(name, justify="right", no_wrap=True)
    slowest = max(export.stages, key=lambda stage: stage.alone_ms)
    for stage in export.stages:
        table.add_row(
            stage.name,
            _number(stage.alone_ms),
            _number(stage.alone_median_ms),
            _number(stage.alone_p95_ms),
            _number(stage.cpu_ms),
            _number(stage.busy_ms),
            style="bold" if stage is slowest else "",
        )
    table.add_section()
    cpu_ms = sum(stage.cpu_ms for stage in export.stages)
    alone_ms = sum(stage.alone_ms for stage in export.stages)
    table.add_row("sum", _number(alone_ms), "", "", _number(cpu_ms), "")
    console.print(table)
    rate, cores = export.frames_per_s, _count(export.num_cores, "core")
    rows = [
        ("end to end", f"{rate:.1f} frames a second: hands, picture, sound, encoding"),
        (
            "hands",
            f"{export.num_frames_with_hand} of {_count(export.num_frames, 'frame')} had one; "
            f"{_count(export.num_maps, 'map')} made",
        ),
        (
            f"{slowest.name} alone",
            f"allows {export.slowest_stage_per_s:.1f}, "
            f"of which {rate / export.slowest_stage_per_s:.0%} are reached",
        ),
        (
            f"CPU time over {cores}",
            f"allows {export.cores_per_s:.1f}, of which {rate / export.cores_per_s:.0%} are "
            f"reached ({export.cpu_ms:.0f} ms of CPU time a frame in the export)",
        ),
    ]
    if export.official_frames_per_s and export.times_official:
        official_w, official_h = export.official_size_wh
        rows.append(
            (
                "official way",
                f"{export.official_frames_per_s:.1f} frames a second at {official_w} x "
                f"{official_h}: ours is {export.times_official:.1f} x as fast",
            )
        )
    rows.append(("memory", f"{_memory(export.peak_memory_mb)} at most"))
    _print_rows(console, "", rows)
    _print_aside(
        console,
        "Alone: nothing beside it, all cores its own. Each export, ours and the official in turns, "
        "has a process of its own; the official way has torch's own defaults there.",
    )
    if export.caveat is not None:
        console.print(escape(export.caveat), style="yellow", highlight=False)


def _print_live(console: Console, live: LiveFigures) -> None:
    age = "none came" if live.age_p95_ms is None else f"{live.age_p95_ms:.0f} ms, p95"
    start = "nothing shown" if live.first_shown_s is None else f"{live.first_shown_s:.1f} s"
    rows = [
        (
            "shown",
            f"{_number(live.shown_per_s)} frames a second; {live.num_dropped} of "
            f"{live.num_shown + live.num_dropped} dropped, {live.num_late} late by more than a "
            "frame's time",
        ),
        ("due to shown", f"{_number(live.late_p95_ms)} ms, p95"),
        ("jitter", f"{_number(live.jitter_p95_ms)} ms, p95, of the time between two frames"),
        ("age of maps", f"{age}; {live.num_maps} made"),
        ("CPU", f"{live.cpu_share:.0%} of all cores"),
        ("start to picture", start),
        ("memory", f"{_memory(live.peak_memory_mb)} at most"),
    ]
    title = f"Live at {live.frame_rate:g} frames a second, {live.model}, {live.runtime}"
    _print_rows(console, title, rows)
    _print_aside(console, "Without a window, which adds its own time.")


def _print_rows(console: Console, title: str, rows: Iterable[tuple[str, str]]) -> None:
    if title:
        _print_title(console, title)
        console.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in rows:
        if words:
            grid.add_row(name, words)
    console.print(grid, highlight=False)


def _print_title(console: Console, title: str) -> None:
    console.print(f"\n{escape(title)}", style="bold", highlight=False)


def _print_aside(console: Console, words: str) -> None:
    console.print(f"{escape(words)}", style="dim", highlight=False)


def _number(value: float | None, digits: int = 1) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


def _memory(peak_mb: float | None) -> str:
    return "an unknown amount" if peak_mb is None else f"{peak_mb:,.0f} MB"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
