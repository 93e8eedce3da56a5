"""Pages of a browser's own camera."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from contextlib import suppress

import aiohttp
import numpy as np
import pytest
from aiohttp import WSMsgType

from stream.screens import page_server
from stream.screens.options import PageOptions
from stream.screens.page import Page
from stream.screens.page_server import PageServer
from stream.screens.visits import Visits
from stream.sinks.jpeg import encode_jpeg
from stream.sources.browser import BrowserSource
from tests.stream.pages import (
    KEYS,
    Dial,
    browser,
    origin_of,
    picture,
    run,
    socket,
    told,
)


def test_a_place_for_a_camera_that_is_not_used_is_free_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_server, "IDLE_S", 0.01)

    def show(page: Page, camera: BrowserSource, stop: threading.Event) -> None:
        page.connect(KEYS, Dial())
        camera.read()

    async def scene(server: PageServer) -> None:
        async with browser(server) as session, socket(server, session) as opened:
            while not opened.closed:  # to answer what comes is no use of a camera
                with suppress(ConnectionResetError):
                    await opened.send_str("shown")
                with suppress(asyncio.TimeoutError):
                    message = await opened.receive(timeout=0.005)
                    assert message.type is not WSMsgType.BINARY
            assert opened.close_code == 1008

    with PageServer(PageOptions(port=0)) as server, Visits(server, show) as visits:
        server.open(visits.entered, is_common=False)
        run(lambda: scene(server))


def test_each_browser_is_shown_its_own_pictures_until_it_leaves() -> None:
    ended = []

    def show(page: Page, camera: BrowserSource, stop: threading.Event) -> None:
        page.connect(KEYS, Dial())
        while not stop.is_set() and (frame := camera.read()) is not None:
            page.show(frame.image.copy(), 0.0)
        ended.append(threading.current_thread())

    sent = [encode_jpeg(np.full((48, 64, 3), level, np.uint8)) for level in (20, 200)]

    async def scene(server: PageServer) -> None:
        async with browser(server) as session, socket(server, session) as first:
            async with socket(server, session) as second:
                for opened, jpeg in ((first, sent[0]), (second, sent[1])):
                    assert (await told(opened))["camera"]["max_per_s"] == 30
                    await opened.send_bytes(jpeg)
                levels = [(await picture(opened))[1] for opened in (first, second)]
                assert [round(_grey_of(jpeg), -1) for jpeg in levels] == [20, 200]
                with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                    await session.ws_connect("/socket", headers={"Origin": origin_of(server)})
                assert refusal.value.status == 503
            third = None
            while third is None:  # its place is free again soon
                with suppress(aiohttp.WSServerHandshakeError):
                    third = await session.ws_connect(
                        "/socket", headers={"Origin": origin_of(server)}
                    )
            await told(third)
            await third.close()
            async with session.get("/mjpeg") as answer:
                assert answer.status == 404

    with PageServer(PageOptions(port=0, max_viewers=2)) as server, Visits(server, show) as visits:
        server.open(visits.entered, is_common=False)
        run(lambda: scene(server))
    assert len(ended) == 3
    assert not any(thread.is_alive() for thread in ended)


def test_what_a_visit_had_is_free_when_it_has_ended() -> None:
    class Part:
        """Knows itself, as parts of a view know each other."""

        def __init__(self) -> None:
            self.other = self

    parts: list[weakref.ref[Part]] = []

    def show(page: Page, camera: BrowserSource, stop: threading.Event) -> None:
        parts.append(weakref.ref(Part()))
        page.connect(KEYS, Dial())
        camera.read()

    async def scene(server: PageServer) -> None:
        async with browser(server) as session, socket(server, session) as opened:
            await told(opened)

    gc.disable()  # so that it does not come by chance
    try:
        with PageServer(PageOptions(port=0)) as server, Visits(server, show) as visits:
            server.open(visits.entered, is_common=False)
            run(lambda: scene(server))
        assert parts[0]() is None
    finally:
        gc.enable()


def test_a_browser_that_sends_no_picture_is_told_and_let_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def show(page: Page, camera: BrowserSource, stop: threading.Event) -> None:
        page.connect(KEYS, Dial())
        camera.read()

    async def scene(server: PageServer) -> None:
        async with browser(server) as session, socket(server, session) as opened:
            await opened.send_bytes(b"no picture")
            words = [json.loads(each.data) async for each in opened if each.type is WSMsgType.TEXT]
            assert words[-1]["kind"] == "end"
            assert "no JPEG picture" in words[-1]["words"]

    with PageServer(PageOptions(port=0)) as server, Visits(server, show) as visits:
        server.open(visits.entered, is_common=False)
        run(lambda: scene(server))
    assert "no JPEG picture" in caplog.text


def _grey_of(jpeg: bytes) -> int:
    with BrowserSource() as source:
        source.offer(jpeg)
        frame = source.read()
    assert frame is not None
    return int(frame.image[0, 0, 0])
