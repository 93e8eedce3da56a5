"""The JSON file beside an exported video that says how it was made."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from stream.errors import OutputError
from stream.installed import version_of
from stream.json_files import is_free
from stream.offline import ExportReport
from stream.options import Options

__all__ = ["ModelFacts", "check_sidecar", "describe_export", "versions"]

RECORDED = (
    "signlight",
    "av",
    "mediapipe",
    "numpy",
    "opencv-python",
    "openvino",
    "torch",
    "torchvision",
)
"""Distributions whose versions change what an export looks like."""


class ModelFacts(Protocol):
    """What the sidecar tells about the model that ran."""

    @property
    def name(self) -> str:
        """Name in the registry."""

    @property
    def layer(self) -> int:
        """Layer that was read, from 0."""

    @property
    def runtime(self) -> str:
        """What computed."""

    @property
    def device(self) -> str:
        """Where it computed."""

    @property
    def precision(self) -> str:
        """Arithmetic."""

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights; None for random ones."""


def check_sidecar(path: Path) -> Path:
    """Return ``path``, where a sidecar may be written: nothing is there, or a sidecar of ours.

    Raises:
        OutputError: Something else stands there.
    """
    if not is_free(path, {"frames", "weights_sha256", "options"}):
        raise OutputError(
            f"{path} is there already and Signlight did not make it; "
            "it would hold how the export was made: choose another name for the output"
        )
    return path


def describe_export(
    report: ExportReport,
    *,
    model: ModelFacts,
    source_name: str,
    source_sha256: str | None,
    options: Options,
    seconds: float,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """Return how an export was made, as JSON can hold it.

    Args:
        report: What was written.
        model: What computed the maps, as it ran: no "auto" among it.
        source_name: The source as people may read it: a URL without its password.
        source_sha256: Hash of the input file; None where there is no such file.
        options: What was asked for.
        seconds: How long it took.
        warnings: What could be lived with, a line each.
    """
    asked = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(options).items()
    }
    looked = options.region == "hands"
    return {
        "frames": report.num_frames,
        "frames_with_hand": report.num_frames_with_hand if looked else None,
        "hands": dict(report.num_hands) if looked else dict.fromkeys(report.num_hands),
        "model": model.name,
        "layer": model.layer,
        "runtime": model.runtime,
        "device": model.device,
        "precision": model.precision,
        "weights_sha256": model.weights_sha256,
        "source_sha256": source_sha256,
        "options": asked | {"source": source_name},
        "versions": versions(),
        "seconds": round(seconds, 3),
        "warnings": list(warnings),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the distributions that make the picture."""
    found = {name: version_of(name) or "not installed as a distribution" for name in RECORDED}
    return {"python": platform.python_version()} | found
