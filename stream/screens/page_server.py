"""The page's web server: a thread with an event loop, which is handed values."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from stream.closing import Closing
from stream.errors import DisplayError
from stream.screens.admission import Admission
from stream.screens.certificate import open_certificate
from stream.screens.connections import Connections
from stream.screens.options import PageOptions
from stream.screens.viewers import Picture, Viewer, Viewers

__all__ = ["PageServer", "Show"]

MAX_MESSAGE_BYTES = 256
"""Of what a browser says: a key, a setting, or that a picture was shown."""
MAX_PICTURE_BYTES = 2_000_000
"""Of a picture that a browser sends."""
PICTURE_COST = 4
"""Messages that a picture counts for: sixty of them a second may come."""
MAX_MESSAGES_PER_S = 240
"""Twice what a screen of 120 pictures a second says; whoever says more is no browser of ours."""
IDLE_S = 60.0
"""Who takes no picture for so long, though there is one, is no longer there."""
MAX_UNUSED = 5
"""So many times as long a browser may keep a place for its own camera and send no picture."""
MAX_CONNECTIONS = 64
"""Beside four of each viewer: who opens more wants to use up what this process may open."""
KEEP_ALIVE_S = 15.0
"""A connection that asks for nothing so long is closed."""
SHOWN = "shown"
"""What a browser says when it has painted a picture."""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "signlight",
}
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_FOLDER = files("stream.screens")
_FILES = {"/": "page.html", "/view": "page.html"} | {
    f"/{each.name}": each.name for each in _FOLDER.iterdir() if each.name.endswith((".css", ".js"))
}
_BOUNDARY = "signlight-picture"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Show(Protocol):
    """What a browser is shown, and what hears of it; used on the server's thread."""

    viewers: Viewers
    """All who watch it."""
    takes_pictures: bool
    """Whether a browser's own pictures are wanted."""

    def press(self, press: str) -> bool:
        """Take a key or a setting; return whether it is anything that can be."""

    def take(self, jpeg: bytes) -> None:
        """Take a picture, where they are wanted."""


Entrance = Callable[[], AbstractAsyncContextManager[Show]]
"""Shows a browser in, for as long as it stays."""


