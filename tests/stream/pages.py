"""A page that is served, and browsers that open it, for tests."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from stream.keys import Key, Setting
from stream.scene import Scene
from stream.screens.options import PageOptions
from stream.screens.page import MARK_KEY, Page
from stream.screens.page_server import PageServer
from stream.stats import Stats
from tests.fakes import make_frame
from tests.waits import WAIT_S

__all__ = [
    "KEYS",
    "Dial",
    "browser",
    "in_thread",
    "opened_page",
    "origin_of",
    "picture",
    "run",
    "scene_at",
    "socket",
    "told",
]

KEYS = [
    Key(("k",), "skeleton", None),
    Key(("space",), "freeze", None),
    Key((MARK_KEY,), "mark", None),
]


class Dial:
    """Controls with one setting."""

    def __init__(self) -> None:
        self.settings = (
            Setting(name="alpha", words="Opacity", value="0.6", range=(0.0, 1.0, 0.05)),
        )


@contextmanager
def opened_page(title: str = "clip.mp4") -> Iterator[Page]:
    """A page that all browsers watch, two at most."""
    with (
        PageServer(PageOptions(port=0, max_viewers=2)) as server,
        Page(server, title=title) as page,
    ):
        server.open(page.entered, is_common=True)
        page.connect(KEYS, Dial())
        yield page


@asynccontextmanager
async def browser(
    server: PageServer, *, is_admitted: bool = True, trusted: ssl.SSLContext | bool = True
) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser that has opened the printed address, or has not."""
    base, _, query = server.address.partition("/?")
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of addresses that are numbers, as browsers do
    connector = aiohttp.TCPConnector(ssl=trusted)
    async with aiohttp.ClientSession(base, cookie_jar=jar, connector=connector) as session:
        if is_admitted:
            async with session.get(f"/?{query}") as answer:
                assert answer.status == 200
        yield session


@asynccontextmanager
async def socket(server: PageServer, session: aiohttp.ClientSession) -> AsyncIterator[Any]:
    headers = {"Origin": origin_of(server)}
    async with session.ws_connect("/socket", headers=headers, max_msg_size=0) as opened:
        yield opened


def origin_of(server: PageServer) -> str:
    return server.address.partition("/?")[0]


def run(scene: Callable[[], Any]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scene(), WAIT_S)

    # On a thread of its own: a browser that other tests have opened keeps a loop on this one.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: asyncio.run(bounded())).result()


async def told(opened: Any) -> dict[str, Any]:  # noqa: ANN401
    message = await opened.receive()
    assert message.type is WSMsgType.TEXT, message
    found: dict[str, Any] = json.loads(message.data)
    return found


async def picture(opened: Any) -> tuple[dict[str, Any], bytes]:  # noqa: ANN401
    while (message := await opened.receive()).type is WSMsgType.TEXT:
        pass
    assert message.type is WSMsgType.BINARY, message
    size = int.from_bytes(message.data[:2], "big")
    return json.loads(message.data[2 : 2 + size]), message.data[2 + size :]


async def in_thread(function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


def scene_at(index: int, **stats: Any) -> Scene:  # noqa: ANN401
    return Scene(frame=make_frame(index), hands=(), maps={}, stats=Stats(**stats))
