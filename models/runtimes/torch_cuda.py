"""torch on an NVIDIA GPU: its own stream, pinned buffers, captured graphs."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from models.preprocessing import normalize
from models.runtimes.bounded import RecentlyUsed
from models.runtimes.neural_network import Network
from models.runtimes.protocol import Pending, Rows
from stream.errors import DeviceError
from stream.frames import RgbImage

__all__ = ["CudaRuntime"]

_MAX_LANES = 8
"""Shapes (batch, height, width, layer) whose buffers and graph are kept; the oldest goes."""

logger = logging.getLogger(__name__)


class CudaRuntime:
    """Runs a network on a CUDA stream of its own.

    A batch of uint8 pixels is packed into pinned memory, copied, normalized and computed on the
    device, and only the rows come back, into pinned memory again. Everything is queued on one
    stream; the caller waits for an event of that stream and for nothing else, and sleeps meanwhile
    instead of spinning. Where a shape comes back, its kernels are replayed as one CUDA graph.

    Args:
        network: Taken over: moved, converted and frozen.
        device: A CUDA device.
        dtype: Arithmetic of the network.
    """

    name = "torch"
    pictures_at_once = 8  # one of 224 pixels leaves most of a large GPU idle

    def __init__(
        self, network: Network, *, device: torch.device, dtype: torch.dtype = torch.bfloat16
    ) -> None:
        self._network: Network | None = network
        self._device = device
        self._dtype = dtype
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        with _failures_explained("the model"), torch.cuda.stream(self._stream):
            network.eval().requires_grad_(False).to(device=device, dtype=dtype)
        self._lanes: RecentlyUsed[tuple[int, int, int, int], _Lane] = RecentlyUsed(_MAX_LANES)

    @property
    def device(self) -> str:
        """Number and name of the GPU."""
        return f"{self._device} ({torch.cuda.get_device_name(self._device)})"

    @property
    def precision(self) -> str:
        """``float32``, ``bfloat16`` or ``float16``."""
        return str(self._dtype).removeprefix("torch.")

    @torch.inference_mode()
    def submit(self, images: Sequence[RgbImage], layer: int) -> Pending:
        """Queue a batch on the stream; see ``Runtime.submit``."""
        height, width, _ = images[0].shape
        what = f"{len(images)} pictures of {width} x {height}"
        with (
            _failures_explained(what),
            torch.cuda.device(self._device),
            torch.cuda.stream(self._stream),
        ):
            key = (len(images), height, width, layer)
            if key not in self._lanes:
                self._stream.synchronize()  # the lane that has to go for it must be idle
            lane = self._lanes.get(
                key, lambda: self._open_lane((len(images), height, width, 3), layer)
            )
            return lane.submit(images)

    def close(self) -> None:
        """Wait for what is queued and drop graphs, buffers and the network."""
        with contextlib.suppress(RuntimeError):  # a device that failed has said so already
            self._stream.synchronize()
        self._lanes.clear()
        self._network = None

    def _open_lane(self, shape: tuple[int, int, int, int], layer: int) -> _Lane:
        assert self._network is not None, "submit() after close()"
        forward = self._network.for_size(shape[1:3])

        def compute(images: Tensor) -> Tensor:
            with self._exact_float32():
                return forward(normalize(images, self._dtype), layer)

        return _Lane(compute, shape, self._device, self._stream)

    def _exact_float32(self) -> contextlib.AbstractContextManager[object]:
        """Keep cuDNN from rounding float32 convolutions to TF32, where float32 was asked for."""
        if self._dtype != torch.float32:
            return contextlib.nullcontext()
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


class _Lane:
    """Buffers for one shape, two of each on the host, and the graph once it is captured.

    Two, so that the next batch is packed while the last one computes.
    """

    def __init__(
        self,
        compute: Callable[[Tensor], Tensor],
        shape: tuple[int, int, int, int],
        device: torch.device,
        stream: torch.cuda.Stream,
    ) -> None:
        self._compute = compute
        self._stream = stream
        self._input = torch.empty(shape, dtype=torch.uint8, device=device)
        self._output: Tensor | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        self._slots = (_Slot(shape), _Slot(shape))
        self._num_batches = 0

    def submit(self, images: Sequence[RgbImage]) -> Pending:
        """Queue a batch on the current stream."""
        slot = self._slots[self._num_batches % 2]
        slot.release()
        for place, image in zip(slot.pixels.numpy(), images, strict=True):
            np.copyto(place, image)
        # Both batches in flight share this one input; the stream's order keeps them apart.
        self._input.copy_(slot.pixels, non_blocking=True)
        # The first batch runs eagerly: libraries set themselves up then, which no capture allows.
        if self._num_batches == 1:
            graph = torch.cuda.CUDAGraph()
            self._output = _record(graph, self._compute, self._input)
            self._graph = None if self._output is None else graph
        if self._graph is None or self._output is None:
            output = self._compute(self._input)
        else:
            self._graph.replay()
            output = self._output
        self._num_batches += 1
        return slot.fetch(output, self._stream)


class _Slot:
    """Pinned memory for one batch in flight: its pixels, its rows, and the event between them."""

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        self.pixels = _pinned(shape, torch.uint8)
        self._rows: Tensor | None = None
        # Blocking: the waiting thread sleeps, and leaves its core to the display.
        self._done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self._pending: _Fetch | None = None

    def fetch(self, output: Tensor, stream: torch.cuda.Stream) -> Pending:
        """Queue the copy of ``output``, float32 on the device, to the host."""
        if self._rows is None:
            self._rows = _pinned(output.shape, torch.float32)
        self._rows.copy_(output, non_blocking=True)
        self._done.record(stream)
        self._pending = _Fetch(self._rows, self._done)
        return self._pending

    def release(self) -> None:
        """Make the memory free for another batch: what is in it is fetched first."""
        if self._pending is not None:
            self._pending()
            self._pending = None


class _Fetch:
    """Waits once for a slot's rows, and keeps a copy that the next batch cannot overwrite."""

    def __init__(self, rows: Tensor, done: torch.cuda.Event) -> None:
        self._source: tuple[Tensor, torch.cuda.Event] | None = (rows, done)
        self._rows: Rows | None = None

    def __call__(self) -> Rows:
        if self._source is not None:
            rows, done = self._source
            with _failures_explained(f"{len(rows)} pictures"):
                done.synchronize()
            self._rows = rows.numpy().copy()
            self._source = None
        assert self._rows is not None
        return self._rows


