"""Which runtime and arithmetic are chosen, and what is refused."""

from __future__ import annotations

import platform
import sys

import pytest
import torch

from models.runtimes import selection
from models.runtimes.selection import choose
from models.runtimes.torch_cpu import TorchRuntime
from stream.errors import DeviceError
from tests.models.networks import (
    tiny_vit,
)


def test_auto_takes_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(selection, "_cpu_multiplies_bfloat16", lambda: False)
    assert choose().device == torch.device("cpu")
    assert choose().dtype == torch.float32
    monkeypatch.setattr(selection, "_cpu_multiplies_bfloat16", lambda: True)
    assert choose(runtime="torch").dtype == torch.bfloat16
    assert choose(precision="float32").dtype == torch.float32
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose().device == torch.device("mps")
    assert choose(device="cpu").device == torch.device("cpu")


@pytest.mark.parametrize(
    ("has_amx", "has_avx512_bf16", "is_intel", "dtype"),
    [
        (False, False, False, torch.float32),
        (False, True, False, torch.bfloat16),  # AMD: twice the rate of float32
        (False, True, True, torch.float32),  # Intel: half of it
        (True, True, True, torch.bfloat16),
    ],
)
def test_auto_takes_bfloat16_where_it_is_quicker(
    monkeypatch: pytest.MonkeyPatch,
    has_amx: bool,
    has_avx512_bf16: bool,
    is_intel: bool,
    dtype: torch.dtype,
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_avx512_bf16)
    monkeypatch.setattr(selection, "_cpu_is_intel", lambda: is_intel)
    assert choose("cpu", "torch").dtype == dtype


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"device cuda is not available .*use --device cpu"):
        choose(device="cuda")
    with pytest.raises(DeviceError, match=r"device mps is not available .*use --device cpu"):
        choose(device="mps")
    with pytest.raises(DeviceError, match=r"OpenVINO runs on the processor, .*: use --device cpu"):
        choose(device="cuda", runtime="openvino")


def test_without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("models.runtimes.openvino")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "openvino", None)  # importing it fails, as if it were not here
    assert not choose("cpu").use_openvino
    assert isinstance(choose("cpu").open(tiny_vit()), TorchRuntime)
    with pytest.raises(DeviceError, match=r"OpenVINO cannot be loaded .*: pip install .*openvino"):
        choose(runtime="openvino")


class TestChoiceOfOpenVino:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("models.runtimes.openvino_cpu", exc_type=ImportError)

    def test_auto_takes_it_on_the_processors_it_was_measured_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(platform, "machine", lambda: "x86_64")
        assert choose("cpu").open(tiny_vit()).name == "openvino"
        assert choose("cpu", "torch").open(tiny_vit()).name == "torch"
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
        assert choose("cpu").open(tiny_vit()).name == "torch"
        assert choose("cpu", "openvino").open(tiny_vit()).name == "openvino"

    def test_precision_it_lacks_is_refused_or_left_to_torch(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from models.runtimes import openvino_cpu

        monkeypatch.setattr(openvino_cpu, "can_compute", lambda dtype: dtype == torch.float32)
        with pytest.raises(
            DeviceError, match=r"not compute in float16 .*: use --precision float32"
        ):
            choose("cpu", "openvino", "float16")
        assert not choose("cpu", "auto", "float16").use_openvino
        assert choose("cpu", "openvino", "float32").use_openvino


@pytest.mark.parametrize("option", ["device", "runtime", "precision"])
def test_value_that_does_not_exist(option: str) -> None:
    with pytest.raises(ValueError, match=rf"{option} must be one of auto, .* got 'abacus'"):
        choose(**{option: "abacus"})
