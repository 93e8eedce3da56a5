"""The page's server as a browser, a player and a stranger meet it."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import ssl
import subprocess
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import WSMsgType

from stream.errors import DisplayError
from stream.frames import RgbImage
from stream.keys import Key, Setting
from stream.scene import Scene
from stream.screens import connections, page_server
from stream.screens.admission import Admission
from stream.screens.options import PageOptions
from stream.screens.page import Page
from stream.screens.page_server import MAX_MESSAGES_PER_S, PageServer
from stream.screens.viewers import MAX_IN_FLIGHT, Picture, Viewer, Viewers
from stream.screens.visits import Visits
from stream.sinks.jpeg import encode_jpeg
from stream.sources.browser import BrowserSource
from stream.stats import Stats
from tests.clips import patches
from tests.fakes import FrameRenderer, make_frame
from tests.waits import WAIT_S

KEYS = [Key(("k",), "skeleton", None), Key(("space",), "freeze", None)]


class Dial:
    """Controls with one setting."""

    def __init__(self) -> None:
        self.settings = (
            Setting(name="alpha", words="Opacity", value="0.6", range=(0.0, 1.0, 0.05)),
        )


@pytest.fixture
def page() -> Iterator[Page]:
    with opened_page() as page:
        yield page


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
    server: PageServer, *, is_admitted: bool = True
) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser that has opened the printed address, or has not."""
    base, _, query = server.address.partition("/?")
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of addresses that are numbers, as browsers do
    async with aiohttp.ClientSession(base, cookie_jar=jar) as session:
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


@pytest.mark.parametrize("path", ["/", "/view?clean=1", "/page.js", "/socket", "/mjpeg", "/no"])
@pytest.mark.parametrize("token", [None, "guessed"])
def test_without_the_token_there_is_nothing(page: Page, path: str, token: str | None) -> None:
    async def scene() -> None:
        async with browser(page.server, is_admitted=False) as session:
            query = {"token": token} if token else {}
            async with session.get(path, params=query) as answer:
                assert answer.status == 403
                assert "printed" in await answer.text()

    run(scene)


def test_the_token_leaves_the_address_and_becomes_a_cookie(page: Page) -> None:
    query = page.server.address.partition("/?")[2]

    async def scene() -> None:
        async with browser(page.server, is_admitted=False) as session:
            async with session.get(f"/view?clean=1&{query}", allow_redirects=False) as answer:
                assert answer.status == 303
                assert answer.headers["Location"] == "/view?clean=1"
                cookie = answer.headers["Set-Cookie"]
                assert "HttpOnly" in cookie
                assert "SameSite=Lax" in cookie
            async with session.get("/view?clean=1") as answer:
                assert answer.status == 200
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                text = await answer.text()
                assert "Attention is not an explanation" in text
                assert "style=" not in text
                assert "onclick" not in text

    run(scene)


def test_a_name_that_is_not_ours_is_refused_though_the_token_is_known(page: Page) -> None:
    """DNS rebinding: a stranger's name leads here, and the browser believes it is their page."""

    async def scene() -> None:
        async with (
            browser(page.server) as session,
            session.get("/", headers={"Host": "evil.example"}) as answer,
        ):
            assert answer.status == 421

    run(scene)


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
def test_the_page_of_another_origin_may_not_watch(page: Page, origin: str | None) -> None:
    async def scene() -> None:
        async with browser(page.server) as session:
            headers = {"Origin": origin} if origin else {}
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect("/socket", headers=headers)
            assert refusal.value.status == 403

    run(scene)


def test_more_viewers_than_may_are_refused_and_the_view_goes_on(page: Page) -> None:
    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as first:
            async with socket(page.server, session), session.get("/mjpeg") as answer:
                assert answer.status == 503
                assert "--max-viewers" in await answer.text()
            await in_thread(page.show, patches(), 0.0)
            assert (await picture(first))[1] == encode_jpeg(patches())

    run(scene)


@pytest.mark.parametrize(
    ("send", "code"),
    [
        ("x" * 100_000, 1009),
        ("q", 1008),
        ("alpha=../../etc", 1008),
        (b"bytes", 1003),
    ],
    ids=["long", "a key that is not offered", "no setting", "no text"],
)
def test_what_is_not_understood_ends_that_viewer_alone(
    page: Page, send: str | bytes, code: int
) -> None:
    async def scene() -> None:
        async with (
            browser(page.server) as session,
            socket(page.server, session) as good,
            socket(page.server, session) as bad,
        ):
            await (bad.send_str(send) if isinstance(send, str) else bad.send_bytes(send))
            while (message := await bad.receive()).type is WSMsgType.TEXT:
                pass
            assert message.type is WSMsgType.CLOSE
            assert message.data == code
            await in_thread(page.show, patches(), 0.0)
            assert (await picture(good))[1] == encode_jpeg(patches())

    run(scene)


