"""Weight files: where they are, how they get there, whether they are still what they were.

No torch here: listing models and downloading weights need none. What is inside a file is the
business of ``models.checkpoints``.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from models.cache import cache_folder
from models.download import Progress, download
from models.registry import ModelSpec
from stream.errors import OutputError, WeightsError, WeightsNotFoundError
from stream.hashing import sha256_of
from stream.json_files import write_json

__all__ = ["WeightsFile", "fetch_weights", "find_weights", "is_ready", "remember", "weights_path"]

logger = logging.getLogger(__name__)

_BUNDLED = Path(__file__).parent / "bundled"
"""Weights that come with Signlight."""
_MAX_BYTES = 2**31
"""Of a download: several times the largest file that is published for these models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFile:
    """A file of weights, and its hash at the time it was looked at."""

    path: Path
    """Where it is."""
    sha256: str
    """Its SHA-256, hexadecimal."""
    state: tuple[int, ...]
    """What the system said of the file when it was looked at; changes whenever the file does."""

    def check_unchanged(self) -> None:
        """Make sure that what was read meanwhile has this hash.

        Raises:
            WeightsError: The file was changed or replaced since it was looked at.
        """
        if _state_of(self.path) != self.state:
            raise WeightsError(f"{self.path}: it was changed while it was read; start again")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What is kept beside a file in the cache."""

    size: int
    sha256: str


def weights_path(spec: ModelSpec) -> Path:
    """Return where the weights of a model belong, whether or not they are there.

    In the cache, or in Signlight's own folder where they come with it.
    """
    return (_BUNDLED if spec.origin == "bundled" else cache_folder() / "weights") / spec.file_name


def is_ready(spec: ModelSpec) -> bool:
    """Return whether the weights are there, as far as their size tells.

    Of those that come with Signlight, which are small, their hash. Weights whose record cannot be
    read are not there: loading them would say what is wrong.
    """
    path = weights_path(spec)
    try:
        if spec.origin == "bundled":
            return bool(_find_bundled(spec, path))
        if spec.origin == "gated":
            return False
        record = _read_record(path)
        return path.is_file() and (record is None or record.size == path.stat().st_size)
    except (WeightsError, OSError):
        return False


def find_weights(
    spec: ModelSpec, weights: Path | None = None, *, progress: Progress | None = None
) -> WeightsFile:
    """Return the file to load: ``weights``, or the official one, downloaded where it is missing.

    A file in the cache is held against the size and SHA-256 that were recorded beside it, every
    time (0.07 s for the 87 MB of a ViT-S on one core with SHA instructions).

    Raises:
        WeightsNotFoundError: There is no such file, and none to download.
        WeightsError: The file in the cache is not what it was.
        OutputError: The cache cannot be written.
    """
    if weights is not None:
        path = weights.expanduser()
        if not path.exists():
            raise WeightsNotFoundError(
                f"{path}: no such file; --weights takes a checkpoint of {spec.title}"
            )
        if not path.is_file():  # reading a pipe or a device might never end
            raise WeightsError(f"{path} is no file; --weights takes a checkpoint of {spec.title}")
        return _look_at(path)
    path = weights_path(spec)
    if spec.origin != "published":
        return fetch_weights(spec)
    if not path.is_file():
        return fetch_weights(spec, progress=progress)
    found = _look_at(path)
    record = _read_record(path)
    if record is not None and (path.stat().st_size, found.sha256) != (record.size, record.sha256):
        raise WeightsError(
            f"{path}: damaged since it was downloaded (another size or SHA-256); "
            f"`signlight models fetch {spec.name}` downloads it again"
        )
    return found


def fetch_weights(spec: ModelSpec, *, progress: Progress | None = None) -> WeightsFile:
    """Download the official weights into the cache, unless they are there and unharmed.

    Weights that come with Signlight are only looked at.

    Raises:
        WeightsNotFoundError: They could not be had; the message says which file to put where.
        OutputError: The cache cannot be written.
    """
    path = weights_path(spec)
    if spec.origin == "bundled":
        return _find_bundled(spec, path)
    if spec.origin == "gated":
        raise WeightsNotFoundError(
            f"{spec.name}: its weights are handed out on request, under a licence of their own: "
            f"ask for them at {spec.url}, then give the file with --weights PATH"
        )
    assert spec.url is not None
    if path.is_file():
        try:
            return find_weights(spec)
        except WeightsError:
            path.unlink()
    _record_path(path).unlink(missing_ok=True)
    digest = download(spec.url, path, max_bytes=_MAX_BYTES, progress=progress)
    found = WeightsFile(path=path, sha256=digest, state=_state_of(path))
    remember(spec, found)
    return found


def remember(spec: ModelSpec, found: WeightsFile) -> None:
    """Record size and hash of a file in the cache, one put there by hand included.

    Done after a download, and after a file has been loaded whole: from then on it may not change.
    Files elsewhere, and files that have a record, are left alone.
    """
    is_cached = spec.origin == "published" and found.path == weights_path(spec)
    if not is_cached or _record_path(found.path).exists():
        return
    record = _Record(size=found.path.stat().st_size, sha256=found.sha256)
    try:
        write_json(_record_path(found.path), asdict(record))
    except OutputError as error:  # a cache that is only readable still serves
        logger.warning("cannot record the hash of %s: %s", found.path, error)


def _find_bundled(spec: ModelSpec, path: Path) -> WeightsFile:
    found = _look_at(path) if path.is_file() else None
    if found is None or found.sha256 != spec.sha256:
        fault = "missing" if found is None else "not what Signlight came with (another SHA-256)"
        raise WeightsError(f"{path}: {fault}; install Signlight again")
    return found


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_record(path: Path) -> _Record | None:
    try:
        return _Record(**json.loads(_record_path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{_record_path(path)}: unreadable record of a download ({error}); "
            f"delete it and {path.name}, then they are fetched again"
        ) from error


def _look_at(path: Path) -> WeightsFile:
    state = _state_of(path)
    try:
        return WeightsFile(path=path, sha256=sha256_of(path), state=state)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error


def _state_of(path: Path) -> tuple[int, ...]:
    try:
        facts = path.stat()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
