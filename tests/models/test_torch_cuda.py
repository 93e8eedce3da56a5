"""The CUDA runtime where things go wrong; that it computes the right thing: test_runtimes.py."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable
from typing import cast

import pytest
import torch

from models.runtimes import torch_cuda
from models.runtimes.selection import choose
from stream.errors import DeviceError
from tests.models.networks import noise, tiny_vit

IMAGES = torch.zeros((1, 8, 8, 3), dtype=torch.uint8)


class SpoiltGraph:
    """As CUDA's once a call that no recording allows was made: ending it fails as well."""

    is_recording = False

    def capture_begin(self, *, capture_error_mode: str) -> None:
        assert capture_error_mode == "thread_local"
        self.is_recording = True

    def capture_end(self) -> None:
        self.is_recording = False
        raise RuntimeError("operation failed due to a previous error during capture")


def record(
    graph: SpoiltGraph, compute: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor | None:
    return torch_cuda._record(cast("torch.cuda.CUDAGraph", graph), compute, IMAGES)


def test_real_reason_is_told_where_there_is_no_graph(caplog: pytest.LogCaptureFixture) -> None:
    def compute(images: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("operation not permitted when stream is capturing\nCompile with ...")

    graph = SpoiltGraph()
    with caplog.at_level(logging.WARNING):
        assert record(graph, compute) is None
    assert not graph.is_recording
    assert [message.getMessage() for message in caplog.records] == [
        "no CUDA graph for (1, 8, 8, 3): operation not permitted when stream is capturing"
    ]


def test_want_of_memory_is_not_taken_for_a_graph_that_cannot_be() -> None:
    def compute(images: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    graph = SpoiltGraph()
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        record(graph, compute)
    assert not graph.is_recording


def test_rubbish_is_gone_before_the_recording_begins() -> None:
    class Rubbish:
        itself: Rubbish

    gc.disable()
    try:
        rubbish = Rubbish()
        rubbish.itself = rubbish
        left = weakref.ref(rubbish)
        del rubbish
        seen: list[object] = []

        def compute(images: torch.Tensor) -> torch.Tensor:
            seen.append(left())
            return images

        record(SpoiltGraph(), compute)
    finally:
        gc.enable()
    assert seen == [None]


def test_want_of_shared_memory_is_one_line_with_a_way_out() -> None:
    with pytest.raises(DeviceError, match="--crop-size") as caught:
        torch_cuda._pinned((1, 1 << 50), torch.uint8)  # more than any machine has
    assert "1 x 1125899906842624 values" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "not enough GPU memory for .*--device cpu"),
        (
            RuntimeError("CUDA error: no kernel image is available\nCompile with ..."),
            r"the GPU failed on the model \(CUDA error: no kernel image is available\): use",
        ),
    ],
)
def test_device_that_fails_is_one_line_with_a_way_out(error: Exception, message: str) -> None:
    with (
        pytest.raises(DeviceError, match=message) as caught,
        torch_cuda._failures_explained("the model"),
    ):
        raise error
    assert "\n" not in str(caught.value)


def test_fault_of_our_own_stays_what_it_is() -> None:
    with (
        pytest.raises(RuntimeError, match="shape mismatch") as caught,
        torch_cuda._failures_explained("the model"),
    ):
        raise RuntimeError("shape mismatch")
    assert not isinstance(caught.value, DeviceError)


@pytest.mark.needs_cuda
def test_closing_gives_the_network_back() -> None:
    network = tiny_vit()
    left = weakref.ref(network)
    runtime = choose("cuda", "torch", "float32").open(network)
    del network
    for _ in range(3):
        runtime.submit([noise(8, 8)], 0)()
    runtime.close()
    gc.collect()
    assert left() is None
