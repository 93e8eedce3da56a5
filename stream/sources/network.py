"""Frames that come over a network: RTSP, HTTP, UDP, anything that FFmpeg has a protocol for."""

from __future__ import annotations

import re
import time
from fractions import Fraction
from urllib.parse import urlsplit, urlunsplit

import av
from av.container import InputContainer
from av.error import (
    ArgumentError,
    ExitError,
    FFmpegError,
    HTTPClientError,
    HTTPError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPUnauthorizedError,
)

from stream.errors import (
    SourceError,
    SourceFormatError,
    SourceLostError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTimeoutError,
)
from stream.sources.container import ContainerSource
from stream.sources.media import describe, readable_formats
from stream.sources.options import PictureOptions
from stream.sources.timeline import Span

__all__ = ["NetworkSource", "hide_password", "open_url"]

_PROTOCOLS = {
    "http": "http,https,httpproxy,tcp,tls,crypto,data",
    "rtsp": "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,httpproxy",
    "rtmp": "rtmp,rtmps,rtmpt,rtmpts,ffrtmphttp,ffrtmpcrypt,http,https,tcp,tls",
    "rtp": "rtp,udp",
    "udp": "udp",
    "tcp": "tcp",
}
"""What each kind of address may open in turn: never a file."""
_SCHEMES = {"https": "http", "rtsps": "rtsp", "rtmps": "rtmp"} | {name: name for name in _PROTOCOLS}
"""Kind of address by scheme. PyAV's wheels have neither srt nor rist."""
_LIVE_SCHEMES = frozenset(_SCHEMES) - {"http", "https"}
# Not "nobuffer": it throws away the frames that were read to learn of the stream, the first key
# frame among them, and with it all until the next one.
_LIVE_OPTIONS = {"flags": "low_delay", "analyzeduration": "200000"}
"""Look at a fifth of a second of stream for its parameters, not at five."""
_RTSP_OPTIONS = {
    # Over TCP no packet is lost, and firewalls let it pass.
    "rtsp_transport": "tcp",
    # The server describes its stream before: what is read of it is shown at once.
    "probesize": "32",
    **_LIVE_OPTIONS,
}
_BEFORE_END_S = 1.0
"""A stream that breaks off so shortly before the end that it declared has come to it."""
_SECRET_KEYS = re.compile(
    r"((?:^|&)(?:pass|passwd|password|pwd|token|key|api_?key|secret|auth|sig|signature)=)[^&]*",
    re.IGNORECASE,
)


class NetworkSource(ContainerSource):
    """A video that is fetched while it is read.

    What declares a length (a file on a web server) is read like a file, every frame. All else is
    live: its time begins with the first frame, and its end is a loss. An RTSP address is always
    live, since it sends a recording, too, at the recording's own pace; a recording's end is none.

    Passwords appear in no name and no message.

    Args:
        url: ``rtsp://``, ``http://``, ``https://``, ``rtmp://``, ``udp://``, ...
        start_s: First moment to read, in seconds; not for live streams.
        end_s: Moment to stop at, in seconds.
        max_frames: Most frames to read.
        pictures: How its pictures are to be decoded.
        open_timeout_s: Longest wait for the server, and again for the first pictures.
        read_timeout_s: Longest wait for the next packet.

    Raises:
        SourceNotFoundError: No such host, or nobody listens there.
        SourceRefusedError: The server refuses, or has no such thing.
        SourceTimeoutError: The server does not answer in time.
        SourceFormatError: What it sends is no video, or FFmpeg lacks the protocol.
        ValueError: The range is empty, or ``start_s`` is given for a live stream.
    """

    def __init__(
        self,
        url: str,
        *,
        start_s: float | Fraction | None = None,
        end_s: float | Fraction | None = None,
        max_frames: int | None = None,
        pictures: PictureOptions | None = None,
        open_timeout_s: float = 10.0,
        read_timeout_s: float = 5.0,
    ) -> None:
        span = Span(start_s, end_s, max_frames)
        name = hide_password(url)
        scheme = urlsplit(url).scheme.lower()
        if scheme not in _SCHEMES:
            raise SourceFormatError(
                f"{name}: the FFmpeg in PyAV has no protocol {scheme!r}; have the sender, or a "
                "relay between, offer the stream as rtsp or http"
            )
        began_s = time.monotonic()
        try:
            container = open_url(
                url,
                timeouts_s=(open_timeout_s, read_timeout_s),
                playlists=pictures is not None and pictures.playlists,
            )
        except (FFmpegError, OSError) as exc:
            # Some protocols take an answer that does not come for bad data.
            is_late = time.monotonic() - began_s >= open_timeout_s
            cause = TimeoutError() if is_late else exc
            # "from None": FFmpeg's own message holds the URL with its password.
            raise _opening_error(cause, name, scheme, open_timeout_s) from None
        is_live = scheme in _LIVE_SCHEMES or not container.duration
        if is_live and start_s:
            container.close()
            raise ValueError(f"{name} is live: it has no moment {float(start_s):g} s to start at")
        self._read_timeout_s = read_timeout_s
        super().__init__(container, name, span=span, is_live=is_live, pictures=pictures)

    def _break_off(self, cause: FFmpegError | None) -> None:
        decoder = self._decoder
        length_s = decoder.duration_s
        if length_s is not None and decoder.newest_s > length_s - _BEFORE_END_S:
            return  # the end of a recording
        if isinstance(cause, ExitError | TimeoutError):
            if not self._decoder.num_frames:
                raise SourceTimeoutError(
                    f"{self._name} sent no picture for {self._read_timeout_s:g} s; "
                    "check that the camera or sender is running"
                ) from None
            fault = f"nothing came for {self._read_timeout_s:g} s"
        else:
            fault = "the sender ended it" if cause is None else describe(cause)
        raise SourceLostError(
            f"{self._name} stopped after {self._decoder.num_frames} frames: {fault}; "
            "check the sender and the network, then start again"
        ) from None


