"""OpenVINO on the processor.

No compiled model is kept on the disk: building the graph and compiling it takes 0.6 s for ViT-S/16
and 1.4 s for ViT-B/8 on two busy cores, less than reading its 81 or 320 MB back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch

from models.runtimes.bounded import RecentlyUsed
from models.runtimes.neural_network import Network
from models.runtimes.openvino_graph import build_graph, kernels_for
from models.runtimes.openvino_import import core, openvino
from models.runtimes.protocol import Pending, Rows
from stream.errors import DeviceError
from stream.frames import RgbImage
from stream.priority import num_cores

__all__ = ["OpenVinoRuntime", "can_compute", "settings_for"]

_MAX_COMPILED = 2
"""Compiled models kept, one per size, layer and way (side by side or not); each holds the weights
once more (340 MB for ViT-B). The crops of a run have one size: the second is for the other way, or
for who steps between two layers."""
_MAX_STREAMS = 8
"""Pictures that go side by side at most; a power of two, as the sizes of batches are."""
_PRECISIONS = {
    torch.float32: ("FP32", openvino.Type.f32),
    torch.bfloat16: ("BF16", openvino.Type.bf16),
    torch.float16: ("FP16", openvino.Type.f16),
}
"""What OpenVINO calls an arithmetic, as a capability and as a hint."""


def can_compute(dtype: torch.dtype) -> bool:
    """Return whether OpenVINO computes in ``dtype`` on this processor, instead of in float32."""
    capabilities = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return _PRECISIONS[dtype][0] in capabilities


def settings_for(dtype: torch.dtype, num_threads: int | None) -> dict[str, Any]:
    """Return how models are compiled for an arithmetic that ``can_compute``.

    Raises:
        ValueError: ``num_threads`` < 1; None takes as many as this process may use cores.
    """
    if num_threads is not None and num_threads < 1:
        raise ValueError(f"num_threads must be >= 1 or None, got {num_threads = }")
    return {
        "INFERENCE_PRECISION_HINT": _PRECISIONS[dtype][1],
        "INFERENCE_NUM_THREADS": num_threads or num_cores(),
        # Threads nailed to cores would not make room for the thread that draws.
        "ENABLE_CPU_PINNING": False,
    }


class OpenVinoRuntime:
    """Runs a network as a graph compiled for the processor, in the calling thread and its helpers.

    The helpers inherit the priority of the thread that computes first; no model is therefore
    compiled before the first picture, on the thread that brings it.

    The pictures of a batch go through side by side, each on a core of its own, which wait for each
    other less than cores that share a picture do (an export took 8 % less time). Fewer pictures go
    one by one and get all the cores, of which some would have nothing to do otherwise.

    Pictures of just two patches, smaller than any crop, come out wrong in bfloat16: OpenVINO 2026.4
    mistakes the attention among three tokens.

    Args:
        network: Taken over: converted and frozen.
        dtype: Arithmetic of the network, one that ``can_compute``.
        num_threads: Processor threads; None takes as many as this process may use cores.
    """

    name = "openvino"
    device = "cpu"

    def __init__(
        self,
        network: Network,
        *,
        dtype: torch.dtype = torch.float32,
        num_threads: int | None = None,
    ) -> None:
        self._settings = settings_for(dtype, num_threads)
        self._network = network.eval().requires_grad_(False).float()
        self._dtype = dtype
        self._num_threads: int = self._settings["INFERENCE_NUM_THREADS"]
        self._requests: RecentlyUsed[tuple[int, int, int, int], list[openvino.InferRequest]]
        self._requests = RecentlyUsed(_MAX_COMPILED)

    @property
    def precision(self) -> str:
        """``float32``, ``bfloat16`` or ``float16``."""
        return str(self._dtype).removeprefix("torch.")

    @property
    def pictures_at_once(self) -> int:
        """A picture for each thread, down to a power of two, up to a number of short delay."""
        return 1 << min(self._num_threads, _MAX_STREAMS).bit_length() - 1

    def submit(self, images: Sequence[RgbImage], layer: int) -> Pending:
        """Compute a batch; see ``Runtime.submit``."""
        height, width, _ = images[0].shape
        streams = self.pictures_at_once if len(images) >= self.pictures_at_once else 1
        try:
            requests = self._requests.get(
                (height, width, layer, streams),
                lambda: self._compile((height, width), layer, streams),
            )
            rows = np.concatenate(
                [
                    row
                    for start in range(0, len(images), streams)
                    for row in _run(requests, images[start : start + streams])
                ]
            )
        except (RuntimeError, MemoryError) as error:
            raise DeviceError(
                f"OpenVINO cannot do a picture of {width} x {height} ({_last_line(error)}): "
                "use --runtime torch, or a smaller --crop-size"
            ) from error
        return lambda: rows

    def close(self) -> None:
        """Drop the compiled models; harmless when called again."""
        self._requests.clear()

    def _compile(
        self, size_hw: tuple[int, int], layer: int, streams: int
    ) -> list[openvino.InferRequest]:
        graph = build_graph(self._network, size_hw, layer, kernels_for(self._dtype))
        compiled = core().compile_model(graph, "CPU", {**self._settings, "NUM_STREAMS": streams})
        return [compiled.create_infer_request() for _ in range(streams)]


def _run(requests: Sequence[openvino.InferRequest], images: Sequence[RgbImage]) -> list[Rows]:
    """Return the rows of each picture, (1, rows, grid_h, grid_w), computed side by side."""
    pictures = [np.ascontiguousarray(image)[np.newaxis] for image in images]
    running = list(zip(requests, pictures, strict=False))
    with ExitStack() as waiting:  # all are waited for, should one of them fail
        for request, picture in running:
            request.start_async([picture], share_inputs=True)  # the picture is read where it is
            waiting.callback(request.wait)
    # Copies: the next pictures' rows go to the same places.
    return [request.get_output_tensor(0).data.copy() for request, _ in running]


def _last_line(error: Exception) -> str:
    """Return what OpenVINO says after the places in its own source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