def test_a_flood_of_messages_ends_that_viewer(page: Page) -> None:
    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            with suppress(ConnectionError):
                for _ in range(100 * MAX_MESSAGES_PER_S):
                    await opened.send_str("shown")
            async for _ in opened:
                pass
            assert opened.close_code in (1008, 1006)  # what is still unread may reset it first

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


def test_hundreds_of_connections_leave_the_view_alone_and_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "ASK_S", 0.5)

    async def say_nothing_to_the_end(server: PageServer) -> None:
        host, port = server.address.split("/")[2].split(":")
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                await reader.read()
            finally:
                writer.close()

    async def scene(page: Page) -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            strangers = [say_nothing_to_the_end(page.server) for _ in range(400)]
            everybody = asyncio.gather(*strangers)
            await in_thread(page.show, patches(), 0.0)
            assert (await picture(opened))[1] == encode_jpeg(patches())
            await everybody
            async with browser(page.server) as later, socket(page.server, later) as too:
                assert (await told(too))["kind"] == "hello"

    with opened_page() as page:
        run(lambda: scene(page))


def test_a_browser_that_waits_for_the_first_picture_is_not_idle(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "IDLE_S", 0.01)

    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            for _ in range(2):
                await told(opened)
            with pytest.raises(asyncio.TimeoutError):
                await opened.receive(timeout=0.2)  # many times as long, and nothing comes
            await in_thread(page.show, patches(), 0.0)
            await picture(opened)
            message = await opened.receive()
            assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1008, "idle")

    run(scene)


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


def test_a_port_that_is_taken_is_told_in_one_line(page: Page) -> None:
    port = int(page.server.address.split(":")[2].split("/")[0])
    with pytest.raises(DisplayError, match=rf"port {port} \(.*\); give another --port") as error:
        PageServer(PageOptions(port=port))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("served", "named", "is_ours"),
    [
        ("127.0.0.1", "127.0.0.1:8080", True),
        ("127.0.0.1", "localhost:9000", True),
        ("127.0.0.1", "[::1]:8080", True),
        ("127.0.0.1", "192.168.1.5:8080", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "[oops", False),
        ("0.0.0.0", "192.168.1.5:8080", True),
        ("0.0.0.0", "evil.example", False),
        ("demo.lan", "demo.lan:8080", True),
    ],
)
def test_names_that_a_page_is_asked_for_by(served: str, named: str, is_ours: bool) -> None:
    assert Admission(served).is_ours(named) is is_ours


def test_no_two_runs_have_one_token() -> None:
    tokens = {Admission("127.0.0.1").token for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 32


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("pem")
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run(
        [*words, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    return cert, key


# Before 3.11 asyncio leaves a client's end of TLS to the collector, which complains.
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_with_a_certificate_the_page_is_served_by_https(pem: tuple[Path, Path]) -> None:
    cert, key = pem
    trusted = ssl.create_default_context(cafile=str(cert))

    async def scene(server: PageServer) -> None:
        async with aiohttp.ClientSession() as session:
            async with session.get(server.address, ssl=trusted, allow_redirects=False) as answer:
                assert answer.status == 303
                assert "Secure" in answer.headers["Set-Cookie"]
            with pytest.raises(aiohttp.ClientError):
                await session.get(server.address.replace("https", "http"))

    with PageServer(PageOptions(port=0, cert=cert, key=key)) as server:
        assert server.address.startswith("https://")
        run(lambda: scene(server))


@pytest.mark.parametrize("fault", ["missing", "swapped", "another's key", "password"])
def test_a_certificate_that_does_not_serve_is_told_in_one_line(
    pem: tuple[Path, Path], tmp_path: Path, fault: str
) -> None:
    cert, key = pem
    if fault == "missing":
        key = tmp_path / "no.pem"
    elif fault == "swapped":
        cert, key = key, cert
    else:
        words = ["openssl", "genrsa"]
        words += ["-aes128", "-passout", "pass:secret"] if fault == "password" else []
        made = subprocess.run([*words, "2048"], check=True, capture_output=True).stdout
        key = tmp_path / "other.pem"
        key.write_bytes(made)
    with pytest.raises(DisplayError, match="HTTPS") as error:
        PageServer(PageOptions(port=0, cert=cert, key=key))
    assert "\n" not in str(error.value)
