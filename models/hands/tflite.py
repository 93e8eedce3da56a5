"""Networks in TFLite's format, run by OpenVINO on one thread."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.runtimes.openvino_import import core, openvino

__all__ = ["ScratchError", "TfliteNetwork"]


class ScratchError(Exception):
    """A file that is needed for a moment cannot be written."""


class TfliteNetwork:
    """A network that takes one square picture. Used by one thread.

    It computes in bfloat16 where the processor has an instruction for that, else in float32.

    Args:
        content: The file.
        shapes: Shapes of the first outputs, without the batch; the others are not computed.

    Raises:
        ScratchError: There is no room for a file that lasts a moment.
        RuntimeError: OpenVINO cannot read the file.
        ValueError: It has other outputs.
    """

    def __init__(self, content: bytes, shapes: Sequence[tuple[int, ...]]) -> None:
        # OpenVINO reads this format from files only.
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(
                    tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
                )
                path = Path(folder) / "network.tflite"
                path.write_bytes(content)
            except OSError as error:
                raise ScratchError(f"no file can be written for a moment ({error})") from error
            whole = core().read_model(path)
        outputs = whole.outputs[: len(shapes)]
        found = [tuple(output.shape)[1:] for output in outputs]
        if found != list(shapes):
            raise ValueError(f"outputs of shapes {list(shapes)} are needed, got {found}")
        network = openvino.Model([output.node for output in outputs], whole.get_parameters(), "")
        self.size_px = int(network.inputs[0].shape[1])
        """Side of the picture."""
        settings = {"INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
        compiled = core().compile_model(network, "CPU", settings)
        self._request: Any = compiled.create_infer_request()
        self._num_outputs = len(shapes)

    def __call__(self, picture: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Return the outputs for a picture, float32 (size_px, size_px, 3), as new arrays."""
        self._request.infer([picture[np.newaxis]], share_inputs=True)
        outputs = (self._request.get_output_tensor(index) for index in range(self._num_outputs))
        return [output.data[0].copy() for output in outputs]
