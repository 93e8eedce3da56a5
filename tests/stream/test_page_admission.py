"""Who is let in to the page's server, and for how long."""

from __future__ import annotations

import asyncio
import gc
import shutil
import ssl
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType

from stream.errors import DisplayError
from stream.screens import connections, page_server
from stream.screens.admission import Admission
from stream.screens.options import PageOptions
from stream.screens.page import MARK_KEY, Page
from stream.screens.page_server import MAX_CONNECTIONS, MAX_MESSAGES_PER_S, PageServer
from stream.sinks.jpeg import encode_jpeg
from tests.clips import patches
from tests.stream.pages import (
    KEYS,
    Dial,
    browser,
    in_thread,
    picture,
    run,
    socket,
    told,
)
from tests.waits import WAIT_S

if sys.version_info < (3, 11):
    # It takes the transport of a handshake that never came for open, though it is not.
    pytestmark = pytest.mark.filterwarnings(
        "ignore:Exception ignored in.*_SSLProtocolTransport:pytest.PytestUnraisableExceptionWarning"
    )


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
        ("mark 1=" + 41 * "x", 1008),
        ("mark " + 13 * "x", 1008),
        ("mark 1=a\nb", 1008),
        (b"bytes", 1003),
    ],
    ids=[
        "long",
        "a key that is not offered",
        "no setting",
        "long name",
        "long word",
        "two lines",
        "no text",
    ],
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


def test_marks_are_not_understood_where_nobody_can_set_them(page: Page) -> None:
    page.connect([key for key in KEYS if MARK_KEY not in key.presses], Dial())
    assert page.press("k")
    assert not page.press("mark x")


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


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "TLS"])
def test_of_hundreds_of_connections_most_are_refused_and_the_view_goes_on(
    pem: tuple[Path, Path], is_encrypted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They never say a word, nor begin a handshake: those within the limit are kept meanwhile."""
    monkeypatch.setattr(connections, "ASK_S", 10 * WAIT_S)
    most, num_strangers = MAX_CONNECTIONS + 4 * 2, 300
    cert, key = pem if is_encrypted else (None, None)
    trusted = ssl.create_default_context(cafile=str(pem[0])) if is_encrypted else True

    async def scene(server: PageServer, page: Page) -> None:
        async with browser(server, trusted=trusted) as session, socket(server, session) as opened:
            arrived = [await _connect(server) for _ in range(num_strangers)]
            strangers = {asyncio.ensure_future(_stay(*each)) for each in arrived}
            kept = strangers
            while len(kept) > most:
                _, kept = await asyncio.wait(kept, return_when="FIRST_COMPLETED")
            await in_thread(page.show, patches(), 0.0)
            assert (await picture(opened))[1] == encode_jpeg(patches())
            for stranger in kept:
                stranger.cancel()
            await asyncio.gather(*strangers, return_exceptions=True)

    with (
        PageServer(PageOptions(port=0, max_viewers=2, cert=cert, key=key)) as server,
        Page(server, title="") as page,
    ):
        server.open(page.entered, is_common=True)
        run(lambda: scene(server, page))
    gc.collect()


def test_who_came_and_left_keeps_no_place_from_others(pem: tuple[Path, Path]) -> None:
    trusted = ssl.create_default_context(cafile=str(pem[0]))

    async def scene(server: PageServer) -> None:
        for _ in range(2 * (MAX_CONNECTIONS + 4)):
            async with browser(server, trusted=trusted):
                pass

    with PageServer(PageOptions(port=0, max_viewers=1, cert=pem[0], key=pem[1])) as server:
        run(lambda: scene(server))


def test_a_connection_that_asks_for_nothing_is_ended(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with browser(page.server) as session, socket(page.server, session) as opened:
            monkeypatch.setattr(connections, "ASK_S", 0.1)
            await _stay(*await _connect(page.server))
            await in_thread(page.show, patches(), 0.0)
            assert (await picture(opened))[1] == encode_jpeg(patches())

    run(scene)


async def _connect(server: PageServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = server.address.split("/")[2].split(":")
    return await asyncio.open_connection(host, int(port))


async def _stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing, and stay until sent away."""
    try:
        with suppress(ConnectionError):
            await reader.read()
    finally:
        writer.close()


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
