"""The benchmark as a person runs it, on a clip of a few frames."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models.bench import session
from run_live import main
from stream.bench.stopwatch import STAGES
from tests.program import PTS, fails

SMALL = replace(
    session.QUICK, matrix_s=0.01, maps_s=0.01, export_frames=6, official_frames=2, live_frames=6
)


def test_quick_bench_measures_everything_and_writes_it(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(session, "QUICK", SMALL)
    path = tmp_path / "figures.json"
    options = ["--models", "dino_vits16", "--runtime", "torch", "--precision", "float32"]
    quick = ["--quick", "--threads", "1", "--json", str(path)]
    assert main(["bench", str(hand_clip), *options, *quick]) == 0

    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["is_complete"] is True
    assert content["is_quick"] is True
    assert content["weights"] == "random"
    assert content["matrix"][0]["precision"] == "float32"
    assert [(entry["model"], entry["runtime"]) for entry in content["maps"]] == [
        ("dino_vits16", "torch"),
        ("dino_vits16", "official"),
    ]
    export = content["export"]
    assert (export["num_frames"], export["size_wh"]) == (6, [256, 256])
    assert [stage["name"] for stage in export["stages"]] == list(STAGES)
    assert min(stage["alone_ms"] for stage in export["stages"]) > 0
    assert min(stage["busy_ms"] for stage in export["stages"]) > 0
    assert export["frames_per_s"] > 0
    assert export["official_frames_per_s"] > 0
    assert export["runtime"] == "torch, cpu, float32"
    live = content["live"]
    assert live["num_shown"] + live["num_dropped"] == 6 < len(PTS)
    assert live["first_shown_s"] > 0
    page = capsys.readouterr().out
    for words in ("dino_vits16", "official", "Export at 256 x 256", "Live at 25", "random"):
        assert words in page


def test_bench_of_what_is_no_video_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("words")
    assert "text.mp4" in fails(capsys, "bench", text)
    assert "is no file" in fails(capsys, "bench", tmp_path / "missing.mp4")


def test_bench_does_not_begin_where_figures_cannot_be_written(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "notes.json"
    other.write_text("[1, 2]")
    assert "holds no figures" in fails(capsys, "bench", hand_clip, "--json", other)
    assert other.read_text() == "[1, 2]"


def test_stopped_bench_shows_what_it_has(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def interrupted(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "QUICK", SMALL)
    monkeypatch.setattr(session, "time_maps", interrupted)
    path = tmp_path / "figures.json"
    assert main(["bench", str(hand_clip), "--quick", "--json", str(path)]) == 130
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["is_complete"] is False
    assert content["matrix"]
    assert content["maps"] == []
    assert "stopped" in capsys.readouterr().out
