"""The models that come with Signlight: their attention lands on hands, which they are for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

import models.weights
from models.evaluation.drawn import where_signing_happens
from models.evaluation.picture_sets import PictureSet, on_grey, read_pictures
from models.evaluation.report import measure
from models.evaluation.subject import Subject, open_subject, untrained
from models.loading import load_model
from models.registry import find_spec
from models.training.recipe import Recipe
from models.training.run_files import read_weights, write_weights
from models.weights import fetch_weights, find_weights, is_ready, remember
from samples.dataset import write_set
from stream.errors import WeightsError
from stream.hashing import sha256_of

BUNDLED = find_spec("dino_hands8")
SECOND_PART = Recipe(
    view_px=96, steps=800, batch=32, lr=4e-4, ramp=0, wide=1, clutter=0.4, momentum=0.99
)
RECIPES = {
    "dino_hands8": SECOND_PART,
    "dino_hands16": replace(SECOND_PART, patch_px=16, view_px=128, steps=300),
}
"""The last of the card's commands for each."""


@dataclass(frozen=True)
class Limits:
    """What a model must reach; the card has more on larger sets."""

    on_rendered: float
    """Attention on rendered hands over their area; some wear gloves, which was not trained."""
    on_real: float
    """The same on real hands before black."""
    on_real_before_faces: float
    """The same before rendered faces of the hand's own skin."""
    peaks_before_faces: float
    """Share of those hands on which the mean map is strongest."""
    on_real_elsewhere: float
    """The same beside hands, before arms and wood, and against the light, where it is least."""
    alike_rendered: float
    """The most that two heads may correlate on rendered hands."""
    covers_rendered: float
    """Jaccard index of the best head with rendered hands."""
    covers_real: float
    covers_grey: float
    """The same with real hands before a grey like theirs."""
    untrained_covers: float
    """The most that a network which is not trained may cover of real hands before black."""
    letters_over_pixels: float
    """Share of letters that features must know more than raw pixels do, before a grey."""


LIMITS = {
    "dino_hands8": Limits(
        on_rendered=2.85,
        on_real=2.95,
        on_real_before_faces=2.7,
        peaks_before_faces=0.9,
        on_real_elsewhere=2.5,
        alike_rendered=0.55,
        covers_rendered=0.55,
        covers_real=0.53,
        covers_grey=0.56,
        untrained_covers=0.75,
        letters_over_pixels=0.08,
    ),
    "dino_hands16": Limits(
        on_rendered=2.77,
        on_real=2.85,
        on_real_before_faces=2.55,
        peaks_before_faces=0.9,
        on_real_elsewhere=2.4,
        alike_rendered=0.64,
        covers_rendered=0.5,
        covers_real=0.54,
        covers_grey=0.46,
        untrained_covers=0.66,
        letters_over_pixels=-0.04,
    ),
}


@pytest.fixture(scope="module", params=LIMITS)
def bundled(request: pytest.FixtureRequest) -> Subject:
    return open_subject(request.param, torch.device("cpu"))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held")
    for _ in write_set(folder, count=24, size_px=112, seed=7):
        pass
    return folder


@pytest.fixture(scope="module")
def rendered(bundled: Subject, held: Path) -> PictureSet:
    """Hands before furnished backgrounds, of a series that nothing was trained on."""
    return read_pictures(held, size_px=bundled.crop_px, limit=24)


@pytest.fixture(scope="module")
def real(bundled: Subject, shared: Path) -> PictureSet:
    return read_pictures(shared / "isl", size_px=bundled.crop_px, limit=46)


def test_attention_is_on_rendered_hands_and_was_not_before_training(
    bundled: Subject, rendered: PictureSet
) -> None:
    limits = LIMITS[bundled.name]
    trained, before = measure(bundled, rendered), measure(untrained(bundled), rendered)
    assert trained.mass_over_area > limits.on_rendered
    assert trained.peak_on_hand >= 0.9
    assert trained.jaccard_head > limits.covers_rendered
    assert trained.correlation < limits.alike_rendered
    assert before.mass_over_area < 1.5


def test_attention_is_on_real_hands(bundled: Subject, real: PictureSet) -> None:
    """Before black, where an untrained model has the peak on the hand, too."""
    limits = LIMITS[bundled.name]
    trained, before = measure(bundled, real), measure(untrained(bundled), real)
    assert trained.mass_over_area > limits.on_real
    assert trained.peak_on_hand >= 0.95
    assert trained.jaccard_head > limits.covers_real
    assert before.mass_over_area < 1.6
    assert before.jaccard_head < limits.untrained_covers


