"""OpenVINO on the processor.

No compiled model is kept on the disk: building the graph and compiling it takes 0.6 s for ViT-S/16
and 1.4 s for ViT-B/8 on two busy cores, less than reading its 81 or 320 MB back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from models.runtimes.bounded import RecentlyUsed
from models.runtimes.openvino_graph import build_graph
from models.runtimes.openvino_import import openvino
from models.runtimes.protocol import Network, Pending, Rows
from stream.errors import DeviceError
from stream.frames import RgbImage

__all__ = ["OpenVinoRuntime", "can_compute"]

_MAX_COMPILED = 2
"""Compiled models kept, one per size and layer; each holds the weights once more (340 MB for
ViT-B). The crops of a run have one size: the second is for who steps between two layers."""
_PRECISIONS = {
    torch.float32: ("FP32", openvino.Type.f32),
    torch.bfloat16: ("BF16", openvino.Type.bf16),
    torch.float16: ("FP16", openvino.Type.f16),
}
"""What OpenVINO calls an arithmetic, as a capability and as a hint."""


def can_compute(dtype: torch.dtype) -> bool:
    """Return whether OpenVINO computes in ``dtype`` on this processor, instead of in float32."""
    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return _PRECISIONS[dtype][0] in capabilities


class OpenVinoRuntime:
    """Runs a network as a graph compiled for the processor, in the calling thread and its helpers.

    The helpers inherit the priority of the thread that computes first; no model is therefore
    compiled before the first picture, on the thread that brings it.

    The pictures of a batch go through one by one: two at once cost the processor what they cost
    one after the other (S/16: 124 and 110 ms of one core each), and each batch size would want a
    model of its own.

    Args:
        network: A ``VisionTransformer`` or a ``ResNet50``; taken over: converted and frozen.
        dtype: Arithmetic of the network, one that ``can_compute``.
        num_threads: Processor threads; None takes as many as there are cores.
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
        if num_threads is not None and num_threads < 1:
            raise ValueError(f"num_threads must be >= 1 or None, got {num_threads = }")
        assert isinstance(network, nn.Module)
        self._network = network.eval().requires_grad_(False).float()
        self._dtype = dtype
        self._core = openvino.Core()
        self._settings = {
            "INFERENCE_PRECISION_HINT": _PRECISIONS[dtype][1],
            "INFERENCE_NUM_THREADS": num_threads or 0,  # 0: as many as there are cores
            "NUM_STREAMS": 1,  # one picture at a time, and all threads on it
            # Threads nailed to cores would not make room for the thread that draws.
            "ENABLE_CPU_PINNING": False,
        }
        self._requests: RecentlyUsed[tuple[int, int, int], openvino.InferRequest]
        self._requests = RecentlyUsed(_MAX_COMPILED)

    @property
    def precision(self) -> str:
        """``float32``, ``bfloat16`` or ``float16``."""
        return str(self._dtype).removeprefix("torch.")

    def submit(self, images: Sequence[RgbImage], layer: int) -> Pending:
        """Compute a batch; see ``Runtime.submit``."""
        height, width, _ = images[0].shape
        try:
            request = self._requests.get(
                (height, width, layer), lambda: self._compile((height, width), layer)
            )
            rows = np.concatenate([self._run(request, image) for image in images])
        except (RuntimeError, MemoryError) as error:
            raise DeviceError(
                f"OpenVINO cannot do a picture of {width} x {height} ({_last_line(error)}): "
                "use --runtime torch, or a smaller --crop-size"
            ) from error
        return lambda: rows

    def close(self) -> None:
        """Drop the compiled models; harmless when called again."""
        self._requests.clear()

    def _compile(self, size_hw: tuple[int, int], layer: int) -> openvino.InferRequest:
        graph = build_graph(self._network, size_hw, layer)
        return self._core.compile_model(graph, "CPU", self._settings).create_infer_request()

    @staticmethod
    def _run(request: openvino.InferRequest, image: RgbImage) -> Rows:
        # The picture is read where it is; the result is a copy, as the next picture's goes there.
        picture = np.ascontiguousarray(image)[np.newaxis]
        rows: Rows = request.infer([picture], share_inputs=True, share_outputs=False)[0]
        return rows


def _last_line(error: Exception) -> str:
    """Return what OpenVINO says after the places in its own source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
