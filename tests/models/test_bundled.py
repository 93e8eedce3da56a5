"""The model that comes with Signlight: its attention lands on hands, which is what it is for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import models.weights
from models.evaluation.pictures import PictureSet, on_grey, read_pictures
from models.evaluation.report import measure
from models.evaluation.subject import Subject, open_subject, untrained
from models.loading import load_model
from models.registry import find_spec
from models.training.checkpoint import read_weights, write_weights
from models.training.recipe import Recipe
from models.weights import fetch_weights, find_weights, is_ready, remember
from samples.dataset import write_set
from stream.errors import WeightsError
from stream.hashing import sha256_of

SIDE_PX = 144
BUNDLED = find_spec("dino_hands8")


@pytest.fixture(scope="module")
def bundled() -> Subject:
    return open_subject("dino_hands8", torch.device("cpu"))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> PictureSet:
    """Hands before furnished backgrounds, of a series that nothing was trained on."""
    folder = tmp_path_factory.mktemp("held")
    for _ in write_set(folder, count=24, size_px=112, seed=7):
        pass
    return read_pictures(folder, size_px=SIDE_PX, limit=24)


@pytest.fixture(scope="module")
def real(shared: Path) -> PictureSet:
    return read_pictures(shared / "isl", size_px=SIDE_PX, limit=46)


def test_attention_is_on_rendered_hands_and_was_not_before_training(
    bundled: Subject, rendered: PictureSet
) -> None:
    trained, before = measure(bundled, rendered), measure(untrained(bundled), rendered)
    assert trained.mass_over_area > 2.8
    assert trained.peak_on_hand >= 0.9
    assert trained.jaccard_head > 0.5
    assert trained.correlation < 0.9  # 0.78 on a large set
    assert before.mass_over_area < 1.5


def test_attention_is_on_real_hands(bundled: Subject, real: PictureSet) -> None:
    """Before black, where an untrained model has the peak on the hand, too."""
    trained, before = measure(bundled, real), measure(untrained(bundled), real)
    assert trained.mass_over_area > 2.8
    assert trained.peak_on_hand >= 0.95
    assert trained.jaccard_head > 0.6
    assert before.mass_over_area < 1.5
    assert before.jaccard_head < 0.6


def test_a_head_covers_real_hands_on_grey(bundled: Subject, real: PictureSet) -> None:
    assert measure(bundled, on_grey(real)).jaccard_head > 0.53


def test_every_head_looks_at_patches_rather_than_at_the_cls_token(
    bundled: Subject, rendered: PictureSet
) -> None:
    """Or its map would show what no output depends on."""
    assert max(measure(bundled, rendered).kept_by_cls) < 0.1


def test_documented_command_trains_with_its_recipe() -> None:
    """The card says: without further options."""
    _, recipe = read_weights(find_weights(BUNDLED).path)
    assert recipe == Recipe()
    asked = (BUNDLED.depth, BUNDLED.dim, BUNDLED.num_heads, BUNDLED.cls_block, BUNDLED.pretrain_px)
    trained = (recipe.depth, recipe.dim, recipe.num_heads, recipe.cls_block, recipe.view_px)
    assert asked == trained


def test_bundled_weights_are_there_without_cache_or_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(cache))
    assert is_ready(BUNDLED)
    found = find_weights(BUNDLED)
    assert found == fetch_weights(BUNDLED)
    assert found.sha256 == BUNDLED.sha256 == sha256_of(found.path)
    assert found.path.stat().st_size < 12e6
    remember(BUNDLED, found)
    assert not cache.exists()
    assert list(found.path.parent.glob("*.json")) == []
    with load_model("dino_hands8", device="cpu") as model:
        assert not model.is_random
        assert model.weights_sha256 == BUNDLED.sha256


@pytest.mark.parametrize("number", ["num_heads", "cls_block"])
def test_weights_with_other_heads_are_not_taken_for_it(
    number: str, bundled: Subject, tmp_path: Path
) -> None:
    """No shape depends on either, and yet the maps would be others."""
    other = tmp_path / "other.safetensors"
    write_weights(other, bundled.network, replace(Recipe(), **{number: 3}))
    with pytest.raises(WeightsError, match=rf"trained with {number} = 3, dino_hands8 has"):
        load_model("dino_hands8", weights=other, device="cpu")


@pytest.mark.parametrize("number", ["num_heads", "cls_block"])
def test_checkpoint_with_other_heads_is_not_taken_for_it(
    number: str, bundled: Subject, tmp_path: Path
) -> None:
    other = tmp_path / "checkpoint.pth"
    state = bundled.network.state_dict()
    torch.save({"recipe": {number: 3}, "teacher": state}, other)
    with pytest.raises(WeightsError, match=f"trained with {number} = 3"):
        load_model("dino_hands8", weights=other, device="cpu")
    torch.save({"recipe": {number: torch.ones(2)}, "teacher": state}, other)
    load_model("dino_hands8", weights=other, device="cpu").close()


@pytest.mark.parametrize("change", ["damaged", "missing"])
def test_bundled_weights_that_are_not_what_they_were_are_refused(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(find_weights(BUNDLED).path.read_bytes())
    data[-1] ^= 1
    if change == "damaged":
        (tmp_path / BUNDLED.file_name).write_bytes(data)
    monkeypatch.setattr(models.weights, "_BUNDLED", tmp_path)
    with pytest.raises(WeightsError, match=r"dino_hands8\.safetensors.*install Signlight again"):
        find_weights(BUNDLED)
