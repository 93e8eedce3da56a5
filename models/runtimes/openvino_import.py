"""OpenVINO, imported so that nobody is told; the one module that imports it.

Importing openvino sends a note about it to its maker over the network, unless a file in the home
folder forbids that (openvino-telemetry). A program that looks through a camera sends nothing. What
reports is the converter of foreign models, which nothing here needs, and ``import openvino`` goes
on without it where it is not to be had.
"""

from __future__ import annotations

import sys
from functools import cache

__all__ = ["core", "openvino", "ops"]

_CONVERTER = "openvino.tools.ovc"

_is_converter_hidden = _CONVERTER not in sys.modules
if _is_converter_hidden:
    sys.modules[_CONVERTER] = None  # type: ignore[assignment] # importing it raises ImportError
try:
    import openvino
    from openvino import opset13 as ops
finally:
    if _is_converter_hidden:
        del sys.modules[_CONVERTER]


@cache
def core() -> openvino.Core:
    """Return the one core of this process, which is never given back.

    The processor's plugin of each core puts an alternative signal stack of its own under the thread
    that loads it, and frees it with the core. Where two cores overlap, or another thread lets go of
    the last one, the freed stack stays in place, and the next signal (Ctrl-C) ends the process with
    a segmentation fault; seen with 2026.4.1.
    """
    return openvino.Core()
