"""The files that tell of a recording that it is done, or that it failed, and by what it was so."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stream.annotation.moments import Stretch
from stream.annotation.stretches import StretchRules
from stream.command_line.options import Options
from stream.errors import OutputError, in_one_line
from stream.hashing import sha256_of
from stream.jobs.account import Account
from stream.jobs.batch import Outcome
from stream.jobs.options import RegionOptions
from stream.jobs.recordings import Recording
from stream.json_files import is_free, read_object, write_json
from stream.tables.elan.options import ElanOptions

__all__ = [
    "clear",
    "key_of",
    "read_done",
    "read_failure",
    "read_outcomes",
    "write_done",
    "write_failure",
]

SCHEMA = "signlight-annotation/1"
"""Says what the JSON is; its number changes with the meaning of what stands there."""
_FAILED = ".failed.json"
_SAVED_BY_ELAN = (".eaf", ".pfsx", "_tsconf.xml")
_NOT_THE_RESULT = frozenset(
    {"verbose", "inputs", "source", "folder", "workers", "retry_failed", "shard", "ray"}
    | {"ray_gpus", "columns"}
)
"""Options that change nothing in what is written."""


def key_of(options: Options, *, source_sha256: str, weights_sha256: str | None) -> dict[str, Any]:
    """Return what the results follow from: what agrees in all of it need not be done again."""
    into = options[ElanOptions].into
    asked = {name: value for name, value in options.as_json.items() if name not in _NOT_THE_RESULT}
    return {
        "schema": SCHEMA,
        "source_sha256": source_sha256,
        "weights_sha256": weights_sha256,
        "into_sha256": sha256_of(into) if into is not None and into.is_file() else None,
        "asked": asked,
    }


def read_done(recording: Recording, key: dict[str, Any]) -> int | None:
    """Return how many frames were annotated, where that is done by this key; else None.

    It is done where every file is there that was written, with its size; those that ELAN saves may
    have another by now.
    """
    content = read_object(_mark(recording)) or {}
    outputs = content.get("outputs")
    if content.get("key") != key or not isinstance(outputs, dict):
        return None
    for name, num_bytes in outputs.items():
        path = recording.folder / name
        if not path.is_file():
            return None
        if path.stat().st_size != num_bytes and not name.endswith(_SAVED_BY_ELAN):
            return None
    return int(content["frames"])


def read_failure(recording: Recording, key: dict[str, Any]) -> str | None:
    """Return why it failed before by this key; None where it did not."""
    content = read_object(_failed(recording)) or {}
    return f"{content.get('error')}" if content.get("key") == key else None


def clear(recording: Recording) -> None:
    """Take away what tells that it is done, or failed: it is being done anew.

    What an earlier run wrote stays listed, so that what is not written again can go at the end.

    Raises:
        OutputError: Something stands there that Signlight did not make.
    """
    path = _mark(recording)
    for each in (path, _failed(recording)):
        if not is_free(each, lambda content: content.get("schema") == SCHEMA):
            raise OutputError(
                f"{each} is there already and Signlight did not make it; choose another folder"
            )
    earlier = read_object(path)
    if earlier is not None:
        write_json(path, {"schema": SCHEMA, "outputs": earlier.get("outputs")})
    _failed(recording).unlink(missing_ok=True)


def write_failure(recording: Recording, key: dict[str, Any], error: Exception) -> None:
    """Remember that it failed, and why."""
    content = {"schema": SCHEMA, "video": _way(recording), "key": key}
    write_json(_failed(recording), content | {"error": in_one_line(error)})


def write_done(
    recording: Recording,
    key: dict[str, Any],
    account: Account,
    rules: StretchRules,
    stretches: Sequence[Stretch],
    paths: Iterable[Path],
) -> None:
    """Write the mark, last of all: what it lists is there, whole.

    What an earlier run wrote, and this one did not, is of other options: it is removed, unless
    somebody changed it.

    Raises:
        OutputError: It cannot be written.
    """
    outputs = {path.name: path.stat().st_size for path in sorted(paths) if path.is_file()}
    earlier = (read_object(_mark(recording)) or {}).get("outputs")
    for name, num_bytes in earlier.items() if isinstance(earlier, dict) else ():
        path = recording.folder / Path(name).name
        if name not in outputs and path.is_file() and path.stat().st_size == num_bytes:
            path.unlink()
    told = {
        "schema": SCHEMA,
        "video": _way(recording),
        "outputs": outputs,
        "source_starts_at_s": float(account.source.info.start_s),
        "stretches": dict(sorted(Counter(one.tier for one in stretches).items())),
        "rules": asdict(rules),
        "methods": _methods(account),
        "cite": "Signlight (CITATION.cff), the paper of the model, and MediaPipe Hands (F. Zhang "
        "et al., arXiv:2006.10214, 2020).",
        "key": key,
    }
    write_json(_mark(recording), account.content() | told)


def read_outcomes(folder: Path) -> Iterator[Outcome]:
    """Yield what happened to each recording whose results lie below a folder."""
    for path in sorted(folder.rglob("*.json")):
        content = read_object(path) or {}
        if content.get("schema") != SCHEMA or not content.keys() & {"frames", "error"}:
            continue  # of others, or broken off
        video = os.path.normpath(path.parent / f"{content.get('video')}")
        recording = Recording(Path(video), path.parent)
        if path.name.endswith(_FAILED):
            yield Outcome(recording=recording, status="failed", message=f"{content.get('error')}")
        else:
            yield Outcome(
                recording=recording,
                status="done",
                num_frames=int(content["frames"]),
                seconds=float(content["seconds"]),
                message="; ".join(content["warnings"]),
            )


def _way(recording: Recording) -> str:
    """Return the way to the video from its results, which may be moved together."""
    return os.path.relpath(recording.path, recording.folder)


def _mark(recording: Recording) -> Path:
    return recording.folder / f"{recording.stem}.json"


def _failed(recording: Recording) -> Path:
    return recording.folder / f"{recording.stem}{_FAILED}"


def _methods(account: Account) -> str:
    """Return a paragraph for a paper: what was done, by what."""
    model, options, tally = account.model, account.options, account.tally
    content = account.content()
    versions = content["versions"]
    weights = (
        f"weights with the SHA-256 {model.weights_sha256[:16]}..."
        if model.weights_sha256
        else "random weights, which show the method alone"
    )
    if options[RegionOptions].region == "frame":
        shown = "The model was shown each whole picture"
    else:
        shown = (
            f"Hands were found and followed with MediaPipe {versions['mediapipe']}, and the model "
            f"was shown a square of {content['options']['crop_size']} pixels around each"
        )
    return (
        f"{tally.num_frames} frames were annotated with Signlight {versions['signlight']}. "
        f"{shown}. "
        f"Attention is that of the class token of {model.name} (layer {model.layer}, {weights}, "
        f"{model.precision} arithmetic) over the patches, a map for each head and their mean. "
        "Measures, units and their sources are described in the tables' metadata. Holds and "
        "movements follow from the speed of the palm and of the landmarks within it, smoothed by "
        "a local quadratic over about 120 ms, by the rules recorded in this file. Attention shows "
        "where a model looks; it does not explain what it concludes."
    )
