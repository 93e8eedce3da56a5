"""Runtimes: one set of tests for all of them, and the choice between them."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.loading import build_network
from models.preprocessing import normalize
from models.registry import ModelSpec, find_spec
from models.runtimes import selection
from models.runtimes.bounded import RecentlyUsed
from models.runtimes.neural_network import Network
from models.runtimes.protocol import Runtime
from models.runtimes.selection import choose
from models.runtimes.torch_cpu import TorchRuntime
from models.vit import VisionTransformer
from samples.hand import render_hand
from stream.errors import DeviceError
from tests.conftest import ROOT
from tests.models.networks import (
    TINY,
    TINY_OTHERS,
    fill,
    noise,
    parity_picture,
    plain_cls_attention,
    tiny_vit,
)
from tests.models.test_parity import official_heads, official_numbers
from tests.waits import PROCESS_S

pytestmark = pytest.mark.usefixtures("one_torch_thread")

ByBook = Callable[[list[npt.NDArray[np.uint8]], int], npt.NDArray[np.float32]]

KINDS = [
    pytest.param(runtime, device, precision, id=f"{runtime}-{device}-{precision}", marks=marks)
    for runtime, device, marks in (
        ("torch", "cpu", ()),
        ("torch", "cuda", pytest.mark.needs_cuda),
        ("openvino", "cpu", ()),
    )
    for precision in ("float32", "bfloat16", "float16")
]


def open_runtime(kind: str, device: str, precision: str, network: Network) -> Runtime:
    """Return a runtime with ``network`` in it, or skip what is not to be had here."""
    if kind == "openvino":
        pytest.importorskip("models.runtimes.openvino_cpu", exc_type=ImportError)
        from models.runtimes.openvino_cpu import can_compute

        if not can_compute(getattr(torch, precision)):
            pytest.skip(f"OpenVINO does not compute in {precision} on this processor")
    return choose(device, kind, precision).open(network)


@torch.inference_mode()
def by_the_book(
    vit: VisionTransformer, images: list[npt.NDArray[np.uint8]], layer: int
) -> npt.NDArray[np.float32]:
    """Return the maps by the book, in float32."""
    pixels = normalize(torch.from_numpy(np.stack(images)))
    rows: npt.NDArray[np.float32] = plain_cls_attention(vit, pixels, layer).numpy()
    return rows


@pytest.fixture(scope="module")
def expected() -> ByBook:
    """The maps of the network that every runtime gets."""
    return partial(by_the_book, tiny_vit())


LEAST_COSINE = {"float32": 0.9999999, "float16": 0.9999, "bfloat16": 0.995}
"""Per head, to the book. The narrow seeded network is harsher than a real one: its heads have few
channels to average rounding over, and it attends sharply. Real models must keep 0.999."""


LEAST_COSINE_OF_A_MODEL = {"float32": 0.9999999, "float16": 0.999, "bfloat16": 0.999}
"""Of all maps of a whole model to the official code's."""


def assert_alike(
    actual: npt.NDArray[np.float32], by_book: npt.NDArray[np.float32], precision: str
) -> None:
    assert actual.shape == by_book.shape
    assert actual.dtype == np.float32
    one, other = (
        maps.reshape(-1, maps[0, 0].size).astype(np.float64) for maps in (actual, by_book)
    )
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    assert ((one * other).sum(axis=1) >= LEAST_COSINE[precision] * norms).all()


