"""Where frames come from: cameras, files, folders of pictures, network streams.

:func:`open_source` picks the kind; the libraries behind a kind load when one of it is opened.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from stream.errors import SourceNotFoundError
from stream.sources.opening_thread import Opening

if TYPE_CHECKING:
    from stream.sources.closable import ClosableSource
    from stream.sources.options import PictureOptions

__all__ = ["open_source", "require_source"]

# Two letters at least: C:\clips is a folder.
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def open_source(
    spec: str | int | Path,
    *,
    start_s: float | Fraction | None = None,
    end_s: float | Fraction | None = None,
    max_frames: int | None = None,
    pictures: PictureOptions | None = None,
) -> ClosableSource:
    """Open whatever ``spec`` names; the caller closes it.

    Args:
        spec: Digits: the camera of that number. ``scheme://...``: a network stream. A folder: its
            pictures. Else a video file, or where there is none a part of a camera's name. A path
            object is always a file or folder.
        start_s: First moment to read, in seconds; only of something that has a beginning.
        end_s: Moment to stop at, in seconds, counted from the source's beginning.
        max_frames: Most frames to read.
        pictures: How its pictures are to be decoded.

    Raises:
        SourceError: It is not there, is no video, or does not answer.
        ValueError: ``start_s`` for a live source, or a range that is empty.
    """
    if (number := _camera_number(spec)) is not None:
        from stream.sources.camera import CameraSource

        if start_s:
            raise ValueError(f"camera {spec} is live: it has no moment {float(start_s):g} s")
        return CameraSource(number, end_s=end_s, max_frames=max_frames)
    if isinstance(spec, str) and _URL.match(spec):
        from stream.sources.network import NetworkSource

        def connect() -> NetworkSource:
            return NetworkSource(
                spec, start_s=start_s, end_s=end_s, max_frames=max_frames, pictures=pictures
            )

        # It has limits of its own for how long it waits.
        return Opening(connect, give_back=NetworkSource.close, name="network stream").wait()
    path = Path(str(spec))
    if path.is_dir():
        from stream.sources.images import ImageFolderSource

        return ImageFolderSource(
            path, start_s=start_s, end_s=end_s, max_frames=max_frames, pictures=pictures
        )
    from stream.sources.file import FileSource

    def open_it() -> FileSource:
        return FileSource(
            path, start_s=start_s, end_s=end_s, max_frames=max_frames, pictures=pictures
        )

    # A pipe's other end, and what a playlist names, may never come.
    if path.exists() and (not path.is_file() or (pictures and pictures.playlists)):
        return Opening(open_it, give_back=FileSource.close, name=str(path)).wait()
    return open_it()


def require_source(spec: str) -> None:
    """Make sure that something of that name may be there, without opening it.

    Raises:
        SourceNotFoundError: There is no such file or folder, and no camera is called so.
    """
    if _camera_number(spec) is None and not _URL.match(spec) and not Path(spec).exists():
        raise SourceNotFoundError(f"{spec}: no such file or folder; check the path")


def _camera_number(spec: str | int | Path) -> int | None:
    """Return the number of the camera that is meant; None where none is."""
    if isinstance(spec, int):
        return spec
    if isinstance(spec, Path) or _URL.match(spec):
        return None
    if spec.isdecimal():
        return int(spec)
    if Path(spec).exists():
        return None
    from stream.sources.camera_list import number_of

    return number_of(spec)
