"""The quick arithmetic is tried with the weights at hand, and left where it changes their maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models import precision
from models.loading import load_model
from models.registry import find_spec
from models.runtimes import selection
from stream.hashing import sha256_of
from tests.models.networks import TINY, noise, tiny_vit

pytestmark = pytest.mark.usefixtures("one_torch_thread")

Save = Callable[[float], Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(selection, "_cpu_multiplies_bfloat16", lambda: True)
    monkeypatch.setattr("models.loading.find_spec", lambda name: TINY)
    return tmp_path / "cache"


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that writes weights whose attention is so many times as peaked."""

    def write(peaked: float) -> Path:
        state = tiny_vit().state_dict()
        for name in state:
            if name.endswith("qkv.weight"):
                state[name] = torch.cat([peaked * state[name][:48], state[name][48:]])
        torch.save(state, tmp_path / f"{peaked}.pth")
        return tmp_path / f"{peaked}.pth"

    return write


def test_weights_that_bear_it_keep_the_quick_arithmetic(save: Save, cache: Path) -> None:
    path = save(0.3)
    with load_model("tiny", weights=path, device="cpu", runtime="torch") as model:
        assert model.precision == "bfloat16"
        assert model.precision_cosine is not None
        assert 0.999 <= model.precision_cosine < 1
        assert model.warnings == ()
    assert (cache / "precision" / f"{sha256_of(path)}.json").is_file()


def test_weights_that_do_not_are_computed_in_float32_and_it_is_said(save: Save) -> None:
    path = save(8)
    exact = load_model("tiny", weights=path, device="cpu", runtime="torch", precision="float32")
    assert (exact.precision_cosine, exact.warnings) == (None, ())
    picture = noise(32, 32)
    for _ in range(2):  # measured, recalled
        with load_model("tiny", weights=path, device="cpu", runtime="torch") as model:
            assert model.precision == "float32"
            assert model.precision_cosine is not None
            assert model.precision_cosine < 0.999
            (line,) = model.warnings
            assert "computes in float32" in line
            assert "--precision bfloat16" in line
            assert (model.attend(picture).weights == exact.attend(picture).weights).all()


def test_it_is_measured_once_for_each_file_and_layer(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []
    measure = precision.measure_precision

    def counted(network, choice, spec, layer, *rest, **more):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202
        measured.append(layer)
        return measure(network, choice, spec, layer, *rest, **more)

    monkeypatch.setattr("models.loading.measure_precision", counted)
    mild, peaked = save(0.3), save(8)
    for path, layer in ((mild, 3), (mild, 3), (mild, 1), (peaked, 3), (peaked, 3), (mild, 3)):
        load_model("tiny", weights=path, device="cpu", runtime="torch", layer=layer).close()
    assert measured == [3, 1, 3]


@pytest.mark.parametrize("spoil", ["{", "[]", '{"a": 1}'])
def test_record_of_no_use_is_measured_again(spoil: str, save: Save, cache: Path) -> None:
    path = save(0.3)
    record = cache / "precision" / f"{sha256_of(path)}.json"
    record.parent.mkdir(parents=True)
    record.write_text(spoil)
    with load_model("tiny", weights=path, device="cpu", runtime="torch") as model:
        assert model.precision_cosine is not None


def test_cache_that_cannot_be_written_still_serves(save: Save, cache: Path) -> None:
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file where the folder should be")
    with load_model("tiny", weights=save(0.3), device="cpu", runtime="torch") as model:
        assert model.precision == "bfloat16"


def test_nothing_is_tried_where_nothing_depends_on_it(save: Save, cache: Path) -> None:
    path = save(8)
    for options in ({"weights": path, "precision": "bfloat16"}, {"random_weights": True}):
        with load_model("tiny", device="cpu", runtime="torch", **options) as model:
            assert (model.precision, model.precision_cosine) == ("bfloat16", None)
    assert not (cache / "precision").exists()


@pytest.mark.parametrize("name", ["dino_hands8", "dino_hands16"])
def test_bundled_weights_bear_bfloat16(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.loading.find_spec", find_spec)
    with load_model(name, device="cpu", runtime="torch") as model:
        assert model.precision == "bfloat16"
