"""``signlight figure`` as a person runs it, with the models that come with Signlight."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models import load_model
from models.evaluation.picture_sets import PictureSet, read_pictures
from models.evaluation.report import measure
from models.evaluation.subject import open_subject
from models.hands.bundle import find_pose_bundle
from run_live import COMMANDS, FACTORIES, SAMPLE_SIGNS, main
from samples.dataset import write_set
from stream.command_line.parsing import parse_args
from stream.errors import SignlightError
from stream.jobs.figure import Figure
from stream.measures import cover_of, shares_of
from stream.sinks.png import write_png
from stream.sources.picture_files import PictureReader
from stream.study.numbers import measure_shares, number_block
from tests.conftest import ROOT
from tests.program import fails
from tests.stream.study.studied import block_of

FACES_ARE_SEEN = find_pose_bundle() is not None and find_spec("openvino") is not None


def _figure(*arguments: str | Path) -> int:
    return main(["figure", *map(str, arguments)])


def _told(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_without_arguments_five_signs_are_shown_by_the_models_that_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _figure("--matrix", "--stable") == 0
    captured = capsys.readouterr()
    names = ["figure.png", "figure.matrix.png", "figure.csv", "figure.json", "figure.txt"]
    assert captured.out.split() == names
    assert "keeps to" in captured.err
    told = _told(tmp_path / "figure.json")
    picture = told["pictures"][2]
    content = (SAMPLE_SIGNS / picture["source"]).read_bytes()
    assert picture["sha256"] == hashlib.sha256(content).hexdigest()
    groups = told["models"][0]["numbers"]["groups"]
    assert sorted(head for group in groups for head in group["heads"]) == [*range(6)]
    assert [picture["name"] for picture in told["pictures"]] == ["A", "C", "L", "W", "Y"]
    assert told["left_out"] == []
    assert [each["model"] for each in told["models"]] == ["dino_hands8", "dino_hands16"]
    for each in told["models"]:
        mean = each["numbers"]["heads"]["mean"]["mass_over_area"]["mean"]
        fresh = each["random_weights"]["heads"]["mean"]["mass_over_area"]["mean"]
        assert mean > 3  # of 7.9 possible; the card says how much
        assert fresh == pytest.approx(1, abs=0.2)
        assert 1 < each["numbers"]["variation"]["effective_heads"]["mean"] < 6
    rows = _rows(tmp_path / "figure.csv")
    assert len(rows) == 2 * 5 * 7
    assert {row["head"] for row in rows} == {*"012345", "mean"}
    heads = [float(row["mass_over_area"]) for row in rows[:35] if row["head"] == "3"]
    head = told["models"][0]["numbers"]["heads"]["3"]
    assert np.mean(heads) == pytest.approx(head["mass_over_area"]["mean"], abs=1e-4)
    caption = (tmp_path / "figure.txt").read_text(encoding="utf-8")
    assert told["models"][0]["weights_sha256"] in caption
    assert "Attention is not an explanation" in caption


def test_macro_beside_micro_layer_after_layer_a_file_for_each_model(tmp_path: Path) -> None:
    arguments = "--region both --models dino_vits16,dino_resnet50 --random-weights --crop-size 64"
    signs = [SAMPLE_SIGNS / "L.jpg", SAMPLE_SIGNS / "Y.jpg"]
    out = tmp_path / "f.svg"
    assert _figure(*signs, "-o", out, *arguments.split(), "--layers=0,-1", "--each") == 0
    told = _told(tmp_path / "f.json")
    assert [(each["region"], each["layer"]) for each in told["models"]] == [
        ("frame", 0), ("frame", 11), ("hands", 0), ("hands", 11),
        ("frame", 0), ("frame", 3), ("hands", 0), ("hands", 3),
    ]  # fmt: skip
    assert all(each["random_weights"] is None for each in told["models"])  # they are
    for model in ("dino_vits16", "dino_resnet50"):
        page = (tmp_path / f"f.{model}.svg").read_text(encoding="utf-8")
        assert page.count("random weights</text>") >= 2
        assert ("attention" in page) == (model == "dino_vits16")
    assert not out.exists()


def test_attention_of_whole_pictures_is_parted_between_hands_face_and_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look = ("--region", "both", "--models", "dino_hands16", "--no-baseline", "--stable")
    assert _figure(SAMPLE_SIGNS / "L.jpg", *look, "-o", tmp_path / "f.svg") == 0
    said = capsys.readouterr().err
    macro, micro = ([row for row in _rows(tmp_path / "f.csv") if row["region"] == region]
                    for region in ("frame", "hands"))  # fmt: skip
    assert all(0 <= float(row["crop_divergence"]) <= 1 for row in micro)
    assert all(0 <= float(row["macro_on_hand"]) <= 1 for row in micro)
    assert all(row["crop_divergence"] == "" for row in macro)
    caption = (tmp_path / "f.txt").read_text(encoding="utf-8")
    assert "The crop changes the mean map by" in caption
    page = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert page.count("\N{GREEK SMALL LETTER ALPHA}") >= 2  # a group in each block
    parts = ("mass_on_hand", "mass_on_face", "mass_elsewhere")
    if FACES_ARE_SEEN:
        assert "how maps are parted" in said
        for row in (*macro, *micro):
            assert sum(float(row[name]) for name in parts) == pytest.approx(1, abs=1e-4)
        assert "in the 1 of 1 pictures with a face" in caption
    else:
        assert "no face was found" in said
        assert all(row["mass_on_face"] == row["mass_elsewhere"] == "" for row in macro)


def test_a_picture_without_a_hand_is_said_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = tmp_path / "wall.png"
    write_png(wall, np.full((120, 160, 3), 128, np.uint8))
    look = ("--models", "dino_hands16", "--no-baseline", "-o", tmp_path / "f.png")
    assert _figure(wall, SAMPLE_SIGNS / "L.jpg", *look) == 0
    note = f"no hand found in {wall}; --region frame takes it whole"
    assert f"note: {note}" in capsys.readouterr().err
    told = _told(tmp_path / "f.json")
    assert told["left_out"] == [note.replace(str(wall), "wall.png")]
    assert str(tmp_path) not in (tmp_path / "f.json").read_text(encoding="utf-8")
    assert {row["sign"] for row in _rows(tmp_path / "f.csv")} == {"L"}
    line = fails(capsys, "figure", wall, *look)
    assert f"no hand found in {wall}; --region frame" in line
    assert _figure(wall, "--region", "frame", *look) == 0
    (row, *_) = _rows(tmp_path / "f.csv")
    assert row["mass_on_hand"] == ""
    assert float(row["effective_patches"]) >= 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-o", "f.png", "--heads", "9"], "--heads 9: dino_hands8 has heads 0 to 5"),
        (["-o", "f.png", "--layers", "2"], "--layer 2: dino_hands8 has attention in layer 4"),
        (["-o", "away/f.png"], "there is no folder away; make it first"),
        (["-o", "taken.png"], "taken.json is there already and Signlight did not make it"),
        (["nothing.jpg", "-o", "f.png"], "nothing.jpg: no such picture, folder or VIDEO@TIME"),
        (["sign.png", "-o", "sign.png"], "sign.png is the input; choose another name"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    arguments: list[str],
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken.json").write_text('{"of": "somebody"}')
    write_png(tmp_path / "sign.png", np.full((120, 160, 3), 128, np.uint8))
    before = sorted(tmp_path.iterdir())
    assert word in fails(capsys, "figure", *arguments)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-o", "figure.jpg"], "must end in .png, .pdf or .svg"),
        (["--models", "dino_hand8"], "did you mean dino_hands8"),
        (["--weights", "a.pth"], "of which model? name it alone"),
    ],
)
def test_wrong_usage(arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        _figure(*arguments)
    assert stop.value.code == 2
    assert word in capsys.readouterr().err


def test_the_page_shows_how_a_notebook_has_the_figure() -> None:
    page = (ROOT / "docs" / "figure.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    image = PictureReader().read(SAMPLE_SIGNS / "L.jpg")
    names: dict[str, Any] = {"pictures": {"L": image[100:244, 100:244], "M": image[:144, :144]}}
    exec(compile(code, "docs/figure.md", "exec"), names)
    assert len(names["figure"].axes[0].images) == 2 * 8 + 1
    assert names["numbers"].matrix.shape == (6, 6)
    words = [text.get_text() for text in names["figure"].axes[0].texts]
    assert "random weights" not in words
    assert words.count("L") == 1


def test_installed_without_samples_it_says_so(
    tmp_path: Path,
) -> None:
    _, options = parse_args(["figure", "-o", str(tmp_path / "f.png")], COMMANDS)
    way_out = "comes without sample pictures; name some: signlight figure PICTURE..."
    with pytest.raises(SignlightError, match=re.escape(way_out)):
        Figure(options, FACTORIES, tmp_path / "signs").run()


@pytest.fixture(params=["rendered", "isl"])
def known_hands(request: pytest.FixtureRequest, tmp_path: Path) -> PictureSet:
    """Return pictures whose masks are known."""
    folder = tmp_path
    if request.param == "isl":
        folder = request.getfixturevalue("shared") / "isl"
    else:
        assert all(is_new for _, is_new in write_set(tmp_path, count=3, size_px=112))
    return read_pictures(folder, size_px=144, limit=8)


def test_numbers_are_those_of_the_evaluation_on_the_same_pictures(
    known_hands: PictureSet,
) -> None:
    """The evaluation has its own way through torch."""
    subject = open_subject("dino_hands8", torch.device("cpu"))
    scores = measure(subject, known_hands)
    with load_model("dino_hands8", precision="float32", device="cpu") as model:
        maps = model.attend(list(known_hands.images))
    covers = cover_of(known_hands.masks, (18, 18))
    numbers = [
        measure_shares(shares_of(np.concatenate([each.weights, each.mean[None]])), cover)
        for each, cover in zip(maps, covers, strict=True)
    ]
    means = {name: np.mean([each[name] for each in numbers], 0) for name in numbers[0]}
    assert means["mass_over_area"][:-1] == pytest.approx(scores.mass_over_area_heads, rel=1e-3)
    assert means["most"][-1] == pytest.approx(scores.most)
    assert means["peak_on_hand"][-1] == scores.peak_on_hand
    divergence, _ = number_block(
        block_of([each.weights.astype(np.float64) for each in maps]), 0
    ).variation["head_divergence"]
    assert divergence == pytest.approx(scores.divergence, abs=1e-4)
