"""torch on the processor, and on Apple's GPU (MPS), which takes the same path."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from models.preprocessing import normalize
from models.runtimes.bounded import RecentlyUsed
from models.runtimes.neural_network import Network
from models.runtimes.protocol import Pending
from stream.errors import DeviceError
from stream.frames import RgbImage

__all__ = ["TorchRuntime"]

_MAX_SIZES = 8
"""Input sizes whose constants are kept; 2 MB each for ViT-B/8 at 224 pixels."""


class TorchRuntime:
    """Runs a network eagerly.

    Args:
        network: Taken over: moved, converted and frozen.
        device: ``cpu`` or ``mps``.
        dtype: Arithmetic of the network.
        num_threads: Processor threads for one operation; None leaves torch's own choice. torch
            keeps that number per process and calling thread, so it changes for everything else
            that the calling thread does with torch, too.
    """

    name = "torch"
    pictures_at_once = 1  # one picture's matrices are enough for a processor's or a laptop's GPU

    def __init__(
        self,
        network: Network,
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        num_threads: int | None = None,
    ) -> None:
        if num_threads is not None and num_threads < 1:
            raise ValueError(f"num_threads must be >= 1 or None, got {num_threads = }")
        self._network = network
        network.eval().requires_grad_(False).to(device=device, dtype=dtype)
        self._device = device
        self._dtype = dtype
        self._num_threads = num_threads
        self._forwards: RecentlyUsed[tuple[int, int], Callable[[Tensor, int], Tensor]]
        self._forwards = RecentlyUsed(_MAX_SIZES)

    @property
    def device(self) -> str:
        """``cpu`` or ``mps``."""
        return self._device.type

    @property
    def precision(self) -> str:
        """``float32``, ``bfloat16`` or ``float16``."""
        return str(self._dtype).removeprefix("torch.")

    @torch.inference_mode()
    def submit(self, images: Sequence[RgbImage], layer: int) -> Pending:
        """Compute a batch; see ``Runtime.submit``."""
        if self._num_threads not in (None, torch.get_num_threads()):
            # Here rather than once at the start: the count belongs to the thread that computes.
            torch.set_num_threads(self._num_threads)
        height, width, _ = images[0].shape
        try:
            forward = self._forwards.get(
                (height, width), lambda: self._network.for_size((height, width))
            )
            batch = torch.from_numpy(np.stack(images)).to(self._device)
            rows = forward(normalize(batch, self._dtype), layer)
        except (RuntimeError, MemoryError) as error:
            if "memory" not in str(error) and not isinstance(error, MemoryError):
                raise
            raise DeviceError(
                f"not enough memory for {len(images)} pictures of {width} x {height}: "
                "use a smaller --crop-size or a model with larger patches"
            ) from error
        return lambda: rows.cpu().numpy()

    def close(self) -> None:
        """Drop what is kept per input size."""
        self._forwards.clear()
