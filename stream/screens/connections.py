"""How many connections a server keeps, so that nobody uses up what the process may open."""

from __future__ import annotations

import asyncio
import ssl
from socket import fromfd

from aiohttp import web

__all__ = ["Connections"]

ASK_S = 10.0
"""A connection that has asked for nothing in so long is ended: it keeps a place from others."""
AT_ONCE = 64
"""Taken from the queue at once, before those that are too many are refused."""
MAX_WAITING = 1024
"""That may wait in the queue to be answered or refused; those beyond hear nothing at all."""
_MADE_S = 0.1
"""Between the arrival of a connection and when it is counted."""


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
        self._arriving: set[asyncio.BaseProtocol] = set()
        self._silent: set[asyncio.BaseProtocol] = set()

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Return what takes connections there.

        Raises:
            OSError: It cannot be.
        """
        listening = await asyncio.get_running_loop().create_server(
            self._answer,
            host,
            port,
            ssl=self._tls,
            ssl_handshake_timeout=ASK_S if self._tls else None,
            backlog=AT_ONCE,
        )
        for each in listening.sockets:
            with fromfd(each.fileno(), each.family, each.type) as same:
                same.listen(MAX_WAITING)
        return listening

    def note_request(self, asking: asyncio.BaseProtocol) -> None:
        """Note that a connection has asked for something."""
        self._silent.discard(asking)

    def _answer(self) -> asyncio.Protocol:
        """Return what answers a new connection, or ends it where there are too many."""
        if len(self._arriving.union(self._server.connections)) >= self._most:
            return _Refusal()
        answering = self._server()
        # Many may arrive before the first of them is counted among the connections.
        self._arriving.add(answering)
        self._silent.add(answering)
        loop = asyncio.get_running_loop()
        loop.call_later(ASK_S if self._tls else _MADE_S, self._arriving.discard, answering)
        loop.call_later(ASK_S, self._end_silent, answering)
        return answering

    def _end_silent(self, answering: web.RequestHandler) -> None:
        self._arriving.discard(answering)
        if answering in self._silent:
            self._silent.discard(answering)
            if answering.transport is not None:
                answering.transport.abort()


class _Refusal(asyncio.Protocol):
    """Ends a connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