@pytest.mark.parametrize(("kind", "device", "precision"), KINDS)
class TestEveryRuntime:
    @pytest.fixture
    def runtime(self, kind: str, device: str, precision: str) -> Iterator[Runtime]:
        runtime = open_runtime(kind, device, precision, tiny_vit())
        yield runtime
        runtime.close()

    def test_tells_what_it_is(
        self, runtime: Runtime, kind: str, device: str, precision: str
    ) -> None:
        assert runtime.name == kind
        assert runtime.device.startswith(device)
        assert runtime.precision == precision

    def test_maps_are_the_plain_softmax(
        self, runtime: Runtime, precision: str, expected: ByBook
    ) -> None:
        images = [noise(24, 40, 1), noise(24, 40, 2)]
        for layer in (3, 0, 3):
            actual, by_book = runtime.submit(images, layer)(), expected(images, layer)
            assert_alike(actual, by_book, runtime.precision)
            if precision == "float32":
                np.testing.assert_allclose(actual, by_book, rtol=1e-4, atol=1e-6)

    def test_cls_token_may_join_late(self, kind: str, device: str, precision: str) -> None:
        late = replace(TINY, cls_block=2)
        images = [noise(24, 40, 1)]
        runtime = open_runtime(kind, device, precision, tiny_vit(late))
        for layer in late.layers:
            assert_alike(
                runtime.submit(images, layer)(),
                by_the_book(tiny_vit(late), images, layer),
                precision,
            )
        runtime.close()

    @pytest.mark.parametrize("spec", TINY_OTHERS, ids=lambda spec: spec.name)
    def test_other_families_are_the_plain_softmax(
        self, spec: ModelSpec, kind: str, device: str, precision: str
    ) -> None:
        images = [noise(24, 40, 1), noise(24, 40, 2)]
        runtime = open_runtime(kind, device, precision, tiny_vit(spec))
        for layer in (3, 0):
            assert_alike(
                runtime.submit(images, layer)(),
                by_the_book(tiny_vit(spec), images, layer),
                precision,
            )
        runtime.close()

    def test_maps_of_rendered_hands(self, runtime: Runtime, expected: ByBook) -> None:
        hands = [render_hand(letter, size_px=96, seed=3).image for letter in "AL"]
        assert_alike(runtime.submit(hands, 3)(), expected(hands, 3), runtime.precision)

    def test_shapes_may_change_and_come_back(self, runtime: Runtime, expected: ByBook) -> None:
        for repeat in range(4):  # eager, captured, replayed, replayed again
            for shape in ((24, 40), (32, 32), (8, 8)):
                for count in (1, 3):
                    images = [noise(*shape, seed=repeat * 10 + index) for index in range(count)]
                    assert_alike(
                        runtime.submit(images, 3)(), expected(images, 3), runtime.precision
                    )

    def test_more_shapes_than_are_kept(self, runtime: Runtime, expected: ByBook) -> None:
        for _ in range(2):
            for columns in range(3, 15):
                images = [noise(8, 8 * columns, columns)]
                assert_alike(runtime.submit(images, 2)(), expected(images, 2), runtime.precision)

    def test_batches_in_flight_do_not_disturb_each_other(
        self, runtime: Runtime, expected: ByBook
    ) -> None:
        batches = [[noise(24, 24, seed)] for seed in range(5)]
        pending = [runtime.submit(images, 3) for images in batches]
        for images, wait in zip(batches, pending, strict=True):
            assert_alike(wait(), expected(images, 3), runtime.precision)

    def test_result_stays_what_it_was(self, runtime: Runtime) -> None:
        wait = runtime.submit([noise(24, 24, 1)], 3)
        first = wait().copy()
        for seed in range(4):
            runtime.submit([noise(24, 24, seed)], 3)()
        np.testing.assert_array_equal(wait(), first)

    def test_pictures_may_change_after_the_call(self, runtime: Runtime, expected: ByBook) -> None:
        picture = noise(24, 24)
        by_book = expected([picture], 3)
        wait = runtime.submit([picture], 3)
        picture[:] = 0
        assert_alike(wait(), by_book, runtime.precision)

    def test_two_runs_give_the_same(self, runtime: Runtime) -> None:
        images = [noise(24, 40, 1), noise(24, 40, 2)]
        results = [runtime.submit(images, 3)() for _ in range(4)]
        if runtime.device == "cpu":
            assert all(np.array_equal(result, results[0]) for result in results)
        else:  # a graph may choose other kernels than the eager run, but is itself repeatable
            assert np.array_equal(results[2], results[3])

    def test_closing_twice_is_harmless(self, runtime: Runtime) -> None:
        runtime.submit([noise(8, 8)], 3)()
        runtime.close()
        runtime.close()


@pytest.mark.parametrize(
    "name", ["dino_vits16", "dino_resnet50", "dinov2_vits14_reg", "dinov3_vits16"]
)
@pytest.mark.parametrize(("kind", "device", "precision"), KINDS)
def test_numbers_of_the_official_code(kind: str, device: str, precision: str, name: str) -> None:
    spec = find_spec(name)
    network = build_network(spec)
    fill(network, name, salt="public")
    runtime = open_runtime(kind, device, precision, network)
    rows = runtime.submit([parity_picture(224, 224)], spec.depth - 1)()[0]
    runtime.close()
    numbers = official_numbers(name)["224x224"]
    if spec.kind == "attention":
        heads, official = official_heads(numbers)
        rows = rows[heads]
    else:
        rows, official = rows[::16], numbers["layer4_every16th"]
    assert rows.shape == official.shape
    if precision == "float32":
        np.testing.assert_allclose(rows, official, rtol=0, atol=1e-5 * official.max())
    # A cosine summed in float32 is good to about 1e-7, which is the limit itself.
    one, other = rows.astype(np.float64), official.astype(np.float64)
    cosine = (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)
    assert cosine >= LEAST_COSINE_OF_A_MODEL[precision]


