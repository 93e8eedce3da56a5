"""A web server on this machine that sends clips, hangs, stalls and refuses."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.waits import WAIT_S

__all__ = ["ClipServer"]


class ClipServer:
    """Serves bytes by path until the block is left.

    A name says how its content is sent: ``hang`` nothing at all, ``stall...`` the content and then
    nothing, ``live...`` the content without a length, ``secret...`` a refusal; anything else like
    a file.
    """

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.asked: list[str] = []
        """Names asked for, in order."""
        self._stop = threading.Event()
        stop, asked = self._stop, self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0].lstrip("/")
                asked.append(name)
                content = contents.get(name)
                if name == "hang":
                    stop.wait(WAIT_S)
                elif content is None:
                    self.send_error(404)
                elif name.startswith("secret"):
                    self.send_error(401)
                else:
                    self.send_response(200)
                    if not name.startswith(("live", "stall")):
                        self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self._send(content)
                    if name.startswith("stall"):
                        stop.wait(WAIT_S)

            def _send(self, content: bytes) -> None:
                try:
                    self.wfile.write(content)
                    self.wfile.flush()
                except ConnectionError:
                    self.close_connection = True  # the reader has seen enough

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="test web server"
        )

    def url(self, name: str, login: str = "") -> str:
        """Return the address of a content."""
        return f"http://{login}127.0.0.1:{self._server.server_address[1]}/{name}"

    def __enter__(self) -> ClipServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_S)
