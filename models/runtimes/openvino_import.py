"""OpenVINO, imported so that nobody is told; the one module that imports it.

Importing openvino sends a note about it to its maker over the network, unless a file in the home
folder forbids that (openvino-telemetry). A program that looks through a camera sends nothing. What
reports is the converter of foreign models, which nothing but the benchmark needs; ``import
openvino`` goes on without it where it is not to be had, and it without what reports.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

__all__ = ["convert_model", "core", "openvino", "ops"]


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Let importing a module fail, as if it were not installed, unless it is loaded already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment] # importing it raises ImportError
    try:
        yield
    finally:
        del sys.modules[module]


with _hidden("openvino.tools.ovc"):
    import openvino
    from openvino import opset13 as ops


def convert_model(module: Any, example: Any) -> openvino.Model:  # noqa: ANN401
    """Return a torch module as OpenVINO's own converter writes it, traced with ``example``."""
    with _hidden("openvino_telemetry"):
        from openvino.tools import ovc

        return ovc.convert_model(module, example_input=example)


@cache
def core() -> openvino.Core:
    """Return the one core of this process, which is never given back.

    The processor's plugin of each core puts an alternative signal stack of its own under the thread
    that loads it, and frees it with the core. Where two cores overlap, or another thread lets go of
    the last one, the freed stack stays in place, and the next signal (Ctrl-C) ends the process with
    a segmentation fault; seen with 2026.4.1.
    """
    return openvino.Core()