def test_number_of_threads_is_set_in_the_thread_that_computes() -> None:
    before = torch.get_num_threads()
    other = 2 if before == 1 else 1
    runtime = TorchRuntime(tiny_vit(), device=torch.device("cpu"), num_threads=other)
    assert torch.get_num_threads() == before
    try:
        runtime.submit([noise(8, 8)], 0)
        assert torch.get_num_threads() == other
    finally:
        torch.set_num_threads(before)


def test_number_of_threads_must_be_positive() -> None:
    with pytest.raises(ValueError, match="num_threads must be >= 1"):
        TorchRuntime(tiny_vit(), device=torch.device("cpu"), num_threads=0)


def test_want_of_memory_is_one_line_with_a_way_out() -> None:
    runtime = TorchRuntime(tiny_vit(), device=torch.device("cpu"))
    # More than fits into 47 bits of address, whatever the system promises to lend.
    endless = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (8, 8 << 44, 3))
    with pytest.raises(DeviceError, match=r"not enough memory for 1 pictures .*--crop-size"):
        runtime.submit([endless], 0)


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
    def test_maps_are_the_plain_softmax_however_they_are_written(
        self, way: str, gelu: str, expected: ByBook
    ) -> None:
        from models.runtimes import openvino_graph
        from models.runtimes.openvino_import import core, openvino

        kernels = openvino_graph.Kernels(
            getattr(openvino_graph, way), getattr(openvino_graph, gelu)
        )
        image = noise(24, 40, 1)
        graph = openvino_graph.build_graph(tiny_vit(), (24, 40), 3, kernels)
        exact = {"INFERENCE_PRECISION_HINT": openvino.Type.f32}
        (actual,) = core().compile_model(graph, "CPU", exact)([image[np.newaxis]]).values()
        np.testing.assert_allclose(actual, expected([image], 3), rtol=1e-4, atol=1e-6)

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

    def test_too_few_to_go_side_by_side_share_the_model_of_one(self, expected: ByBook) -> None:
        from models.runtimes.openvino_cpu import OpenVinoRuntime

        runtime = choose("cpu", "openvino", "float32").open(tiny_vit(), num_threads=4)
        assert isinstance(runtime, OpenVinoRuntime)
        images = [noise(16, 16, seed) for seed in range(6)]
        for count, compiled in ((1, 1), (3, 1), (6, 2)):
            rows = runtime.submit(images[:count], 3)()
            assert_alike(rows, expected(images[:count], 3), "float32")
            assert len(runtime._requests) == compiled
        runtime.close()

    def test_want_of_memory_is_one_line_with_a_way_out(self) -> None:
        runtime = choose("cpu", "openvino", "float32").open(tiny_vit())
        endless = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (8, 8 << 44, 3))
        with pytest.raises(DeviceError, match=r"OpenVINO cannot do a picture .*--crop-size") as e:
            runtime.submit([endless], 0)
        assert "\n" not in str(e.value)


@pytest.mark.parametrize("option", ["device", "runtime", "precision"])
def test_value_that_does_not_exist(option: str) -> None:
    with pytest.raises(ValueError, match=rf"{option} must be one of auto, .* got 'abacus'"):
        choose(**{option: "abacus"})


def test_recently_used_forgets_the_oldest_and_makes_room_first() -> None:
    made: list[str] = []
    kept: RecentlyUsed[str, str] = RecentlyUsed(2)

    def get(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key.upper())  # type: ignore[func-returns-value]

    assert [get(key) for key in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]
    assert len(kept) == 2
    assert "c" not in kept
    sizes: list[int] = []
    kept.get("d", lambda: sizes.append(len(kept)) or "D")  # type: ignore[func-returns-value]
    assert sizes == [1]
    kept.clear()
    assert len(kept) == 0
    with pytest.raises(ValueError, match="capacity must be >= 1"):
        RecentlyUsed(0)


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
