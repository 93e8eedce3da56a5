"""What the options of a model may be. No torch here, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Literal

__all__ = ["Device", "Precision", "RuntimeName"]

Device = Literal["auto", "cpu", "cuda", "mps"]
"""Where a model runs."""
Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""Arithmetic of a model."""
RuntimeName = Literal["auto", "torch", "openvino"]
"""What a model runs with."""
