"""What is installed, and whether it fits together."""

from __future__ import annotations

import re
from importlib import metadata

__all__ = ["doubts_about_opencv", "version_of"]

_OPENCV = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
"""Distributions that all fill the one folder ``cv2``."""


def version_of(distribution: str) -> str | None:
    """Return the version of a distribution; None where it is not installed as one."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def doubts_about_opencv() -> list[str]:
    """Return a line where several versions of OpenCV were installed into one folder."""
    found = {name: version for name in _OPENCV if (version := version_of(name))}
    if len(set(found.values())) < 2:
        return []
    named = " and ".join(f"{name} {version}" for name, version in found.items())
    # The older one: they do not come out together, and the newer may not be there of both.
    oldest = min(found.values(), key=_numbers_in)
    way_out = " ".join(f"{name}=={oldest}" for name in found)
    return [
        f"{named} share the folder cv2, where files of both lie now: it works by chance, if at "
        f"all; pip uninstall -y {' '.join(found)}, then pip install {way_out}"
    ]


def _numbers_in(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
