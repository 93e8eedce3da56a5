"""Evaluation: every number against maps whose answer is known, and the program as a whole."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

import run_live
from models.evaluate import main, picture_sets
from models.evaluation.drawn import clips_of_signs, where_signing_happens
from models.evaluation.hand_measures import (
    FINGERS,
    finger_densities,
    head_correlations,
    jaccard,
    kept_by_cls,
    knn_accuracy,
    on_bare_patches,
)
from models.evaluation.picture_sets import PictureSet, on_backgrounds, on_grey, read_pictures
from models.evaluation.report import measure, worst
from models.evaluation.subject import Subject, open_subject, untrained
from models.registry import find_spec
from models.training.learner import start_network
from models.training.recipe import Recipe
from models.training.run_files import write_weights
from models.weights import find_weights
from stream.errors import SourceFormatError, SourceNotFoundError, WeightsError
from stream.hashing import sha256_of
from stream.measures import shares_of
from stream.sources.picture_files import PictureReader
from stream.study.blocks import Block
from tests.models.hand_sets import write_set
from tests.models.networks import noise

RECIPE = Recipe(dim=24, depth=2, num_heads=3, cls_block=1, view_px=16)


def _masks(*rows: str) -> npt.NDArray[np.bool_]:
    """Return one mask drawn with ``#``, (1, H, W)."""
    return np.array([[[letter == "#" for letter in row] for row in rows]])


def _draw_nothing(block: Block, path: Path) -> None:
    pass


@pytest.fixture
def subject() -> Subject:
    network = start_network(RECIPE.network, torch.Generator().manual_seed(3))
    return Subject(name="small", network=network.eval().requires_grad_(False), crop_px=32)


def test_only_patches_without_any_hand_are_beside_it() -> None:
    cover = np.array([[[1.0, 0.1], [0.0, 0.0]]])
    maps = np.array([[[[0.4, 0.2], [0.3, 0.1]], [[0.2, 0.2], [0.0, 0.1]]]])
    assert on_bare_patches(maps, cover)[0] == pytest.approx([0.4, 0.2])  # of all that patches get


def test_jaccard_equals_counting_pixels() -> None:
    masks = _masks("##..", "##..", "#...", "....")
    kept = np.array([[[[True, True], [False, False]], [[True, False], [True, False]]]])
    enlarged = kept.repeat(2, axis=2).repeat(2, axis=3)
    expected = (enlarged & masks[:, None]).sum((2, 3)) / (enlarged | masks[:, None]).sum((2, 3))
    assert jaccard(kept, masks).tolist() == expected.tolist() == [[4 / 9, 5 / 8]]


def test_what_no_patch_gets_is_kept_by_the_cls_token() -> None:
    whole = np.full((2, 2), 0.25)
    maps = np.stack([[head] * 3 for head in (whole, whole / 4)])
    maps[:, 2] = 1e-9
    assert kept_by_cls(maps) == pytest.approx([0.375, 0.375, 1.0])


def test_correlation_of_heads_is_pearsons() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((5, 3, 4, 4))
    maps[:, 2] = 2 - maps[:, 0]
    found = head_correlations(maps)
    shares = shares_of(maps).reshape(5, 3, -1)
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = [np.mean([np.corrcoef(p[i], p[j])[0, 1] for p in shares]) for i, j in pairs]
    assert found == pytest.approx(expected)
    assert found[1] == pytest.approx(-1.0)


def test_density_goes_to_the_finger_that_it_is_on() -> None:
    # Columns 0 and 1 belong to the index finger, the others to the palm.
    masks = np.ones((1, 8, 8), bool)
    landmarks = np.full((1, 21, 2), (6.0, 4.0), np.float32)
    landmarks[0, 6:9] = [(1, 1), (1, 4), (1, 7)]
    landmarks[0, [1, 5, 9, 13, 17, 0]] = (6.0, 4.0)
    landmarks[0, [2, 3, 4, 10, 11, 12, 14, 15, 16, 18, 19, 20]] = (99.0, 99.0)
    maps = np.zeros((1, 1, 4, 4))
    maps[0, 0, :, 0] = 1.0  # all attention on columns 0 and 1
    densities = finger_densities(maps, masks, landmarks)[0]
    assert densities[FINGERS.index("index")] > 2
    assert densities[FINGERS.index("palm")] < 0.5
    assert np.isnan(densities[[0, 2, 3, 4]]).all()


