"""How many connections a server keeps, so that nobody uses up what the process may open."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

from aiohttp import web

__all__ = ["Connections"]

ASK_S = 10.0
"""A connection that has asked for nothing in so long is ended: it keeps a place from others."""
MAX_WAITING = 1024
"""Connections that may wait for their answer or refusal; those beyond hear nothing at all."""
FULL_S = 0.5
"""Wait where the process may open no more."""
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""An address of a name is not one of this machine's: its others may be."""


class Connections:
    """Answers connections up to a limit, refuses the others, and ends those that ask for nothing.

    Args:
        server: Answers requests.
        most: The limit.
        tls: Encrypts them; None does not.
    """

    def __init__(self, server: web.Server, most: int, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._most = most
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._arriving: set[asyncio.Task[None]] = set()
        self._silent: set[asyncio.BaseProtocol] = set()

    async def listen(self, host: str, port: int) -> int:
        """Take connections there until closed; return the port.

        Raises:
            OSError: It cannot be.
        """
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, _, _, _, address in dict.fromkeys(infos):
            try:
                listening = socket.create_server(
                    (address[0], port, *address[2:]), family=family, backlog=MAX_WAITING
                )
            except OSError as error:
                if error.errno in _NOT_HERE and len(infos) > 1:
                    continue
                self.close()
                raise
            listening.setblocking(False)
            self._sockets.append(listening)
            port = listening.getsockname()[1]
        if not self._sockets:
            raise OSError(errno.EADDRNOTAVAIL, f"{host} is no address of this machine")
        self._accepting = [loop.create_task(self._accept(each)) for each in self._sockets]
        return port

    def close(self) -> None:
        """Take no more; those that are answered go on."""
        for task in (*self._accepting, *self._arriving):
            task.cancel()
        for listening in self._sockets:
            listening.close()

    def note_request(self, asking: asyncio.BaseProtocol) -> None:
        """Note that a connection has asked for something."""
        self._silent.discard(asking)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                arrived, _ = await loop.sock_accept(listening)
            except OSError:  # it has left again, or there is nothing left to open it with
                await asyncio.sleep(FULL_S)
                continue
            if len(self._arriving) + len(self._server.connections) >= self._most:
                arrived.close()
                continue
            arriving = loop.create_task(self._answer(arrived))
            self._arriving.add(arriving)
            arriving.add_done_callback(self._arriving.discard)

    async def _answer(self, arrived: socket.socket) -> None:
        """Answer a connection; it is among the server's own once this returns."""
        loop = asyncio.get_running_loop()
        try:
            _, answering = await loop.connect_accepted_socket(
                self._server,
                arrived,
                ssl=self._tls,
                ssl_handshake_timeout=ASK_S if self._tls else None,
            )
        except OSError:  # it does not speak TLS, or has left
            arrived.close()
            return
        self._silent.add(answering)
        loop.call_later(ASK_S, self._end_silent, answering)

    def _end_silent(self, answering: web.RequestHandler) -> None:
        if answering in self._silent:
            self._silent.discard(answering)
            if answering.transport is not None:
                answering.transport.abort()
