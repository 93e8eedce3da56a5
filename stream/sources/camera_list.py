"""The cameras that there are, and the one that a person means by a part of its name."""

from __future__ import annotations

import sys

from stream.errors import SourceNotFoundError
from stream.sources.v4l2 import Camera, Mode, camera_numbers, describe_camera

__all__ = ["list_cameras", "number_of"]

_MAX_CAMERAS = 10
"""Numbers that are tried where the system has no list of them."""


def list_cameras() -> list[Camera]:
    """Return the cameras that there are, by number.

    Elsewhere than on Linux each is opened for a moment, which is all that OpenCV has to ask by: it
    tells no names, and of sizes the one that the camera is set to.
    """
    return _named_cameras() if sys.platform == "linux" else _opened_cameras()


def number_of(words: str) -> int | None:
    """Return the number of the camera whose name has ``words`` in it, in whatever case.

    Returns:
        None where no name has, which is so for all where the system tells no names.

    Raises:
        SourceNotFoundError: Several have.
    """
    if sys.platform != "linux" or not words.strip():
        return None
    found = [each for each in _named_cameras() if words.casefold() in each.name.casefold()]
    if len(found) > 1:
        several = ", ".join(f"{each.number} ({each.name})" for each in found)
        raise SourceNotFoundError(
            f"{words} may be any of the cameras {several}; give a number or more of the name"
        )
    return found[0].number if found else None


def _named_cameras() -> list[Camera]:
    # Without a list of them a container, or PipeWire's pw-v4l2, may show cameras all the same.
    numbers = camera_numbers() or range(_MAX_CAMERAS)
    return [camera for number in numbers if (camera := describe_camera(number)) is not None]


def _opened_cameras() -> list[Camera]:
    from stream.sources.camera import mode_of, open_capture

    cameras = []
    for number in range(_MAX_CAMERAS):
        capture = open_capture(number)
        try:
            if not capture.isOpened():
                break  # they are numbered without gaps
            mode: Mode = mode_of(capture)
            cameras.append(Camera(number=number, name="", modes=(mode,)))
        finally:
            capture.release()
    return cameras
