"""Files from the network: resumable, checked, never half there."""

from __future__ import annotations

import http.client
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from stream.errors import OutputError, WeightsError, WeightsNotFoundError
from stream.hashing import sha256_of
from stream.locks import lock

__all__ = ["Progress", "download"]

Progress = Callable[[int, "int | None"], None]
"""Told the bytes that are there and the bytes expected, None where the server does not say."""

_CHUNK_BYTES = 1 << 16
"""Small enough for a bar that moves, large enough to cost nothing (and fastest for hashing)."""


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    max_bytes: int | None = None,
    progress: Progress | None = None,
    timeout_s: float = 20.0,
) -> str:
    """Fetch ``url`` into ``path`` and return the file's SHA-256, hexadecimal.

    Bytes go to ``path`` + ".part" and are renamed once they are complete and checked, so ``path``
    is never half a file. What an interrupted call left there is continued where the server's ETag
    tells that its file is still the same, and else fetched anew. A connection that breaks is taken
    up again for as long as each attempt brings something.

    Args:
        url: Address, http or https; the proxies of the environment are used.
        path: Where the file is to be; its folder is made.
        sha256: Hash it must have, hexadecimal; None takes what comes.
        size: Bytes it must have; None takes what comes.
        max_bytes: Bytes it may have at most, where ``size`` does not say.
        progress: Called with the bytes there are and the bytes expected.
        timeout_s: Seconds to wait for the server each time before giving up.

    Raises:
        WeightsNotFoundError: It could not be had; the message says which file to put where.
        WeightsError: It is not the file that was expected.
        OutputError: It could not be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if part.is_symlink():  # what it leads to is not ours to write
            part.unlink()
        with _locked(part):
            most = max_bytes if size is None else size
            _receive(url, part, progress or _ignore, timeout_s, most)
            digest = _check(part, url, sha256, size)
            part.replace(path)
        _tag_of(part).unlink(missing_ok=True)
    except WeightsError:
        part.unlink(missing_ok=True)
        _tag_of(part).unlink(missing_ok=True)
        raise
    except _UnreachableError as error:
        raise WeightsNotFoundError(
            f"cannot download {url} ({error}): "
            f"try again, or fetch it elsewhere and put it at {path}"
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return digest


@contextmanager
def _locked(part: Path) -> Iterator[None]:
    """Keep other runs from writing the same part, where the system knows locks."""
    if sys.platform == "win32":  # there an open file could not be renamed
        yield
        return
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not lock(descriptor):
            raise _UnreachableError("another run of Signlight is downloading it")
        try:
            yield
        finally:
            if part.exists() and not part.stat().st_size:
                part.unlink()
    finally:
        os.close(descriptor)


class _UnreachableError(Exception):
    """The network or the server failed; says how."""


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows the server to another address, but never out of https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise _UnreachableError("the server leads out of https, where anybody may answer")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SafeRedirects)


def _ignore(done: int, total: int | None) -> None:
    del done, total


def _tag_of(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _receive(url: str, part: Path, progress: Progress, timeout_s: float, most: int | None) -> None:
    """Fill ``part`` until it is complete, over as many connections as it takes."""
    while True:
        before = _size_of(part)
        try:
            _receive_once(url, part, progress, timeout_s, most)
            return
        except _UnreachableError:
            if _size_of(part) <= before:
                raise


def _receive_once(
    url: str, part: Path, progress: Progress, timeout_s: float, most: int | None
) -> None:
    have = _size_of(part)
    headers = {"User-Agent": "signlight", "Accept-Encoding": "identity"}
    if have and _tag_of(part).exists():
        headers["Range"] = f"bytes={have}-"
        headers["If-Range"] = _tag_of(part).read_text(encoding="latin-1")  # changed: sent whole
    try:
        response = _OPENER.open(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise _UnreachableError(f"the server answers {error.code} {error.reason}") from error
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return  # all of it was there, only the renaming was missing
        part.write_bytes(b"")
        _receive_once(url, part, progress, timeout_s, most)
        return
    except urllib.error.URLError as error:
        raise _UnreachableError(_reason(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _UnreachableError(_reason(error)) from error
    with response:
        if response.headers.get_content_type() == "text/html":
            raise _UnreachableError("the server sends a web page instead")
        total: int | None
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers["Content-Range"] or "")
            if span is None or int(span[1]) != have:
                raise _UnreachableError("the server sends another part than was asked for")
            total = int(span[2])
        else:
            have = 0
            total = response.length
            tag = response.headers["ETag"] or ""
            _tag_of(part).unlink(missing_ok=True)
            if tag.startswith('"'):  # a weak one, W/"...", does not stand for the very bytes
                _tag_of(part).write_text(tag, encoding="latin-1")
        with part.open("r+b" if resumed else "wb", buffering=0) as file:
            file.seek(have)
            _copy(response, file, have, total, progress, most)


def _copy(
    response: http.client.HTTPResponse,
    file: BinaryIO,
    have: int,
    total: int | None,
    progress: Progress,
    most: int | None,
) -> None:
    progress(have, total)
    while True:
        try:
            chunk = memoryview(response.read(_CHUNK_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise _UnreachableError(f"{_reason(error)} after {have} bytes") from error
        if not chunk:
            break
        have += len(chunk)
        if most is not None and have > most:  # more is never wanted, and may never end
            raise WeightsError(
                f"{response.url} has more than {most} bytes: it was discarded; try again"
            )
        while chunk:  # an unbuffered file may take less than it is given
            chunk = chunk[file.write(chunk) :]
        progress(have, total)
    if total is not None and have < total:
        raise _UnreachableError(f"the connection broke off after {have} of {total} bytes")


def _check(part: Path, url: str, sha256: str | None, size: int | None) -> str:
    digest = sha256_of(part)
    have = _size_of(part)
    fault = None
    if size is not None and have != size:
        fault = f"has {have} bytes instead of {size}"
    elif sha256 is not None and digest != sha256.lower():
        fault = f"has SHA-256 {digest} instead of {sha256}"
    if fault:
        raise WeightsError(f"{url} {fault}: it was discarded; try again")
    return digest


def _size_of(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
