"""``signlight annotate`` as a person runs it, and what other programs find in what it wrote."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pandas
import pympi
import pytest

from run_live import COMMANDS, main
from stream.command_line.parsing import parse_args
from stream.jobs import annotation_mark
from tests.conftest import ROOT
from tests.program import PTS, QUICK, TIME_BASE, fails, num_played
from tests.waits import PROCESS_S, until

EVERYTHING = ["--csv", "--maps", "--report", "--pose", "--srt", "--video"]


def _annotate(*arguments: str | Path) -> int:
    return main(["annotate", *map(str, arguments), *QUICK])


def _told(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(
        (folder / f"{folder.name.removesuffix('.annotation')}.json").read_text(encoding="utf-8")
    )
    return content


def _content(folder: Path) -> dict[str, str]:
    """Return a hash of every file of results, dates and durations taken out."""
    hashes = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        if path.suffix == ".eaf":
            content = re.sub(rb'DATE="[^"]*"|urn:nl-mpi-[^<]*', b"", content)
        if path.suffix == ".json":
            told = json.loads(content)
            told["seconds"] = 0
            content = json.dumps(told).encode()
        hashes[path.name] = hashlib.sha256(content).hexdigest()
    return hashes


def _pause(process: subprocess.Popen[Any]) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.02)


@pytest.fixture
def clip(hand_clip: Path, tmp_path: Path) -> Path:
    path = tmp_path / "my sign.mp4"
    path.write_bytes(hand_clip.read_bytes())
    return path


def test_everything_lies_in_a_folder_beside_the_video(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _annotate(clip, *EVERYTHING) == 0
    folder = clip.with_name("my sign.annotation")
    assert capsys.readouterr().out.strip() == str(folder)
    names = {path.name.removeprefix("my sign") for path in folder.iterdir()}
    assert names == {
        ".attention.csv",
        ".attention.parquet",
        ".eaf",
        ".frames.csv",
        ".frames.parquet",
        ".html",
        ".json",
        ".maps.npz",
        ".overlay.mp4",
        ".pfsx",
        ".pose",
        ".srt",
        ".vtt",
        "_elan.csv",
        "_tsconf.xml",
    }

    frames = pandas.read_parquet(folder / "my sign.frames.parquet")
    right = frames[frames["hand"] == "right"]
    assert right["time_s"].tolist() == pytest.approx([float(pts * TIME_BASE) for pts in PTS])
    attention = pandas.read_parquet(folder / "my sign.attention.parquet")
    assert len(attention) == len(PTS) * 7, "six heads and their mean"
    document = pympi.Elan.Eaf(folder / "my sign.eaf")
    assert document.get_annotation_data_for_tier("RH-in view")
    assert [media["RELATIVE_MEDIA_URL"] for media in document.media_descriptors] == [
        "../my sign.mp4",
        "./my sign.overlay.mp4",
    ]
    assert num_played(folder / "my sign.overlay.mp4") == len(PTS)
    told = _told(folder)
    assert told["frames"] == len(PTS)
    assert told["precision"] == "float32"
    assert set(told["outputs"]) == {path.name for path in folder.iterdir()} - {"my sign.json"}  # type: ignore[call-overload]
    assert "does not explain" in str(told["methods"])


def test_marks_and_settings_of_a_live_recording_are_tiers(hand_clip: Path, tmp_path: Path) -> None:
    video = tmp_path / "live.clean.mp4"
    video.write_bytes(hand_clip.read_bytes())
    rows = ["time_s,setting,value", "0.000,head,mean", "0.000,layer,4", "0.080,mark,HOUSE"]
    table = tmp_path / "live.events.csv"
    table.write_text("\n".join([*rows, "0.200,head,3"]), encoding="utf-8")
    assert _annotate(video) == 0
    eaf = pympi.Elan.Eaf(str(tmp_path / "live.clean.annotation" / "live.clean.eaf"))
    end_ms = eaf.get_annotation_data_for_tier("BH-setting")[-1][1]
    assert eaf.get_annotation_data_for_tier("BH-mark") == [(80, end_ms, "HOUSE")]
    assert eaf.get_annotation_data_for_tier("BH-setting") == [
        (0, 200, "head mean, layer 4"),
        (200, end_ms, "head 3"),
    ]


def test_a_gap_where_the_camera_was_lost_is_a_stretch(hand_clip: Path, tmp_path: Path) -> None:
    """From the last picture on; a return without a loss is of the part before."""
    video = tmp_path / "live-2.overlay.mp4"
    video.write_bytes(hand_clip.read_bytes())
    rows = ["0.000,head,mean", "0.000,signal,back", "0.080,signal,lost", "0.160,signal,back"]
    table = tmp_path / "live-2.events.csv"
    table.write_text("\n".join(["time_s,setting,value", *rows]), encoding="utf-8")
    assert _annotate(video) == 0
    eaf = pympi.Elan.Eaf(str(tmp_path / "live-2.overlay.annotation" / "live-2.overlay.eaf"))
    assert eaf.get_annotation_data_for_tier("BH-signal") == [(80, 160, "lost")]
    assert len(eaf.get_annotation_data_for_tier("BH-setting")) == 1


def test_a_damaged_table_of_events_is_a_note(
    hand_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "live.clean.mp4"
    video.write_bytes(hand_clip.read_bytes())
    (tmp_path / "live.events.csv").write_text("time_s,setting\nsoon,head\n", encoding="utf-8")
    assert _annotate(video) == 0
    assert "its marks and settings are left out" in capsys.readouterr().err
    eaf = pympi.Elan.Eaf(str(tmp_path / "live.clean.annotation" / "live.clean.eaf"))
    assert not {"BH-mark", "BH-setting"} & set(eaf.get_tier_names())


def test_what_is_done_is_not_done_again_unless_something_changed(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = clip.with_name("my sign.annotation")
    assert _annotate(clip) == 0
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert _annotate(clip) == 0
    assert "done before" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    eaf = folder / "my sign.eaf"
    eaf.write_bytes(re.sub(rb"<!--.*-->", b"", eaf.read_bytes()))  # as ELAN saves it
    assert _annotate(clip) == 0
    assert "done before" in capsys.readouterr().err

    eaf.unlink()
    mine = folder / "my sign.notes.txt"
    mine.write_text("mine")
    assert _annotate(clip, "--srt") == 0
    assert (folder / "my sign.srt").exists()
    assert _annotate(clip) == 0
    assert not (folder / "my sign.srt").exists(), "it would be of other options"
    assert mine.exists()
    assert set(_told(folder)["outputs"]) == {path.name for path in before} - {"my sign.json"}  # type: ignore[call-overload]


def test_what_the_docs_show_in_pandas_runs(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clip.rename("b.mp4")
    assert _annotate("b.mp4", "--maps") == 0
    assert main(["annotate", "merge", "."]) == 0
    text = (ROOT / "docs" / "annotating.md").read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(example, found)
    assert found["speed"].notna().any()
    assert found["sharpest"] in list("012345")
    assert found["unit"] == "palm lengths per second"
    assert found["maps"].weights.ndim == 3
    assert found["failed"].empty


@pytest.fixture
def corpus(hand_clip: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "S1").mkdir(parents=True)
    for name in ("a.mp4", "S1/b.mp4"):
        (folder / name).write_bytes(hand_clip.read_bytes())
    for name in ("S1/broken.mp4", "S1/torn.mp4"):
        (folder / name).write_bytes(hand_clip.read_bytes()[:3000])
    return folder


def _rows(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {Path(row["video"]).name: row["status"] for row in csv.DictReader(file)}


def test_a_broken_video_is_a_line_and_is_not_tried_again_unless_it_is_mended(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _annotate(corpus, "-o", out, "--workers", "2") == 1
    done = dict.fromkeys(("a.mp4", "b.mp4"), "done")
    failed = dict.fromkeys(("broken.mp4", "torn.mp4"), "failed")
    assert _rows(out / "annotations.csv") == done | failed
    assert (out / "S1" / "b" / "b.eaf").is_file()
    captured = capsys.readouterr()
    assert captured.out.strip() == str(out / "annotations.csv")
    assert "4 videos: 2 done, 2 failed" in captured.err

    (corpus / "S1" / "torn.mp4").write_bytes((corpus / "a.mp4").read_bytes())
    assert _annotate(corpus, "-o", out) == 1
    mended = {"broken.mp4": "failed", "torn.mp4": "done"}
    assert _rows(out / "annotations.csv") == dict.fromkeys(done, "skipped") | mended
    assert "--retry-failed" in capsys.readouterr().err
    assert main(["annotate", "merge", str(out)]) == 1
    assert _rows(out / "annotations.csv") == done | mended


def test_a_machine_takes_its_part_of_a_corpus(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert _annotate(corpus, "-o", out, "--shard", "2/4") == 1
    assert _rows(out / "annotations.2-of-4.csv") == {"broken.mp4": "failed"}


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(clip: Path, tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    assert _annotate(clip, "-o", undisturbed, *EVERYTHING) == 0
    killed = tmp_path / "killed"
    folder = killed / "my sign"
    arguments = ["annotate", str(clip), "-o", str(killed), *EVERYTHING, *QUICK]
    chance = random.Random(4)
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "run_live.py", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        num_files = chance.randint(1, 9)

        def has_begun(process: subprocess.Popen[bytes] = process, least: int = num_files) -> bool:
            is_there = folder.is_dir() and len(list(folder.iterdir())) >= least
            return is_there or process.poll() is not None

        until(has_begun, "files to appear", between=partial(_pause, process))
        process.send_signal(signal.SIGKILL)
        process.wait(PROCESS_S)
        assert not (folder / "my sign.json").exists() or _told(folder)["frames"] == len(PTS)
    assert main(arguments) == 0
    expected = _content(undisturbed / "my sign")
    assert _content(folder).keys() == expected.keys(), "nothing half made is left"
    assert {name: value for name, value in _content(folder).items() if name != "my sign.json"} == {
        name: value for name, value in expected.items() if name != "my sign.json"
    }


def test_ctrl_c_leaves_nothing_half_made(long_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out" / long_clip.stem
    process = subprocess.Popen(
        [
            *(sys.executable, "run_live.py", "annotate", str(long_clip)),
            *("-o", str(tmp_path / "out"), *QUICK),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(
        lambda: folder.is_dir() and any(folder.iterdir()),
        "files to appear",
        between=partial(_pause, process),
    )
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PROCESS_S)
    assert process.returncode == 128 + signal.SIGTERM, stderr
    assert list(folder.iterdir()) == []


def test_columns_are_told_without_a_video(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotate", "--columns"]) == 0
    assert "normalized_entropy" in capsys.readouterr().out


def test_a_file_of_theirs_is_not_written_over(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = clip.with_name("my sign.annotation")
    folder.mkdir()
    (folder / "my sign.json").write_text('{"mine": 1}')
    assert "did not make it" in fails(capsys, "annotate", clip, *QUICK)
    assert (folder / "my sign.json").read_text() == '{"mine": 1}'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.mp4"], "no such file or folder"),
        (["https://example.org/a.mp4"], "download it"),
        (["merge"], "which folder"),
        (["merge", "."], "no results of annotate"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in fails(capsys, "annotate", *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.mp4", "--by", "Gloss"],
        ["a.mp4", "--tiers", "{nonsense}"],
        ["a.mp4", "--shard", "9/8"],
        ["a.mp4", "--pose-rate", "25"],
        ["--ray", "."],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["annotate", *arguments])
    assert caught.value.code == 2


def test_options_that_change_no_result_are_options() -> None:
    _, options = parse_args(["annotate", "a.mp4"], COMMANDS)
    assert options.by_name.keys() | {"source"} >= annotation_mark._NOT_THE_RESULT