def test_neighbours_never_are_of_the_same_person() -> None:
    features = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [0.1, 1.0]])
    persons = ["p", "p", "q", "q"]
    assert knn_accuracy(features, ["A", "B", "A", "B"], persons, k=1) == 1.0
    assert knn_accuracy(features, ["A", "B", "B", "A"], persons, k=1) == 0.0
    # Within a person every neighbour would be right; across persons every one is wrong.
    own = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    assert knn_accuracy(own, ["A", "A", "B", "B"], persons, k=1) == 0.0
    assert math.isnan(knn_accuracy(own, ["A"] * 4, ["p"] * 4))


def test_majority_of_neighbours_wins_and_the_nearest_of_equals() -> None:
    angles = np.radians([0, 1, 2, 3])
    features = np.stack([np.cos(angles), np.sin(angles)], 1)
    labels, persons = ["A", "B", "A", "A"], ["p", "q", "q", "q"]
    assert knn_accuracy(features, labels, persons, k=3) == pytest.approx(3 / 4)
    assert knn_accuracy(features, ["B", "B", "A", "A"], persons, k=2) == pytest.approx(2 / 4)


def test_bad_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths"):
        knn_accuracy(np.zeros((2, 2)), ["A"], ["p", "q"])


def test_rendered_pictures_come_with_their_masks(tmp_path: Path) -> None:
    write_set(tmp_path, count=3)
    pictures = read_pictures(tmp_path, size_px=32, limit=2)
    assert pictures.images.shape == (2, 32, 32, 3)
    assert pictures.masks.dtype == bool
    assert pictures.masks[:, 16, 16].all()
    assert not pictures.masks[:, 0, 0].any()
    assert pictures.letters == ("A", "A")
    assert not pictures.is_cut


def test_real_hands_are_found_cut_and_put_before_other_things(shared: Path) -> None:
    real, grey, *others = picture_sets([shared / "isl"], size_px=64, limit=8)
    assert real.tried == 8
    assert len(real) >= 7
    assert len(set(real.letters)) >= 4
    assert len(set(real.persons)) >= 2
    area = real.masks.mean((1, 2))
    assert ((area > 0.1) & (area < 0.7)).all()
    near = cv2.dilate(real.masks.any(0).astype(np.uint8), np.ones((9, 9), np.uint8))
    outside = near == 0
    assert real.images[:, outside].max() < 20
    assert np.abs(grey.images[:, outside].astype(int) - 128).max() <= 2
    assert [each.name for each in others] == [
        "real, on rendered backgrounds",
        "real, on busy rooms",
    ]
    for each in others:
        assert each.images[:, outside].std() > 10


def test_hands_keep_their_pixels_on_other_backgrounds() -> None:
    masks = np.zeros((2, 32, 32), bool)
    masks[:, 8:24, 8:24] = True
    images = np.where(masks[..., None], np.uint8(90), np.uint8(0)).repeat(3, axis=3)
    pictures = PictureSet(
        name="real, as they are", images=images, masks=masks,
        landmarks=np.zeros((2, 21, 2), np.float32), letters=("A", "B"), persons=("p", "q"),
        tried=2, is_cut=True,
    )  # fmt: skip
    assert (on_grey(pictures).images[:, 16, 16] == 90).all()
    assert (on_grey(pictures).images[:, 0, 0] == 128).all()
    shown = on_backgrounds(pictures, "noise", lambda rng, size_px: noise(size_px, size_px))
    assert (shown.images[:, :4, :4] == noise(32, 32)[:4, :4]).all()
    red, green, blue = shown.images[0, 16, 16].tolist()
    assert red > green > blue  # grey hands are dyed as skin