class PageServer(Closing):
    """Serves the page, its pictures, and what is pressed on it, once :meth:`open` says of what.

    Args:
        options: Where, and to how many.

    Attributes:
        admission: Who may see it.
        port: Where it is.

    Raises:
        DisplayError: It cannot be served there, or not with that certificate.
    """

    def __init__(self, options: PageOptions) -> None:
        self.admission = Admission(options.host)
        self._host = options.host
        self._tls = open_certificate(options)
        self._max_viewers = options.max_viewers
        self._num_viewers = 0
        self._entrance: Entrance | None = None
        self._is_common = True
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(options.port, started), name="signlight-page"
        )
        self._thread.start()
        try:
            self._loop, self._end, self.port = started.result()
        except OSError as error:
            self._thread.join()
            raise DisplayError(
                f"the page cannot be served at {options.host}, port {options.port} "
                f"({error.strerror or error}); give another --port or --host"
            ) from error

    @property
    def is_running(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    @property
    def is_encrypted(self) -> bool:
        """Whether it is served by HTTPS."""
        return self._tls is not None

    @property
    def address(self) -> str:
        """Address that opens the page, with its token."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::", "") else self._host
        name = f"[{host}]" if ":" in host else host
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{name}:{self.port}/?token={self.admission.token}"

    def open(self, entrance: Entrance, *, is_common: bool) -> None:
        """Let browsers in.

        Args:
            entrance: Shows each of them in.
            is_common: Whether all are shown the same, and so are players.
        """
        self._is_common = is_common
        self._entrance = entrance

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a function called on the server's thread, soon; any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)

    def close(self) -> None:
        """Send what was told, then end; harmless when called again."""
        self.call(self._end.set)
        self._thread.join()

    def _run(
        self, port: int, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]]
    ) -> None:
        try:
            asyncio.run(self._serve(port, started))
        except BaseException as failure:
            if started.done():
                raise
            started.set_exception(failure)

    async def _serve(
        self, port: int, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]]
    ) -> None:
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_MESSAGE_BYTES)
        app.on_response_prepare.append(_add_headers)
        for path in _FILES:
            app.router.add_get(path, _send_file)
        app.router.add_get("/socket", self._watch)
        app.router.add_get("/mjpeg", self._stream)
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=KEEP_ALIVE_S,
            shutdown_timeout=2,
        )
        await runner.setup()
        assert runner.server is not None  # it is set up
        self._connections = Connections(
            runner.server, 4 * self._max_viewers + MAX_CONNECTIONS, self._tls
        )
        try:
            end = asyncio.Event()
            port = await self._connections.listen(self._host, port)
            # Browsers keep cookies by name and host, whatever the port.
            self._cookie = f"signlight-{port}"
            started.set_result((asyncio.get_running_loop(), end, port))
            await end.wait()
        finally:
            self._connections.close()
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._connections.note_request(request.protocol)
        if not self.admission.is_ours(request.host):
            raise web.HTTPMisdirectedRequest(
                text="This name is not one of the computer that serves the page. Open the address "
                "that signlight serve has printed."
            )
        token = request.query.get("token")
        if self.admission.knows(token):
            if request.path == "/mjpeg":  # players keep no cookies
                return await handler(request)
            query = {name: value for name, value in request.query.items() if name != "token"}
            answer = web.HTTPSeeOther(request.rel_url.with_query(query))
            answer.set_cookie(
                self._cookie,
                self.admission.token,
                httponly=True,
                samesite="Lax",
                path="/",
                secure=self.is_encrypted,
            )
            raise answer
        if not self.admission.knows(request.cookies.get(self._cookie)):
            raise web.HTTPForbidden(
                text="This page opens with the whole address that signlight serve has printed, "
                "the token in it. It is a new one each time."
            )
        return await handler(request)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        if not self.admission.is_same_origin(request.headers.get("Origin"), request.host):
            raise web.HTTPForbidden(text="Another page may not watch.")
        async with self._entered() as show:
            max_bytes = MAX_PICTURE_BYTES if show.takes_pictures else MAX_MESSAGE_BYTES
            socket = web.WebSocketResponse(max_msg_size=max_bytes, heartbeat=20, compress=False)
            with show.viewers.admitted() as viewer:
                await socket.prepare(request)
                sender = asyncio.create_task(_send_to(socket, viewer))
                try:
                    await self._listen(socket, viewer, show)
                finally:
                    sender.cancel()
                    await asyncio.gather(sender, return_exceptions=True)
        return socket

    @asynccontextmanager
    async def _entered(self) -> AsyncIterator[Show]:
        """Show a browser in, where there is room."""
        if self._entrance is None or self._num_viewers >= self._max_viewers:
            raise _enough()
        self._num_viewers += 1
        try:
            async with self._entrance() as show:
                yield show
        finally:
            self._num_viewers -= 1

    async def _listen(self, socket: web.WebSocketResponse, viewer: Viewer, show: Show) -> None:
        """Take what a browser says until it leaves, falls silent or says too much."""
        allowance, before_s = float(MAX_MESSAGES_PER_S), time.monotonic()
        used_s = time.monotonic()

        def is_unused() -> bool:
            return show.takes_pictures and time.monotonic() - used_s > MAX_UNUSED * IDLE_S

        while True:
            try:
                message = await socket.receive(timeout=IDLE_S)
            except asyncio.TimeoutError:
                if not viewer.owes and not is_unused():  # there was nothing to say
                    continue
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"idle")
                return
            is_picture = message.type is WSMsgType.BINARY
            if is_picture and not show.takes_pictures:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
            if not (is_picture and show.takes_pictures) and message.type is not WSMsgType.TEXT:
                return
            now_s = time.monotonic()
            gained = (now_s - before_s) * MAX_MESSAGES_PER_S
            cost = PICTURE_COST if is_picture else 1
            allowance, before_s = min(MAX_MESSAGES_PER_S, allowance + gained) - cost, now_s
            if allowance < 0:
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too much")
                return
            if message.data != SHOWN:  # that alone says of nobody that they use their place
                used_s = now_s
            if is_unused():
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"idle")
                return
            if is_picture:
                show.take(message.data)
            elif message.data == SHOWN:
                viewer.shown()
            elif not show.press(message.data):
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not understood")
                return

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Send pictures one after the other, as OBS and VLC take them (multipart)."""
        if not self._is_common:
            raise web.HTTPNotFound(text="Each browser shows its own camera here.")
        async with self._entered() as show:
            answer = web.StreamResponse(
                headers={"Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}"}
            )
            with (
                show.viewers.admitted() as viewer,
                suppress(ConnectionError, asyncio.TimeoutError),
            ):
                await answer.prepare(request)
                while (item := await viewer.next()) is not None:
                    if isinstance(item, Picture):
                        head = (
                            f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                            f"Content-Length: {len(item.jpeg)}\r\n\r\n"
                        )
                        part = b"".join((head.encode(), item.jpeg, b"\r\n"))
                        await asyncio.wait_for(answer.write(part), IDLE_S)
                        viewer.shown()
        return answer


async def _send_to(socket: web.WebSocketResponse, viewer: Viewer) -> None:
    with suppress(ConnectionError):  # it has left
        while (item := await viewer.next()) is not None:
            if isinstance(item, Picture):
                await socket.send_bytes(item.message)
            elif isinstance(item, bytes):
                await socket.send_bytes(item)
            else:
                await socket.send_str(item)
        await socket.close(code=WSCloseCode.GOING_AWAY)


async def _send_file(request: web.Request) -> web.Response:
    name = _FILES[request.path]
    return web.Response(
        body=_FOLDER.joinpath(name).read_bytes(),
        content_type=_KINDS[name.rpartition(".")[2]],
        charset="utf-8",
    )


async def _add_headers(_request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(_HEADERS)


def _enough() -> web.HTTPException:
    error: Any = web.HTTPServiceUnavailable
    refusal: web.HTTPException = error(
        text="As many browsers watch as may; close one, or raise --max-viewers."
    )
    return refusal
