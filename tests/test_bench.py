"""The benchmark as a person runs it, on a clip of a few frames."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from models.bench import session
from models.bench.stopwatch import STAGES
from run_live import main
from tests.program import PTS, fails

SMALL = replace(
    session.QUICK, matrix_s=0.01, maps_s=0.01, export_frames=6, official_frames=2, live_frames=6
)


def test_quick_bench_measures_everything_and_writes_it(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(session, "QUICK", SMALL)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)  # other tests' commands set it
    path = tmp_path / "figures.json"
    options = ["--models", "dino_vits16", "--runtime", "torch", "--precision", "float32"]
    quick = ["--quick", "--threads", "1", "--json", str(path)]
    assert main(["bench", str(hand_clip), *options, *quick]) == 0

    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["is_complete"] is True
    assert content["is_quick"] is True
    assert content["weights"] == "random"
    assert content["schema"] == 1
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
    assert export["num_frames_with_hand"] == export["num_maps"] == 6
    assert export["caveat"] is None
    asleep = {"num_threads": 1, "omp_wait_policy": "PASSIVE"}
    assert export["threads"] == content["live"]["threads"] == asleep
    defaults = {"num_threads": 1, "omp_wait_policy": None}
    assert export["official_threads"] == defaults
    assert [entry["threads"] for entry in content["maps"]] == [defaults, defaults]
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


def test_bench_of_a_clip_without_a_hand_is_refused_before_it_measures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("it measures")

    monkeypatch.setattr(session, "QUICK", SMALL)
    monkeypatch.setattr(session, "measure_matrix_rate", never)
    clip = tmp_path / "grey.mp4"
    with av.open(str(clip), "w") as video:
        stream = video.add_stream("libx264", rate=25)
        stream.width = stream.height = 128
        for _ in range(3):
            grey = av.VideoFrame.from_ndarray(np.full((128, 128, 3), 128, np.uint8))
            video.mux(stream.encode(grey))
        video.mux(stream.encode())
    assert "grey.mp4 shows no hand" in fails(capsys, "bench", clip, "--quick")


@pytest.mark.parametrize(
    ("words", "policy"),
    [
        (["--no-window", "--save", "never.mp4"], "PASSIVE"),
        (["export"], "PASSIVE"),
        (["bench"], None),
    ],
    ids=["live", "export", "bench"],
)
def test_waiting_threads_sleep_in_live_and_export_alone(
    words: list[str], policy: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("OMP_WAIT_POLICY", "")  # so that it is put back
    monkeypatch.delenv("OMP_WAIT_POLICY")
    fails(capsys, *words, tmp_path / "missing.mp4")
    assert os.environ.get("OMP_WAIT_POLICY") == policy
