"""Opening a media file: one way for pictures, sound and times, which opens nothing else with it."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer
from av.error import ArgumentError, FFmpegError
from av.format import formats_available

from stream.errors import SourceFormatError, SourceNotFoundError

__all__ = ["PLAYLISTS", "describe", "open_file", "open_named_file", "readable_formats"]

_REACHING = frozenset(
    # Lists of other files, and descriptions of streams.
    {"concat", "dash", "hls", "mlv", "sdp", "vobsub", "webm_dash_manifest"}
    # Numbered series, which take a "%d" in a name for a number.
    | {"image2", "alias_pix", "brender_pix"}
    # Devices and networks.
    | {"fbdev", "kmsgrab", "lavfi", "oss", "rtp", "rtsp", "sap", "video4linux2,v4l2", "x11grab"}
)
"""FFmpeg's formats that open something else than the file that was named."""
_TEXT = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""FFmpeg reads text files as pictures of a terminal; nobody who names one means that."""
PLAYLISTS = frozenset({"dash", "hls"})
"""Those of them that a person may ask for."""
_PLAYLIST_PROTOCOLS = "file,http,https,httpproxy,tcp,tls,crypto,data"
_PLAYLIST_TIMEOUTS_S = (10.0, 5.0)
"""Longest waits for what a playlist names: to open, and for the next packet."""
_TILED_BRANDS = frozenset({"heic", "heix", "mif1"})
"""Major brands of HEIF pictures (ISO/IEC 23008-12), of which FFmpeg decodes one tile."""
_BINARY = frozenset({*range(9), *range(14, 32)}) - {27}
"""Control characters that no text holds; 27 begins colours."""
_PLAYLIST_MARK = b"#EXTM3U"
_LISTS = {b"ffconcat": "a list of files", b"v=0": "a stream description"}
"""What a file is that begins so, beside playlists."""


def readable_formats(*, playlists: bool) -> str:
    """Return FFmpeg's whitelist of formats: those that open nothing else, or playlists as well."""
    reaching = _REACHING - PLAYLISTS if playlists else _REACHING
    return ",".join(sorted(formats_available - reaching - _TEXT))


def open_file(path: Path, *, playlists: bool = False) -> InputContainer:
    """Return a media file's container; the caller closes it.

    Nothing but the file is opened: no network, no device, and no playlist's entries unless
    ``playlists`` asks for them.

    Raises:
        FFmpegError, OSError: It cannot be opened; :func:`describe` says what is wrong.
    """
    return av.open(
        f"file:{path}",  # the prefix keeps FFmpeg from taking a colon in the name for a protocol
        options={
            "format_whitelist": readable_formats(playlists=playlists),
            "protocol_whitelist": _PLAYLIST_PROTOCOLS if playlists else "file",
            # Recordings joined end to end may number their streams differently.
            "merge_pmt_versions": "1",
        },
        metadata_errors="replace",
        timeout=_PLAYLIST_TIMEOUTS_S if playlists else None,
    )


def open_named_file(path: Path, *, playlists: bool = False) -> InputContainer:
    """Return the container of a file that a person named, and tell what is wrong with it.

    Args:
        path: The file.
        playlists: Open what it names, where it is a playlist.

    Raises:
        SourceNotFoundError: There is no such file, or it may not be read.
        SourceFormatError: It is no video.
    """
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceFormatError(f"{path} is empty (0 bytes); record or copy it again")
        container = open_file(path, playlists=playlists)
    except FileNotFoundError:
        raise SourceNotFoundError(f"there is no file {path}; check the path") from None
    except PermissionError:
        raise SourceNotFoundError(f"{path} may not be read; change its permissions") from None
    except (FFmpegError, OSError) as exc:
        raise SourceFormatError(_fault_of(path, exc, playlists=playlists)) from exc
    if container.metadata.get("major_brand") in _TILED_BRANDS:
        container.close()
        raise SourceFormatError(f"{path} is a HEIC picture; save it as JPEG or PNG, in a folder")
    return container


def describe(cause: BaseException | None) -> str:
    """Return what FFmpeg or the system says is wrong, without any file name."""
    return getattr(cause, "strerror", None) or type(cause).__name__


def _fault_of(path: Path, exc: BaseException, *, playlists: bool) -> str:
    try:
        with path.open("rb") as file:
            begin = file.read(256)
    except OSError:
        begin = b""
    text = begin.lstrip(b"\xef\xbb\xbf \r\n")
    if text.startswith(_PLAYLIST_MARK):
        if playlists:
            return f"{path}: nothing that this playlist names can be read ({describe(exc)})"
        return (
            f"{path} is a playlist, which would open other files; name the video itself, "
            "or give --playlists if you trust it"
        )
    for mark, what in _LISTS.items():
        if text.startswith(mark):
            return f"{path} is {what}, which would open other files; name the video itself"
    if "%" in path.name and isinstance(exc, ArgumentError):
        return f"{path} is a numbered series by its name; rename it without the %"
    if begin and _BINARY.isdisjoint(begin):
        return f"{path} is a text file, not a video; give a video"
    return (
        f"{path} cannot be read as a video ({describe(exc)}); "
        "it is cut short, or not a video at all"
    )
