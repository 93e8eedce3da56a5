"""What is OpenVINO's alone; that it computes as all runtimes do: test_runtimes.py."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from models.runtimes.selection import choose
from stream.errors import DeviceError
from tests.conftest import ROOT
from tests.models.by_the_book import assert_alike, by_the_book
from tests.models.networks import (
    noise,
    tiny_vit,
)
from tests.waits import PROCESS_S

pytestmark = pytest.mark.usefixtures("one_torch_thread")


class TestOpenVino:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("models.runtimes.openvino_cpu", exc_type=ImportError)

    def test_nobody_is_told_that_it_is_used(self) -> None:
        ask = "import sys, models.runtimes.openvino_cpu; print(*sys.modules)"
        result = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, timeout=120, check=True
        )
        loaded = result.stdout.split()
        assert "openvino" in loaded
        assert not [name for name in loaded if name.startswith(("openvino_telemetry", "requests"))]

    def test_number_of_threads_must_be_positive(self) -> None:
        with pytest.raises(ValueError, match="num_threads must be >= 1"):
            choose("cpu", "openvino", "float32").open(tiny_vit(), num_threads=0)

    @pytest.mark.parametrize(("threads", "at_once"), [(1, 1), (2, 2), (3, 2), (7, 4), (40, 8)])
    def test_pictures_side_by_side_fit_the_batches_that_come(
        self, threads: int, at_once: int
    ) -> None:
        runtime = choose("cpu", "openvino", "float32").open(tiny_vit(), num_threads=threads)
        assert runtime.pictures_at_once == at_once

    @pytest.mark.parametrize("way", ["affine", "_affine_by_convolution"])
    @pytest.mark.parametrize("gelu", ["_gelu", "_gelu_apart"])
    def test_maps_are_the_plain_softmax_however_they_are_written(self, way: str, gelu: str) -> None:
        from models.runtimes import openvino_graph
        from models.runtimes.openvino_import import core, openvino

        kernels = openvino_graph.Kernels(
            getattr(openvino_graph, way), getattr(openvino_graph, gelu)
        )
        image = noise(24, 40, 1)
        graph = openvino_graph.build_graph(tiny_vit(), (24, 40), 3, kernels)
        exact = {"INFERENCE_PRECISION_HINT": openvino.Type.f32}
        (actual,) = core().compile_model(graph, "CPU", exact)([image[np.newaxis]]).values()
        np.testing.assert_allclose(
            actual, by_the_book(tiny_vit(), [image], 3), rtol=1e-4, atol=1e-6
        )

    def test_each_processor_and_arithmetic_has_a_way_to_write_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from models.runtimes.openvino_graph import (
            Kernels,
            _affine_by_convolution,
            _gelu,
            affine,
            kernels_for,
        )

        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        ways = {}
        for capability in ("AVX2", "AVX512"):
            monkeypatch.setattr(
                torch.backends.cpu, "get_cpu_capability", lambda found=capability: found
            )
            ways[capability] = [
                kernels_for(dtype) for dtype in (torch.float32, torch.bfloat16, torch.float16)
            ]
        assert ways["AVX2"][1] == ways["AVX2"][2]
        assert set(ways["AVX512"]) == {Kernels(_affine_by_convolution, _gelu)}
        assert len({ways["AVX2"][0], ways["AVX2"][1], ways["AVX512"][0]}) == 3
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
        assert kernels_for(torch.bfloat16) == Kernels(affine, _gelu)
        assert kernels_for(torch.float32) == ways["AVX512"][0]

    def test_gelu_apart_from_its_matrix_product_is_gelu(self) -> None:
        from models.runtimes import openvino_graph
        from models.runtimes.openvino_import import core, openvino, ops

        x = np.linspace(-30, 30, 60_001, dtype=np.float32)
        given = ops.parameter([x.size], openvino.Type.f32)
        graph = openvino.Model([openvino_graph._gelu_apart(given)], [given])
        exact = {"INFERENCE_PRECISION_HINT": openvino.Type.f32}
        (actual,) = core().compile_model(graph, "CPU", exact)([x]).values()
        by_book = torch.nn.functional.gelu(torch.from_numpy(x).double()).numpy()
        np.testing.assert_allclose(actual, by_book, rtol=0, atol=2e-6)

    def test_too_few_to_go_side_by_side_share_the_model_of_one(self) -> None:
        from models.runtimes.openvino_cpu import OpenVinoRuntime

        runtime = choose("cpu", "openvino", "float32").open(tiny_vit(), num_threads=4)
        assert isinstance(runtime, OpenVinoRuntime)
        images = [noise(16, 16, seed) for seed in range(6)]
        for count, compiled in ((1, 1), (3, 1), (6, 2)):
            rows = runtime.submit(images[:count], 3)()
            assert_alike(rows, by_the_book(tiny_vit(), images[:count], 3), "float32")
            assert len(runtime._requests) == compiled
        runtime.close()

    def test_want_of_memory_is_one_line_with_a_way_out(self) -> None:
        runtime = choose("cpu", "openvino", "float32").open(tiny_vit())
        endless = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (8, 8 << 44, 3))
        with pytest.raises(DeviceError, match=r"OpenVINO cannot do a picture .*--crop-size") as e:
            runtime.submit([endless], 0)
        assert "\n" not in str(e.value)


def test_signals_are_survived_after_models_came_and_went() -> None:
    """Each OpenVINO core frees a signal stack that may still be in use."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    program = (
        "import faulthandler, signal, threading; faulthandler.enable(); import numpy as np; "
        "from models import load_model; picture = np.zeros((16, 16, 3), np.uint8); "
        "load = lambda: load_model('dino_hands8', random_weights=True, runtime='openvino'); "
        "first, second = load(), load(); first.attend(picture); second.attend(picture); "
        "first.close(); del first; second.close(); del second; "
        "thread = threading.Thread(target=lambda: load().attend(picture)); "
        "thread.start(); thread.join(); "
        "signal.signal(signal.SIGINT, lambda *_: print('survived')); "
        "signal.raise_signal(signal.SIGINT)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_S
    )
    assert (done.returncode, done.stdout) == (0, "survived\n"), done.stderr
