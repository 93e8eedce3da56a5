"""Finding, making or fetching the file that holds MediaPipe's two hand networks.

A ``.task`` bundle is a zip archive with a palm detector and a landmark network, both stored without
compression because MediaPipe maps them into memory. MediaPipe up to 0.10 carries the two networks
inside its package and they only have to be zipped; later releases carry none, and the bundle that
Google publishes is downloaded once.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from typing import Final

from models.cache import cache_folder
from models.download import Progress, download
from stream.errors import HandModelError, ModelError, OutputError
from stream.whole_files import written_whole

__all__ = ["BUNDLE_NAME", "BUNDLE_URL", "find_hand_bundle"]

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
PARTS: Final = {
    "hand_detector.tflite": "modules/palm_detection/palm_detection_full.tflite",
    "hand_landmarks_detector.tflite": "modules/hand_landmark/hand_landmark_full.tflite",
}
"""Names inside the bundle, and where MediaPipe's own package keeps the same networks."""


def find_hand_bundle(path: Path | None = None, *, progress: Progress | None = None) -> Path:
    """Return a bundle that MediaPipe can load; made or downloaded on first use, then cached.

    Args:
        path: A bundle of the user's own (``--hand-model``); nothing else is tried then.
        progress: Called while downloading, with the bytes so far and the bytes in all.

    Raises:
        HandModelError: ``path`` is no bundle, or none could be made or downloaded.
    """
    if path is not None:
        _check_bundle(path)
        return path
    cached = cache_folder() / BUNDLE_NAME
    if _is_bundle(cached):
        return cached
    package = _mediapipe_folder()
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        if all((package / source).is_file() for source in PARTS.values()):
            _make_bundle(package, cached)
        else:
            _download_bundle(cached, progress)
    except OSError as error:
        raise HandModelError(
            f"cannot keep the hand model in {cached.parent}: {error.strerror or error}; "
            "point SIGNLIGHT_CACHE at a folder that can be written, or give --hand-model PATH"
        ) from error
    return cached


def _mediapipe_folder() -> Path:
    """Return MediaPipe's package folder, without the cost of importing it."""
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.origin is None:
        raise HandModelError("mediapipe is not installed; pip install mediapipe")
    return Path(spec.origin).parent


def _make_bundle(package: Path, target: Path) -> None:
    """Zip MediaPipe's own networks into ``target``; there is never half a file of that name."""
    with written_whole(target) as unfinished, zipfile.ZipFile(unfinished, "w") as bundle:
        for member, source in PARTS.items():
            # ZipInfo's fixed date makes the same bytes on every machine.
            bundle.writestr(zipfile.ZipInfo(member), (package / source).read_bytes())


def _download_bundle(target: Path, progress: Progress | None) -> None:
    try:
        download(BUNDLE_URL, target, sha256=BUNDLE_SHA256, size=BUNDLE_SIZE, progress=progress)
    except (ModelError, OutputError) as error:
        raise HandModelError(
            f"no hand model yet: {error}, or give one with --hand-model PATH"
        ) from error


def _is_bundle(path: Path) -> bool:
    try:
        _check_bundle(path)
    except HandModelError:
        return False
    return True


def _check_bundle(path: Path) -> None:
    """Raise HandModelError unless ``path`` is a whole archive with both networks in it."""
    way_out = f"--hand-model takes a MediaPipe hand landmarker bundle such as {BUNDLE_URL}"
    try:
        with zipfile.ZipFile(path) as bundle:
            missing = sorted(set(PARTS) - set(bundle.namelist()))
    except FileNotFoundError as error:
        raise HandModelError(f"no hand model at {path}; {way_out}") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise HandModelError(f"{path} is not a hand model ({error}); {way_out}") from error
    if missing:
        raise HandModelError(f"{path} has no {' and no '.join(missing)} in it; {way_out}")