def _record(
    graph: torch.cuda.CUDAGraph, compute: Callable[[Tensor], Tensor], images: Tensor
) -> Tensor | None:
    """Record the kernels of ``compute(images)`` and return where their result will be.

    None where they cannot be recorded: one goes on without a graph then.

    Raises:
        torch.OutOfMemoryError: The device has no room for the graph.
    """
    # Not ``torch.cuda.graph``: it synchronises the whole device and empties every cache. But as
    # there, rubbish goes first: what its destructors do to the device would spoil the recording.
    gc.collect()
    try:
        # "thread_local": what other threads do on the device meanwhile is no fault.
        graph.capture_begin(capture_error_mode="thread_local")
        try:
            output = compute(images)
        except BaseException:
            # Ending a spoilt recording fails, too, and does not say why it was spoilt.
            with contextlib.suppress(RuntimeError):
                graph.capture_end()
            raise
        graph.capture_end()
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        logger.warning("no CUDA graph for %s: %s", tuple(images.shape), _first_line(error))
        return None
    return output


def _pinned(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Return host memory that the device copies from and to by itself.

    Raises:
        DeviceError: The system does not lend as much.
    """
    try:
        return torch.empty(tuple(shape), dtype=dtype, pin_memory=True)
    except RuntimeError as error:
        raise DeviceError(
            f"not enough memory to share with the GPU for {' x '.join(map(str, shape))} values "
            f"({_first_line(error)}): use a smaller --crop-size, or --device cpu"
        ) from error


def _first_line(error: Exception) -> str:
    """Return what CUDA says before it goes on about debugging."""
    return next(iter(str(error).splitlines()), type(error).__name__)


@contextlib.contextmanager
def _failures_explained(what: str) -> Iterator[None]:
    """Turn what the device cannot do into a ``DeviceError`` that says what to do instead."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"not enough GPU memory for {what}: use a smaller --crop-size, a smaller model, "
            "or --device cpu"
        ) from error
    except RuntimeError as error:
        # For instance a GPU that this build of torch has no kernels for, or one that was unplugged.
        if isinstance(error, DeviceError) or "CUDA error" not in str(error):
            raise
        raise DeviceError(
            f"the GPU failed on {what} ({_first_line(error)}): use --device cpu"
        ) from error