def test_hands_keep_their_pixels_where_signing_happens() -> None:
    masks = np.zeros((3, 48, 48), bool)
    masks[:, 12:36, 12:36] = True
    hand = np.array([180, 120, 90], np.uint8)
    pictures = PictureSet(
        name="rendered, as they are", images=np.broadcast_to(hand, (3, 48, 48, 3)), masks=masks,
        landmarks=np.zeros((3, 21, 2), np.float32), letters=("A", "B", "C"),
        persons=("p", "q", "p"), tried=3, is_cut=False,
    )  # fmt: skip
    faces, *others, window = where_signing_happens(pictures)
    assert [each.name for each in (faces, *others, window)] == [
        "rendered, before faces",
        "rendered, beside a second hand",
        "rendered, before bare arms",
        "rendered, before wood and its like",
        "rendered, against the light",
    ]
    for each in (faces, *others):
        assert np.abs(each.images[:, 24, 24] - hand * (215 / 180)).max() < 2  # lit alike
        assert (each.images[:, :4] != hand).any((1, 2, 3)).all()  # what was behind is cut off
        assert each.letters == ("", "", "")  # nor are letters asked of them
    assert window.images[:, 24, 24].max() < 0.61 * 215


def test_clips_of_signs_know_their_hands() -> None:
    at_face, crossing = clips_of_signs(48, num_frames=1)
    assert len(at_face) == 5
    assert len(crossing) >= 2
    for clip in (at_face, crossing):
        assert ((clip.masks.mean((1, 2)) > 0.05) & (clip.masks.mean((1, 2)) < 0.7)).all()
        on_hand = [
            mask[tuple(np.clip(points, 0, 47).astype(int).T[::-1])].mean()
            for mask, points in zip(clip.masks, clip.landmarks, strict=True)
        ]
        assert np.mean(on_hand) > 0.8


def test_measured_numbers_agree_with_the_worst(subject: Subject, tmp_path: Path) -> None:
    write_set(tmp_path, count=6)
    pictures = read_pictures(tmp_path, size_px=32, limit=6)
    scores = measure(subject, pictures)
    assert len(scores.mass_over_area_heads) == 3
    assert scores.mass_over_area == pytest.approx(np.mean(scores.mass_over_area_heads))
    assert scores.jaccard <= scores.jaccard_head <= scores.jaccard_best
    assert 0.3 < scores.mass_over_area < scores.most
    lost = 1 - np.array(scores.mass_over_area_heads) / scores.most
    assert np.all(np.array(scores.on_bare_patches) > 0.02)
    assert np.all(scores.on_bare_patches < lost)
    assert all(0 < kept < 0.2 for kept in scores.kept_by_cls)  # 1 / 17 where it is even
    assert math.isnan(scores.knn)  # one person
    assert scores.as_dict()["knn"] is None
    assert sorted(worst(subject, pictures, 6)) == list(range(6))


def test_untrained_is_the_same_network_with_fresh_weights(subject: Subject) -> None:
    fresh = untrained(subject)
    assert fresh.network.config == subject.network.config
    images = noise(32, 32)[None]
    assert not np.allclose(fresh.attend(images), subject.attend(images))
    assert np.array_equal(fresh.attend(images), untrained(subject).attend(images))


