"""The figures as a page for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stream.bench.figures import BenchReport, ExportFigures, LiveFigures, Machine

__all__ = ["print_report"]

_DASH = "[dim]-[/dim]"


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
        console.print(f"note: {escape(note)}", style="dim", highlight=False)
    if not report.is_complete:
        console.print("stopped: what is missing was not measured", style="yellow")


def _print_machine(console: Console, report: BenchReport) -> None:
    machine: Machine = report.machine
    rows = [
        ("machine", f"{machine.cpu}, {_count(machine.num_cores, 'core')}, {machine.system}"),
        ("", " ".join(machine.instructions)),
        ("memory", "" if machine.memory_gb is None else f"{machine.memory_gb:.1f} GB"),
        ("GPU", machine.gpu or "none used"),
        ("versions", ", ".join(f"{name} {number}" for name, number in machine.versions.items())),
        (
            "matrix peak",
            ", ".join(f"{rate.precision} {rate.gflop_s:,.0f} GFLOP/s" for rate in report.matrix),
        ),
        ("weights", f"{report.weights}: speed does not depend on them"),
    ]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in rows:
        if words:
            grid.add_row(name, escape(words))
    console.print(grid)


def _print_maps(console: Console, report: BenchReport) -> None:
    table = _table(
        f"One picture of {report.crop_px} x {report.crop_px}",
        ["model", "runtime", "precision"],
        ["median ms", "p95 ms", "maps/s", "GFLOP", "x floor", "x official"],
    )
    last = ""
    for figures in report.maps:
        is_baseline = figures.runtime == "official"
        times = report.times_official(figures)
        if last not in ("", figures.model):
            table.add_section()
        table.add_row(
            figures.model if figures.model != last else "",
            "DINO's own way" if is_baseline else f"{figures.runtime}, {escape(figures.device)}",
            figures.precision,
            _number(figures.median_ms),
            _number(figures.p95_ms),
            _number(figures.maps_per_s),
            "" if figures.model == last else _number(figures.gflop),
            _number(figures.times_floor, 2),
            _DASH if is_baseline else _number(times, 2),
            style="dim" if is_baseline else "",
        )
        last = figures.model
    console.print(table)
    console.print(
        "from uint8 picture to float32 maps, one at a time, all in turns; floor: the operations of "
        "the CLS row over the matrix peak of the precision",
        style="dim",
        highlight=False,
    )


def _print_export(console: Console, export: ExportFigures) -> None:
    width, height = export.size_wh
    table = _table(
        f"Export of {width} x {height} with {export.model} ({export.runtime}), ms a frame",
        ["stage"],
        ["alone", "median", "p95", "CPU time", "in the export"],
    )
    slowest = max(export.stages, key=lambda stage: stage.alone_ms)
    for stage in export.stages:
        table.add_row(
            f"{stage.name} [yellow]< slowest[/yellow]" if stage is slowest else stage.name,
            _number(stage.alone_ms),
            _number(stage.alone_median_ms),
            _number(stage.alone_p95_ms),
            _number(stage.cpu_ms),
            _number(stage.busy_ms),
        )
    table.add_section()
    table.add_row(
        "sum", _number(sum(s.alone_ms for s in export.stages)), "", "",
        _number(sum(s.cpu_ms for s in export.stages)), _number(export.cpu_ms) + " CPU",
    )  # fmt: skip
    console.print(table)
    rate = export.frames_per_s
    lines = [
        f"[bold]{rate:.1f} frames a second[/bold] end to end ({export.num_frames} frames; hands, "
        "picture, sound and encoding)",
        f"{rate / export.slowest_stage_per_s:.0%} of the {export.slowest_stage_per_s:.1f} that the "
        "slowest stage allows alone",
        f"{rate / export.cores_per_s:.0%} of the {export.cores_per_s:.1f} that the stages' CPU "
        f"time over {_count(export.num_cores, 'core')} allows",
    ]
    if export.official_frames_per_s and export.times_official:
        official_w, official_h = export.official_size_wh
        lines.append(
            f"[bold]{export.times_official:.1f} x[/bold] DINO's own way at {official_w} x "
            f"{official_h} ({export.official_frames_per_s:.1f} frames a second)"
        )
    lines.append(f"at most {_memory(export.peak_memory_mb)} of memory")
    _print_lines(console, lines)


def _print_live(console: Console, live: LiveFigures) -> None:
    table = _table(
        f"Live view at {live.frame_rate:g} frames a second with {live.model} ({live.runtime})",
        ["figure"],
        [""],
    )
    table.show_header = False
    for name, words in (
        ("frames shown a second", _number(live.shown_per_s)),
        ("shown, dropped, late", f"{live.num_shown}, {live.num_dropped}, {live.num_late}"),
        ("due to shown, p95", f"{_number(live.late_p95_ms)} ms"),
        ("jitter between frames, p95", f"{_number(live.jitter_p95_ms)} ms"),
        ("age of the maps shown, p95", f"{_number(live.age_p95_ms, 0)} ms"),
        ("maps", f"{live.num_maps}"),
        ("cores busy", f"{live.cpu_share:.0%}"),
        ("start to first frame", f"{_number(live.first_shown_s)} s"),
        ("memory at most", _memory(live.peak_memory_mb)),
    ):
        table.add_row(name, words)
    console.print(table)
    console.print(
        "without a window, which adds its own time; late: by more than a frame's time",
        style="dim",
        highlight=False,
    )


def _table(title: str, words: Iterable[str], numbers: Iterable[str]) -> Table:
    table = Table(
        title=f"\n[bold]{escape(title)}[/bold]",
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in words:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, highlight=False)


def _number(value: float | None, digits: int = 1) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


def _memory(peak_mb: float | None) -> str:
    return "an unknown amount" if peak_mb is None else f"{peak_mb:,.0f} MB"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
