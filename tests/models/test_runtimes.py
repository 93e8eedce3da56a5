"""Runtimes: one set of tests for all of them, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.preprocessing import normalise
from models.runtimes import selection
from models.runtimes.bounded import RecentlyUsed
from models.runtimes.protocol import Runtime
from models.runtimes.selection import choose
from models.runtimes.torch_cpu import TorchRuntime
from stream.errors import DeviceError
from tests.models.networks import noise, plain_cls_attention, tiny_vit

pytestmark = pytest.mark.usefixtures("one_torch_thread")

ByBook = Callable[[list[npt.NDArray[np.uint8]], int], npt.NDArray[np.float32]]

KINDS = [
    pytest.param(device, precision, id=f"{device}-{precision}", marks=marks)
    for device, marks in (("cpu", ()), ("cuda", pytest.mark.needs_cuda))
    for precision in ("float32", "bfloat16", "float16")
]


@pytest.fixture(scope="module")
def expected() -> ByBook:
    """The maps by the book, in float32."""
    vit = tiny_vit()

    def compute(images: list[npt.NDArray[np.uint8]], layer: int) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            pixels = normalise(torch.from_numpy(np.stack(images)))
            rows: npt.NDArray[np.float32] = plain_cls_attention(vit, pixels, layer).numpy()
            return rows

    return compute


LEAST_COSINE = {"float32": 0.9999999, "float16": 0.9999, "bfloat16": 0.995}
"""Per head, to the book. The narrow seeded network is harsher than a real one: its heads have few
channels to average rounding over, and it attends sharply. Real models must keep 0.999."""


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


@pytest.mark.parametrize(("device", "precision"), KINDS)
class TestEveryRuntime:
    @pytest.fixture
    def runtime(self, device: str, precision: str) -> Iterator[Runtime]:
        runtime = choose(device, "torch", precision).open(tiny_vit())
        yield runtime
        runtime.close()

    def test_tells_what_it_is(self, runtime: Runtime, device: str, precision: str) -> None:
        assert runtime.name == "torch"
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
            for columns in range(1, 13):
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
    assert choose().dtype == torch.bfloat16
    assert choose(precision="float32").dtype == torch.float32
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose().device == torch.device("mps")
    assert choose(device="cpu").device == torch.device("cpu")


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"device cuda is not available .*use --device cpu"):
        choose(device="cuda")
    with pytest.raises(DeviceError, match=r"device mps is not available .*use --device cpu"):
        choose(device="mps")
    with pytest.raises(DeviceError, match=r"OpenVINO .* not available: use --runtime torch"):
        choose(runtime="openvino")


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
