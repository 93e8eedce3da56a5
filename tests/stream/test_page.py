"""The page's server as a browser and a player meet it."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from stream.errors import DisplayError
from stream.frames import RgbImage
from stream.scene import Scene
from stream.screens.page import Page
from stream.screens.viewers import MAX_IN_FLIGHT, Picture, Viewer, Viewers
from stream.sinks.jpeg import encode_jpeg
from stream.stats import Stats
from tests.clips import patches
from tests.fakes import FrameRenderer, make_frame
from tests.stream.pages import (
    KEYS,
    Dial,
    browser,
    in_thread,
    picture,
    run,
    scene_at,
    socket,
    told,
)
from tests.waits import WAIT_S


def test_a_browser_gets_keys_settings_and_each_picture_with_its_readings(page: Page) -> None:
    renderer = page.watch(FrameRenderer())

    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            hello = await told(opened)
            assert hello["title"] == "clip.mp4"
            assert hello["keys"][0] == {"presses": ["k"], "shown": "k", "words": "skeleton"}
            settings = await told(opened)
            assert settings["settings"][0]["value"] == "0.6"
            canvas = renderer.draw(scene_at(30, fps_shown=24.96, dropped_capture=3))
            assert await in_thread(page.show, canvas, 0.0) is None
            readings, jpeg = await picture(opened)
            assert (readings["time_s"], readings["fps"], readings["dropped"]) == (1.0, 25.0, 3)
            assert readings["age_ms"] is None
            assert jpeg == encode_jpeg(canvas)

    run(scene)


def test_the_page_knows_what_is_frozen_and_recorded(page: Page) -> None:
    drawing = FrameRenderer()
    renderer = page.watch(drawing)
    first = scene_at(0)
    second = scene_at(1, recording_s=72.4, is_frozen=True, notice="recording")

    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            found = []
            for each in (first, second):
                await in_thread(page.show, renderer.draw(each), 0.0)
                found.append((await picture(opened))[0])
                await opened.send_str("shown")
            assert [each["is_frozen"] for each in found] == [False, True]
            assert [each["recording_s"] for each in found] == [None, 72]
            assert [each["notice"] for each in found] == ["", "recording"]

    run(scene)
    # What OBS shows has neither lamp nor notice in it.
    assert drawing.scenes[1].stats == Stats(is_frozen=True)


def test_what_each_head_looks_at_follows_a_picture(page: Page) -> None:
    tiles = np.zeros((96, 3 * 96, 3), np.uint8)

    class Renderer(FrameRenderer):
        def draw_heads(self, scene: Scene) -> RgbImage | None:
            return tiles

    renderer = page.watch(Renderer())

    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            await in_thread(lambda: page.show(renderer.draw(scene_at(0)), 0.0))
            await picture(opened)
            readings, jpeg = await picture(opened)
            assert readings == {"num_heads": 3}
            assert jpeg == encode_jpeg(tiles)

    run(scene)


def test_what_is_pressed_reaches_the_loop_the_newest_value_of_a_slider(page: Page) -> None:
    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            await told(opened)
            for press in ("k", "alpha=0.1", "alpha=0.2", "space", "alpha=0.35"):
                await opened.send_str(press)
            canvas = patches()
            pressed = [await in_thread(page.show, canvas, WAIT_S)]
            while pressed[-1] not in ("space", None):
                pressed.append(await in_thread(page.show, canvas, WAIT_S))
            pressed.append(await in_thread(page.show, canvas, 0.0))
            assert [each for each in pressed if each and "=" not in each] == ["k", "space"]
            values = [each for each in pressed if each and "=" in each]
            assert values == sorted(values), "the last value is the one that stays"

    run(scene)


@pytest.mark.parametrize("name", ["HELLO = 1", 40 * chr(0x1F590), "", chr(0x645) + "\t"])
def test_what_is_said_of_a_mark_reaches_the_loop_in_order(page: Page, name: str) -> None:
    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            said = ["mark 0ab", "mark x", f"mark 0ab={name}", "no mark x"]
            for press in said:
                await opened.send_str(press)
            heard = [await in_thread(page.show, patches(), WAIT_S) for _ in said]
            assert heard == said

    run(scene)


def test_a_changed_setting_is_told_to_all(page: Page) -> None:
    dial = Dial()
    page.connect(KEYS, dial)

    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            dial.settings = (replace(dial.settings[0], value="0.9"),)
            await in_thread(page.show, patches(), 0.0)
            values = []
            while "0.9" not in values:
                message = await told(opened)
                values += [each["value"] for each in message.get("settings", [])]

    run(scene)


def test_the_reason_of_the_end_is_told(page: Page) -> None:
    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            page.fail("camera 0 stopped: it was unplugged")
            await in_thread(page.close)
            await in_thread(page.server.close)
            kinds = {}
            async for message in opened:
                words = json.loads(message.data)
                kinds[words["kind"]] = words
            assert kinds["end"]["words"] == "camera 0 stopped: it was unplugged"

    run(scene)
    assert not page.is_open
    with pytest.raises(DisplayError, match="no longer served"):
        page.show(patches(), 0.0)


def test_players_get_the_pictures_one_after_the_other(page: Page) -> None:
    query = page.server.address.partition("/?")[2]

    async def scene() -> None:
        async with (
            browser(page.server, is_admitted=False) as session,
            session.get(f"/mjpeg?{query}") as answer,
        ):
            assert answer.content_type == "multipart/x-mixed-replace"
            for number in range(3):
                canvas = make_frame(number).image
                await in_thread(page.show, canvas, 0.0)
                head = await answer.content.readuntil(b"\r\n\r\n")
                jpeg = encode_jpeg(canvas)
                assert f"Content-Length: {len(jpeg)}".encode() in head
                assert await answer.content.readexactly(len(jpeg)) == jpeg
                await answer.content.readexactly(2)

    run(scene)


def test_each_viewer_has_the_newest_picture_and_two_on_their_way() -> None:
    async def scene() -> None:
        viewers = Viewers()
        with viewers.admitted() as slow, viewers.admitted() as quick:
            seen: dict[Viewer, list[bytes]] = {slow: [], quick: []}
            for number in range(6):
                viewers.offer(Picture(bytes([number]), b""))
                for viewer in (slow, quick):
                    if viewer is slow and number >= MAX_IN_FLIGHT:
                        continue  # paints none of those it has
                    item = await viewer.next()
                    assert isinstance(item, Picture)
                    seen[viewer].append(item.jpeg)
                quick.shown()
            slow.shown()
            item = await slow.next()
            assert isinstance(item, Picture)
            assert [*seen[slow], item.jpeg] == [b"\0", b"\1", b"\5"]
            assert seen[quick] == [bytes([number]) for number in range(6)]

    run(scene)


def test_a_viewer_that_reads_nothing_slows_nobody(page: Page) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)

    async def scene() -> None:
        async with (
            browser(page.server) as session,
            socket(page.server, session) as quick,
            socket(page.server, session),
        ):
            for number in range(30):
                canvas = noise.copy()
                canvas[:16] = number
                await in_thread(page.show, canvas, 0.0)
                _, jpeg = await picture(quick)
                await quick.send_str("shown")
                assert jpeg == encode_jpeg(canvas), number

    run(scene)


def test_a_third_picture_waits_until_one_is_shown() -> None:
    async def scene() -> None:
        viewer = Viewer()
        for number in range(3):
            viewer.offer(Picture(bytes([number]), b""))
            if number < MAX_IN_FLIGHT:
                await viewer.next()
        third = asyncio.ensure_future(viewer.next())
        await asyncio.wait([third], timeout=0)
        assert not third.done()
        viewer.shown()
        item = await third
        assert isinstance(item, Picture)
        assert item.jpeg == b"\2"

    run(scene)


def test_pictures_are_encoded_only_while_somebody_watches(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[RgbImage] = []
    was_encoded = threading.Event()

    def encode(canvas: RgbImage) -> bytes:
        encoded.append(canvas)
        was_encoded.set()
        return b"jpeg"

    monkeypatch.setattr("stream.screens.page.encode_jpeg", encode)
    page.show(patches(), 0.0)

    async def scene() -> None:
        async with (
            browser(page.server) as session,
            socket(page.server, session) as one,
            socket(page.server, session),
        ):
            await told(one)
            canvas = patches()
            await in_thread(page.show, canvas, 0.0)
            await in_thread(was_encoded.wait, WAIT_S)
            assert len(encoded) == 1
            assert encoded[0] is canvas

    run(scene)
