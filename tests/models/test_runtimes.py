"""Runtimes: one set of tests for all of them, and what is of torch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.loading import build_network
from models.registry import ModelSpec, find_spec
from models.runtimes.bounded import RecentlyUsed
from models.runtimes.neural_network import Network
from models.runtimes.protocol import Runtime
from models.runtimes.selection import choose
from models.runtimes.torch_cpu import TorchRuntime
from samples.hand import render_hand
from stream.errors import DeviceError
from tests.models.by_the_book import assert_alike, by_the_book
from tests.models.networks import (
    TINY,
    TINY_OTHERS,
    fill,
    noise,
    parity_picture,
    tiny_vit,
)
from tests.models.test_parity import official_heads, official_numbers

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


@pytest.fixture(scope="module")
def expected() -> ByBook:
    """The maps of the network that every runtime gets."""
    return partial(by_the_book, tiny_vit())


LEAST_COSINE_OF_A_MODEL = {"float32": 0.9999999, "float16": 0.999, "bfloat16": 0.999}
"""Of all maps of a whole model to the official code's."""


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
