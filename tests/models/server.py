"""A file server on this machine that misbehaves as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from tests.waits import WAIT_S

__all__ = ["FileServer", "serving"]


@dataclass
class FileServer:
    """What is served, and what has been asked for."""

    content: bytes
    """The file, whatever path is asked for."""
    etag: str | None = '"1"'
    """Version of the file."""
    break_after: list[int] = field(default_factory=list)
    """Bytes after which to break off the first, second, ... answer."""
    mode: Literal["ranges", "whole", "html", "missing", "silent", "shifted"] = "ranges"
    """How to answer."""
    requests: list[tuple[str | None, str | None]] = field(default_factory=list)
    """``Range`` and ``If-Range`` of each request."""
    url: str = ""
    """Where it listens."""
    released: threading.Event = field(default_factory=threading.Event)
    """Set at the end: lets a silent answer go."""


@contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    """Serve ``content`` on 127.0.0.1 until the block is left."""
    state = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, state)

        def log_message(self, *arguments: object) -> None:
            del arguments

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/weights.pth"
        thread = threading.Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": 0.01},
            name="signlight-test-server",
        )
        thread.start()
        try:
            yield state
        finally:
            state.released.set()
            server.shutdown()
            thread.join(WAIT_S)
            assert not thread.is_alive()


def _answer(request: BaseHTTPRequestHandler, state: FileServer) -> None:
    wanted, condition = request.headers["Range"], request.headers["If-Range"]
    state.requests.append((wanted, condition))
    if state.mode == "silent":
        state.released.wait(WAIT_S)
        return
    if state.mode == "missing":
        request.send_error(404)
        return
    start = 0
    if wanted and state.mode != "whole" and condition in (None, state.etag):
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    total = len(state.content)
    if start >= total:
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{total}")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    request.send_response(206 if start else 200)
    if start:
        shift = 1 if state.mode == "shifted" else 0
        request.send_header("Content-Range", f"bytes {start - shift}-{total - 1}/{total}")
    if state.etag:
        request.send_header("ETag", state.etag)
    request.send_header("Content-Type", "text/html" if state.mode == "html" else "application/zip")
    request.send_header("Content-Length", str(total - start))
    request.end_headers()
    end = start + state.break_after.pop(0) if state.break_after else total
    request.wfile.write(state.content[start:end])