def test_program_writes_numbers_and_sheets(
    subject: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out, weights = tmp_path / "set", tmp_path / "out", tmp_path / "small.safetensors"
    data.mkdir()
    write_set(data, count=6)
    write_weights(weights, subject.network, RECIPE)
    arguments = f"{weights} --data {data} --out {out} --num-threads 1 --limit 6"
    assert run_live.main(["evaluate", *arguments.split(), "--quick"]) == 0
    said = capsys.readouterr().out
    assert "attention on the hand" in said
    assert "where signing happens" not in said
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["size_px"] == 144  # as the bundled model, for nobody asked for another
    scores = report["sets"]["rendered, as they are"]
    assert scores["trained"]["num_pictures"] == 6
    assert scores["trained"].keys() == scores["untrained"].keys()
    sheets = {path.name for path in out.glob("*.png")}
    assert sheets == {"rendered_as_they_are.maps.png", "rendered_as_they_are.worst.png"}
    sheet = PictureReader().read(out / "rendered_as_they_are.maps.png")
    assert sheet.shape[1] == pytest.approx(183 / 25.4 * 300, abs=2)  # the figure's page
    drawn: dict[str, Block] = {}
    assert main(arguments.split(), draw=lambda block, path: drawn.update({path.name: block})) == 0
    assert "where signing happens" in capsys.readouterr().out
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["sets"]["rendered, before faces"]["trained"]["num_pictures"] == 6
    assert len(report["sets"]) == 1 + 5 + 2
    assert len(drawn) == 2 * len(report["sets"])
    block = drawn["clips_of_signs_at_the_face.maps.png"]
    assert block.weights_sha256 == sha256_of(weights)
    assert [row.maps[0].grid_hw for row in block.rows] == [(18, 18)] * 5


@pytest.mark.parametrize("option", ["--out", "--backgrounds"])
def test_what_cannot_be_is_said_before_anything_is_measured(
    option: str, subject: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, weights, file = tmp_path / "set", tmp_path / "small.safetensors", tmp_path / "file"
    data.mkdir()
    write_set(data, count=2)
    write_weights(weights, subject.network, RECIPE)
    file.write_text("not a folder")
    arguments = [str(weights), "--data", str(data), option, str(file)]
    assert main(arguments, draw=_draw_nothing) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"signlight evaluate: {file}: ")
    assert captured.err.count("\n") == 1


def test_open_subject_reads_what_training_wrote(subject: Subject, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    write_weights(path, subject.network, RECIPE)
    opened = open_subject(str(path), torch.device("cpu"))
    images = noise(32, 32)[None]
    assert opened.name == "mine"
    assert opened.crop_px == open_subject("dino_hands8", torch.device("cpu")).crop_px == 144
    np.testing.assert_allclose(opened.attend(images), subject.attend(images), rtol=2e-2, atol=1e-3)


@pytest.mark.parametrize("name", ["dino_hands8", "dino_hands16"])
def test_file_is_measured_at_the_size_of_the_model_that_it_would_stand_in_for(name: str) -> None:
    own = open_subject(name, torch.device("cpu"))
    weights = str(find_weights(find_spec(name)).path)
    assert open_subject(weights, torch.device("cpu")).crop_px == own.crop_px


@pytest.mark.parametrize(("view_px", "crop_px"), [(20, 140), (150, 150)])
def test_file_with_other_patches_is_measured_near_the_default_and_never_below_its_views(
    view_px: int, crop_px: int, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, patch_px=10, view_px=view_px)
    path = tmp_path / "tens.safetensors"
    write_weights(path, start_network(recipe.network, torch.Generator().manual_seed(0)), recipe)
    assert open_subject(str(path), torch.device("cpu")).crop_px == crop_px


@pytest.mark.parametrize(
    "model", ["no_such_model", "absent.safetensors"], ids=["unknown name", "no file"]
)
def test_unknown_models_are_one_clear_line(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([model, "--data", str(tmp_path)], draw=_draw_nothing) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("signlight evaluate: ")
    assert captured.err.count("\n") == 1


def test_what_cannot_be_measured_is_refused(subject: Subject, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError):
        read_pictures(tmp_path / "absent", size_px=32, limit=1)
    with pytest.raises(SourceFormatError, match="no hand"):
        read_pictures(tmp_path, size_px=32, limit=1)
    text = tmp_path / "notes.txt"
    text.write_text("no weights")
    with pytest.raises(WeightsError, match="not safetensors"):
        open_subject(str(text), torch.device("cpu"))
    weights = tmp_path / "small.safetensors"
    write_weights(weights, subject.network, RECIPE)
    with pytest.raises(SystemExit) as usage:
        main([str(weights), "--data", str(tmp_path), "--size", "30"], draw=_draw_nothing)
    assert usage.value.code == 2
    with pytest.raises(SystemExit) as usage:
        main(["dino_resnet50", "--data", str(tmp_path)], draw=_draw_nothing)
    assert usage.value.code == 2