def open_url(
    url: str, *, timeouts_s: tuple[float, float], playlists: bool = False
) -> InputContainer:
    """Return the container behind an address, which leads to no file; the caller closes it.

    Args:
        url: With a scheme of ours.
        timeouts_s: Longest waits for the server to answer, and for the next packet.
        playlists: Open the addresses that a playlist names.

    Raises:
        FFmpegError, OSError: It cannot be opened; the message holds the address, password and all.
    """
    options = _options_for(urlsplit(url).scheme.lower(), playlists=playlists)
    return av.open(url, "r", options=options, metadata_errors="replace", timeout=timeouts_s)


def _options_for(scheme: str, *, playlists: bool) -> dict[str, str]:
    kind = _SCHEMES[scheme]
    options = {"protocol_whitelist": _PROTOCOLS[kind]}
    if kind == "rtsp":
        return options | _RTSP_OPTIONS
    if kind != "rtp":  # both are FFmpeg's formats, too
        options["format_whitelist"] = readable_formats(playlists=playlists)
    return options | _LIVE_OPTIONS if scheme in _LIVE_SCHEMES else options


def hide_password(url: str) -> str:
    """Return ``url`` with the password, and what looks like one in the query, as ``***``."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    netloc = f"{user}{colon}{'***' if colon else ''}{at}{host}"
    return urlunsplit(parts._replace(netloc=netloc, query=_SECRET_KEYS.sub(r"\1***", parts.query)))


def _opening_error(
    exc: FFmpegError | OSError, name: str, scheme: str, timeout_s: float
) -> SourceError:
    if isinstance(exc, ExitError | TimeoutError):
        return SourceTimeoutError(
            f"{name} did not answer within {timeout_s:g} s; check the address and the network"
        )
    if isinstance(exc, HTTPUnauthorizedError | HTTPForbiddenError):
        return SourceRefusedError(
            f"{name} refuses access ({describe(exc)}); give {scheme}://user:password@host/..."
        )
    if isinstance(exc, HTTPNotFoundError):
        return SourceRefusedError(
            f"{name} cannot be reached ({describe(exc)}); check the address's last part"
        )
    if isinstance(exc, HTTPError | HTTPClientError | OSError):
        return SourceNotFoundError(
            f"{name} cannot be reached ({describe(exc)}); check the address and the network"
        )
    if isinstance(exc, ArgumentError):  # FFmpeg's word for a format that is not on its list
        return SourceFormatError(
            f"{name} sends a playlist, or another list, which would open other addresses; "
            "name the video itself, or give --playlists if you trust it"
        )
    return SourceFormatError(
        f"{name} sends no video that can be read ({describe(exc)}); check the address"
    )