def test_attention_is_on_real_hands_where_signing_happens(
    bundled: Subject, real: PictureSet
) -> None:
    limits = LIMITS[bundled.name]
    faces, *others = (measure(bundled, shown) for shown in where_signing_happens(real))
    assert faces.mass_over_area > limits.on_real_before_faces
    assert faces.peak_on_hand >= limits.peaks_before_faces
    assert min(other.mass_over_area for other in others) > limits.on_real_elsewhere


def test_a_head_covers_real_hands_on_grey(bundled: Subject, real: PictureSet) -> None:
    assert measure(bundled, on_grey(real)).jaccard_head > LIMITS[bundled.name].covers_grey


def test_features_know_letters_of_other_people(bundled: Subject, shared: Path) -> None:
    """On grey; those of ``dino_hands8`` clearly more than pixels do, as its card says."""
    hands = on_grey(read_pictures(shared / "isl", size_px=bundled.crop_px, limit=138))
    trained, before = measure(bundled, hands), measure(untrained(bundled), hands)
    assert trained.knn > trained.knn_pixels + LIMITS[bundled.name].letters_over_pixels
    assert before.knn < 0.08 < trained.knn


def test_every_head_looks_at_patches_rather_than_at_the_cls_token(
    bundled: Subject, rendered: PictureSet
) -> None:
    """Or its map would show what no output depends on."""
    assert max(measure(bundled, rendered).kept_by_cls) < 0.1


@pytest.mark.parametrize("name", RECIPES)
def test_documented_command_trains_with_its_recipe(name: str) -> None:
    spec = find_spec(name)
    _, recipe = read_weights(find_weights(spec).path)
    assert recipe == RECIPES[name]
    asked = (spec.patch_px, spec.depth, spec.dim, spec.num_heads, spec.cls_block, spec.pretrain_px)
    trained = (recipe.patch_px, recipe.depth, recipe.dim, recipe.num_heads, recipe.cls_block)
    assert asked == (*trained, recipe.view_px)


@pytest.mark.parametrize("name", RECIPES)
def test_bundled_weights_are_there_without_cache_or_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, cache = find_spec(name), tmp_path / "cache"
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(cache))
    assert is_ready(spec)
    found = find_weights(spec)
    assert found == fetch_weights(spec)
    assert found.sha256 == spec.sha256 == sha256_of(found.path)
    assert found.path.stat().st_size < 12e6
    remember(spec, found)
    assert not cache.exists()
    assert list(found.path.parent.glob("*.json")) == []
    with load_model(name, device="cpu") as model:
        assert not model.is_random
        assert model.weights_sha256 == spec.sha256


@pytest.mark.parametrize("number", ["num_heads", "cls_block"])
def test_weights_with_other_heads_are_not_taken_for_it(number: str, tmp_path: Path) -> None:
    """No shape depends on either, and yet the maps would be others."""
    other = tmp_path / "other.safetensors"
    network, recipe = read_weights(find_weights(BUNDLED).path)
    write_weights(other, network, replace(recipe, **{number: 3}))
    with pytest.raises(WeightsError, match=rf"trained with {number} = 3, dino_hands8 has"):
        load_model("dino_hands8", weights=other, device="cpu")


@pytest.mark.parametrize("number", ["num_heads", "cls_block"])
def test_checkpoint_with_other_heads_is_not_taken_for_it(number: str, tmp_path: Path) -> None:
    other = tmp_path / "checkpoint.pth"
    state = read_weights(find_weights(BUNDLED).path)[0].state_dict()
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
    assert not is_ready(BUNDLED)
    with pytest.raises(WeightsError, match=r"dino_hands8\.safetensors.*install Signlight again"):
        find_weights(BUNDLED)


def test_bundled_weights_for_an_official_model_are_recognised() -> None:
    with pytest.raises(WeightsError, match="use --model dino_hands8"):
        load_model("dino_vits8", weights=find_weights(BUNDLED).path, device="cpu")


def test_way_out_of_a_damaged_file_is_the_bundled_one(tmp_path: Path) -> None:
    damaged = tmp_path / "mine.safetensors"
    damaged.write_bytes(find_weights(BUNDLED).path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="without it, Signlight's own serves"):
        load_model("dino_hands8", weights=damaged, device="cpu")
