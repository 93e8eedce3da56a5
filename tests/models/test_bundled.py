"""The model that comes with Signlight: its attention lands on hands, which is what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.evaluation.pictures import PictureSet, read_pictures
from models.evaluation.report import measure
from models.evaluation.subject import Subject, open_subject, untrained
from models.registry import find_spec
from models.training.checkpoint import read_weights
from models.training.recipe import Recipe
from models.weights import find_weights
from samples.dataset import write_set

SIDE_PX = 144


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
    assert trained.mass_over_area > 2.3
    assert trained.peak_on_hand >= 0.9
    assert trained.jaccard_head > 0.5
    assert trained.correlation < 0.9
    assert before.mass_over_area < 1.5


def test_attention_is_on_real_hands(bundled: Subject, real: PictureSet) -> None:
    trained = measure(bundled, real)
    assert trained.mass_over_area > 2.7
    assert trained.peak_on_hand >= 0.92
    assert trained.jaccard_head > 0.5


def test_documented_command_trains_with_its_recipe() -> None:
    """The card says: without further options."""
    _, recipe = read_weights(find_weights(find_spec("dino_hands8")).path)
    assert recipe == Recipe()
    spec = find_spec("dino_hands8")
    assert (spec.depth, spec.dim, spec.num_heads, spec.cls_block, spec.pretrain_px) == (
        recipe.depth, recipe.dim, recipe.num_heads, recipe.cls_block, recipe.view_px,
    )  # fmt: skip
