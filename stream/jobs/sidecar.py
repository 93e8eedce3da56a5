"""The JSON file beside an exported video that says how it was made."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from stream.command_line.options import Options
from stream.errors import OutputError
from stream.hashing import sha256_of
from stream.installed_packages import version_of
from stream.jobs.options import RegionOptions
from stream.jobs.tally import Tally
from stream.json_files import is_free, read_object, write_json
from stream.naming import default_output, last_name

__all__ = [
    "ModelFacts",
    "check_sidecar",
    "choose_output",
    "describe_export",
    "forget_sidecar",
    "versions",
    "write_sidecar",
]

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

_KEYS = frozenset(
    {
        "frames",
        "frames_with_hand",
        "hands",
        "model",
        "weights_sha256",
        "source_sha256",
        "options",
        "versions",
        "seconds",
        "warnings",
    }
)
"""What every sidecar holds; with Signlight's version among the versions it is known as ours."""


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
    def precision_cosine(self) -> float | None:
        """Least cosine of a head to float32, of the arithmetic tried; None where none was."""

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights; None for random ones."""


def check_sidecar(path: Path) -> Path:
    """Return ``path``, where a sidecar may be written: nothing is there, or a sidecar of ours.

    Raises:
        OutputError: Something else stands there.
    """
    if not is_free(path, _is_ours):
        raise OutputError(
            f"{path} is there already and Signlight did not make it; "
            "it would hold how the export was made: choose another name for the output"
        )
    return path


def write_sidecar(video: Path, content: dict[str, Any]) -> None:
    """Write the sidecar of a video that is written.

    Raises:
        OutputError: It cannot be written; then an earlier one, of another video, is gone too.
    """
    path = video.with_suffix(".json")
    try:
        write_json(check_sidecar(path), content)
    except OutputError as error:
        forget_sidecar(path)
        raise OutputError(f"{video} is written, but what tells of it is not: {error}") from error


def forget_sidecar(path: Path) -> None:
    """Remove a sidecar whose video is not there any more; of a link, what it leads to.

    What Signlight did not make stays, and so does what cannot be removed.
    """
    if _is_ours(read_object(path) or {}):
        with suppress(OSError):
            path.resolve().unlink()


def choose_output(source: str) -> tuple[Path, list[str]]:
    """Return where an export goes if nobody says where, and a line about it where that is needed.

    That is INPUT.overlay.mp4, unless the sidecar there tells of another input: ``c.mov`` beside an
    overlay of ``c.mp4`` gets ``c.mov.overlay.mp4``.
    """
    usual = default_output(source)
    content = read_object(usual.with_suffix(".json")) or {}
    if not usual.exists() or not _is_ours(content):
        return usual, []
    earlier = str(content["options"].get("source", ""))
    is_same_name = last_name(earlier) == last_name(source)
    if is_same_name or _hash_of(source) == content["source_sha256"] is not None:
        return usual, []
    output = default_output(source, with_suffix=True)
    return output, [f"{usual} shows {earlier}: this one is written to {output.name}"]


def _hash_of(source: str) -> str | None:
    return sha256_of(Path(source)) if Path(source).is_file() else None


def _is_ours(content: dict[str, Any]) -> bool:
    return (
        content.keys() >= _KEYS
        and isinstance(content["options"], dict)
        and isinstance(content["versions"], dict)
        and "signlight" in content["versions"]
    )


def describe_export(
    tally: Tally,
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
        tally: What was written.
        model: What computed the maps, as it ran: no "auto" among it.
        source_name: The source as people may read it: a URL without its password.
        source_sha256: Hash of the input file; None where there is no such file.
        options: What was asked for.
        seconds: How long it took.
        warnings: What could be lived with, a line each.
    """
    # An export has no window, but those who read these files find the word in every one.
    asked = {"window": True} | options.as_json
    looked = options[RegionOptions].region == "hands"
    return {
        "frames": tally.num_frames,
        "frames_with_hand": tally.num_frames_with_hand if looked else None,
        "hands": dict(tally.num_hands) if looked else dict.fromkeys(tally.num_hands),
        "model": model.name,
        "layer": model.layer,
        "runtime": model.runtime,
        "device": model.device,
        "precision": model.precision,
        "precision_cosine": model.precision_cosine,
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
