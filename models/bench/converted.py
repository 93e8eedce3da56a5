"""Another baseline: what OpenVINO's own converter makes of the same network."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn

from models.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from models.runtimes.neural_network import Network
from models.runtimes.openvino_cpu import settings_for
from models.runtimes.openvino_import import convert_model, core
from models.runtimes.protocol import Rows
from stream.frames import RgbImage

__all__ = ["ConvertedWay"]


class ConvertedWay:
    """Runs a network as who has torch and OpenVINO alone would: traced, converted, compiled.

    The last layer, pictures of one size, one at a time; normalized by NumPy.

    Args:
        network: What to convert; taken over.
        size_hw: Height and width of the pictures.
        layer: Layer to read.
        dtype: Arithmetic.
        num_threads: Processor threads; None takes as many as this process may use cores.
    """

    def __init__(
        self,
        network: Network,
        size_hw: tuple[int, int],
        layer: int,
        *,
        dtype: torch.dtype,
        num_threads: int | None,
    ) -> None:
        network.eval().requires_grad_(False)
        example = torch.zeros(1, 3, *size_hw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing holds for this size alone, which is the use
            model = convert_model(_OfOneSize(network, size_hw, layer), example)
        model.reshape(list(example.shape))
        compiled = core().compile_model(model, "CPU", settings_for(dtype, num_threads))
        self._request = compiled.create_infer_request()
        self._mean = np.array(IMAGENET_MEAN, np.float32)
        self._std = np.array(IMAGENET_STD, np.float32)

    def attend(self, image: RgbImage) -> Rows:
        """Return the rows of a picture, float32 (rows, grid_h, grid_w).

        Args:
            image: uint8 (H, W, 3) RGB, of the size that was converted for.
        """
        # NumPy, not torch, whose threads would still wait busily while OpenVINO's compute.
        pixels = (image / np.float32(255) - self._mean) / self._std
        pixels = np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis])
        self._request.start_async([pixels], share_inputs=True)
        self._request.wait()
        rows: Rows = np.array(self._request.get_output_tensor(0).data[0])
        return rows


class _OfOneSize(nn.Module):
    def __init__(self, network: Network, size_hw: tuple[int, int], layer: int) -> None:
        super().__init__()
        self.network = network
        self._forward = network.for_size(size_hw)
        self._layer = layer

    def forward(self, pixels: Tensor) -> Tensor:
        return self._forward(pixels, self._layer)
