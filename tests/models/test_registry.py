"""The table of models."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

import models
from models.loading import build_network
from models.registry import DEFAULT_MODEL, MODELS, find_spec
from stream.errors import UnknownModelError
from tests.conftest import ROOT
from tests.waits import PROCESS_S


def test_the_promised_models_are_there() -> None:
    promised = ["dino_vits16", "dino_vits8", "dino_vitb16", "dino_vitb8", "dino_resnet50"]
    assert [name for name in MODELS if name in promised] == promised
    assert DEFAULT_MODEL in MODELS
    assert all(name == spec.name for name, spec in MODELS.items())


def test_no_two_models_share_a_file() -> None:
    assert len({spec.file_name for spec in MODELS.values()}) == len(MODELS)
    assert all(
        (spec.url or "").endswith("/" + spec.file_name)
        for spec in MODELS.values()
        if spec.origin == "published"
    )


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_size_is_that_of_the_network(spec: models.registry.ModelSpec) -> None:
    tensors = build_network(spec).state_dict().values()
    width = 2 if spec.origin == "bundled" else 4  # what comes with Signlight is float16
    size_bytes = sum(tensor.numel() * width for tensor in tensors)
    assert spec.size_bytes == pytest.approx(size_bytes, rel=0.01)


def test_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UnknownModelError, match=r"'dino_vit8'.*did you mean dino_vit.8\?.*_resnet"):
        find_spec("dino_vit8")
    with pytest.raises(LookupError, match="there are dino_hands8, dino_hands16, dino_vits16"):
        find_spec("gpt")


def test_specs_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        find_spec(DEFAULT_MODEL).depth = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        MODELS["mine"] = find_spec(DEFAULT_MODEL)  # type: ignore[index]


def test_importing_the_package_and_the_table_loads_no_torch() -> None:
    program = (
        "import sys, models, models.registry, models.weights, models.cache; "
        "assert 'load_model' in dir(models); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=PROCESS_S)


def test_public_names_are_sorted_and_there() -> None:
    assert models.__all__ == sorted(models.__all__)
    assert all(hasattr(models, name) for name in models.__all__)
    with pytest.raises(AttributeError, match="load_mode'"):
        models.load_mode  # noqa: B018
