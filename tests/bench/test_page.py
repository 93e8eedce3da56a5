"""What the page adds and what it stands; prints. Run with ``-m bench -s``, on a quiet machine."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import av
import pytest
from aiohttp import WSMsgType

from models.bench.machine import describe_machine
from stream.scene import Scene
from stream.screens.options import PageOptions
from stream.screens.page import Page
from stream.screens.page_server import PageServer
from stream.sinks.jpeg import encode_jpeg
from stream.stats import percentile
from tests.bench.stamped_view import BLOCK, NUM_BITS, stamp
from tests.conftest import ROOT
from tests.fakes import make_frame
from tests.served_view import SECOND_MS, ServedView
from tests.waits import PROCESS_S

pytestmark = pytest.mark.bench

T = TypeVar("T")

MEASURED_S = 20
SOAK_S = 30 * 60
NUM_VISITS = 200
VISIT_S = 4
PICTURES_PER_S = 30
"""That a browser sends of its own camera: who sends many more is sent away."""
REFUSED_S = 30
LAYOUTS = ("side", "overlay", "heads", "insets")
STAMPED = ROOT / "tests" / "bench" / "stamped_view.py"
READ_STAMPS = f"""
window.agesMs = [];
window.widths = [];
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...drawn) {{
  draw.apply(this, drawn);
  if (this.canvas.id !== "picture") return;
  const shownMs = performance.timeOrigin + performance.now();
  const {{ width, height }} = this.canvas;
  const side = width * {BLOCK};
  const row = this.getImageData(0, Math.floor(height - side / 2), width, 1).data;
  let stampMs = 0;
  for (let place = 0; place < {NUM_BITS}; place++) {{
    stampMs = 2 * stampMs + (row[4 * Math.floor((place + 0.5) * side)] > 127 ? 1 : 0);
  }}
  window.agesMs.push((Math.floor(shownMs) % 2 ** {NUM_BITS} - stampMs + 2 ** {NUM_BITS}) % 2 ** {NUM_BITS});
  window.widths.push(width);
}};
"""  # noqa: E501
STAMPING_CAMERA = f"""
navigator.mediaDevices.getUserMedia = async () => {{
  const image = await createImageBitmap(await (await fetch("data:image/jpeg;base64,PICTURE")).blob());
  const canvas = Object.assign(document.createElement("canvas"), {{ width: 1280, height: 720 }});
  const context = canvas.getContext("2d");
  const side = 1280 * {BLOCK};
  const paint = () => {{
    context.drawImage(image, 0, 0, 1280, 720);
    const nowMs = Math.floor(performance.timeOrigin + performance.now()) % 2 ** {NUM_BITS};
    for (let place = 0; place < {NUM_BITS}; place++) {{
      context.fillStyle = Math.floor(nowMs / 2 ** ({NUM_BITS} - 1 - place)) % 2 ? "#fff" : "#000";
      context.fillRect(place * side, 720 - side, side, side);
    }}
  }};
  setInterval(paint, 1000 / 30);
  paint();
  return canvas.captureStream(30);
}};
"""  # noqa: E501


@contextmanager
def opened(chromium: Any, view: ServedView | PageServer, *scripts: str) -> Iterator[Any]:  # noqa: ANN401
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    for script in scripts:
        context.add_init_script(script)
    page = context.new_page()
    page.set_default_timeout(PROCESS_S * SECOND_MS)
    page.goto(view.address)
    yield page
    context.close()


def measured(page: Any, *, seconds: int = MEASURED_S) -> tuple[list[float], float]:  # noqa: ANN401
    """Return the ages of the pictures painted, in ms, and pictures a second."""
    page.locator("#age", has_text="ms").wait_for()
    page.wait_for_timeout(5 * SECOND_MS)
    page.evaluate("window.agesMs = []")
    began_s = time.monotonic()
    page.wait_for_timeout(seconds * SECOND_MS)
    ages_ms = page.evaluate("window.agesMs")
    return ages_ms, len(ages_ms) / (time.monotonic() - began_s)


def tell(title: str, ages_ms: list[float], rate: float, more: str = "") -> None:
    machine = describe_machine(gpu=None)
    print(
        f"\n{title} ({machine.cpu}, {machine.num_cores} cores): median "
        f"{percentile(ages_ms, 0.5):.0f} ms, p95 {percentile(ages_ms, 0.95):.0f} ms, "
        f"{rate:.1f} pictures a second{more}"
    )


def test_from_composed_to_painted(chromium: Any, tmp_path: Path, sample_clip: Path) -> None:  # noqa: ANN401
    with (
        ServedView(tmp_path, str(sample_clip), program=STAMPED) as view,
        opened(chromium, view, READ_STAMPS) as page,
    ):
        tell("composed to painted, 1280 x 720", *measured(page))


def test_the_page_alone(chromium: Any, sample_clip: Path) -> None:  # noqa: ANN401
    """Without hands and model, what is between a canvas and its picture in the browser."""
    with av.open(str(sample_clip)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][:60]
    stop = threading.Event()

    def play(page: Page) -> None:
        for index in count():
            if stop.wait(max(0.0, began_s + index / 30 - time.monotonic())):
                return
            canvas = pictures[index % len(pictures)].copy()
            stamp(canvas)
            page.note(Scene(frame=make_frame(index), hands=(), maps={}))
            page.show(canvas, 0.0)

    with PageServer(PageOptions(port=0)) as server, Page(server, title="") as page:
        server.open(page.entered, is_common=True)
        began_s = time.monotonic()
        playing = threading.Thread(target=play, args=(page,))
        playing.start()
        with opened(chromium, server, READ_STAMPS) as shown:
            shown.locator("#message").wait_for(state="hidden")
            shown.wait_for_timeout(2 * SECOND_MS)
            shown.evaluate("window.agesMs = []")
            cpu_s = time.process_time()
            shown.wait_for_timeout(MEASURED_S * SECOND_MS)
            cpu_s = time.process_time() - cpu_s
            ages_ms = shown.evaluate("window.agesMs")
        stop.set()
        playing.join()
    more = f", {1e3 * cpu_s / len(ages_ms):.1f} ms of processor each"
    tell("the page alone, 1280 x 720", ages_ms, len(ages_ms) / MEASURED_S, more)


@pytest.mark.parametrize("is_recorded", [False, True])
def test_own_camera_from_glass_to_glass(
    chromium: Any,  # noqa: ANN401
    tmp_path: Path,
    sample_clip: Path,
    is_recorded: bool,
) -> None:
    with av.open(str(sample_clip)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    shown = base64.b64encode(encode_jpeg(picture)).decode()
    camera = STAMPING_CAMERA.replace("PICTURE", shown)
    with (
        ServedView(tmp_path, "--own-camera") as view,
        opened(chromium, view, READ_STAMPS, camera) as page,
    ):
        page.locator("#camera-start").click()
        page.locator("#message").wait_for(state="hidden")
        page.locator("#set-mirror").uncheck()
        ages_ms, rate = measured(page)  # by then it has its size, which a recording keeps
        if is_recorded:
            page.locator("#record").click()
            page.locator("#lamp").wait_for()
            ages_ms, rate = measured(page)
        widths = sorted(set(page.evaluate("window.widths")))
        left_out = page.locator("#dropped").inner_text()
        how = "recorded in two films, " if is_recorded else ""
        tell(
            f"own camera, {how}glass to glass", ages_ms, rate, f", widths {widths}, lost {left_out}"
        )


@pytest.mark.parametrize("num_quick", [1, 3])
def test_a_slow_viewer_beside_quick_ones(tmp_path: Path, sample_clip: Path, num_quick: int) -> None:
    shown_per_s: list[float] = []

    async def watch(view: ServedView, *, bits_per_s: float | None = None) -> float:
        num_pictures = 0
        async with _browser(view) as session, _socket(view, session) as socket:
            while (await socket.receive()).type is not WSMsgType.BINARY:
                pass
            await socket.send_str("shown")
            began_s = time.monotonic()
            while time.monotonic() < began_s + MEASURED_S:
                message = await socket.receive()
                if message.type is not WSMsgType.BINARY or b"num_heads" in message.data[:30]:
                    continue
                num_pictures += 1
                shown_per_s.append(_readings_of(message.data)["fps"])
                if bits_per_s is not None:
                    await asyncio.sleep(8 * len(message.data) / bits_per_s)
                await socket.send_str("shown")
            return num_pictures / (time.monotonic() - began_s)

    async def all_of(view: ServedView) -> list[float]:
        quick = [watch(view) for _ in range(num_quick)]
        return await asyncio.gather(*quick, watch(view, bits_per_s=1e6))

    with ServedView(tmp_path, str(sample_clip)) as view:
        *rates, slow = _run(all_of(view))
    shown = sum(shown_per_s) / len(shown_per_s)
    print(
        f"\nof {shown:.1f} pictures a second {num_quick} viewers have "
        f"{', '.join(f'{rate:.1f}' for rate in rates)}, one at 1 Mb/s {slow:.1f}"
    )


@pytest.mark.timeout(2 * SOAK_S)
@pytest.mark.parametrize("arguments", [("--max-viewers", "16"), ("--own-camera",)])
def test_soak(tmp_path: Path, sample_clip: Path, arguments: tuple[str, ...]) -> None:
    is_own = "--own-camera" in arguments
    with av.open(str(sample_clip)) as container:
        jpeg = encode_jpeg(next(container.decode(video=0)).to_ndarray(format="rgb24"))

    async def visit(view: ServedView, number: int) -> None:
        async with _browser(view) as session, _socket(view, session) as socket:
            await socket.send_str(f"layout={LAYOUTS[number % len(LAYOUTS)]}")
            seen_s = time.monotonic() + VISIT_S
            while time.monotonic() < seen_s:
                if is_own:
                    await asyncio.sleep(1 / PICTURES_PER_S)
                    await socket.send_bytes(jpeg)
                while (message := await socket.receive()).type is not WSMsgType.BINARY:
                    assert message.type is WSMsgType.TEXT, f"sent away: {socket.close_code}"
                await socket.send_str("shown")
            if number % 2:  # as when a network is lost: no word of farewell
                socket._response.connection.transport.abort()

    async def visits(view: ServedView, began_s: float) -> None:
        for number in range(NUM_VISITS):
            await visit(view, number)
            if number % (NUM_VISITS // 20) == 0:
                print(f"  after {number + 1}: {_usage_of(view)}", flush=True)
            await asyncio.sleep(began_s + number * SOAK_S / NUM_VISITS - time.monotonic())

    with ServedView(tmp_path, *(() if is_own else (str(sample_clip),)), *arguments) as view:
        print(f"\n{arguments}, {NUM_VISITS} visits in {SOAK_S / 60:.0f} minutes", flush=True)
        _run(visits(view, time.monotonic()))
        if is_own:
            return
        for name, attack in _ATTACKS.items():
            print(f"  {name}: {_run(attack(view))}")
        _run(visit(view, 0))
        print(f"  the view goes on: {_usage_of(view)}")


async def _send_a_gigabyte(view: ServedView) -> str:
    async with _browser(view) as session, _socket(view, session) as socket:
        with suppress(ConnectionError):
            await socket.send_bytes(bytes(10**9))
        while not socket.closed:
            await socket.receive()
        return f"closed with {socket.close_code}"


async def _open_many(view: ServedView) -> str:
    host, port = view.address.split("/")[2].split(":")

    async def is_refused() -> bool:
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                return await asyncio.wait_for(reader.read(), REFUSED_S) == b""
            except asyncio.TimeoutError:
                return False
            finally:
                writer.close()
        return True

    refused = await asyncio.gather(*(is_refused() for _ in range(1000)))
    return f"{sum(refused)} of 1000 connections are refused"


async def _ask_wrongly(view: ServedView) -> str:
    origin = view.address.partition("/?")[0]
    found = []
    async with _browser(view) as session:
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": origin, "Host": "evil.example"},
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect(f"{origin}/socket", headers=headers)
            found.append(refusal.value.status)
    async with aiohttp.ClientSession() as stranger, stranger.get(origin) as answer:
        found.append(answer.status)
    return f"answered {found}"


_ATTACKS: dict[str, Callable[[ServedView], Coroutine[Any, Any, str]]] = {
    "1 GB in one message": _send_a_gigabyte,
    "1000 connections": _open_many,
    "another origin, a wrong host, no token": _ask_wrongly,
}


def _readings_of(message: bytes) -> dict[str, Any]:
    size = int.from_bytes(message[:2], "big")
    readings: dict[str, Any] = json.loads(message[2 : 2 + size])
    return readings


def _run(scene: Coroutine[Any, Any, T]) -> T:
    # On a thread of its own: the tests' browser keeps a loop on this one.
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, scene).result()


def _browser(view: ServedView) -> Any:  # noqa: ANN401
    return _Admitted(view)


class _Admitted:
    """A session that has opened the printed address."""

    def __init__(self, view: ServedView) -> None:
        self._address = view.address
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        async with self._session.get(self._address) as answer:
            assert answer.status == 200
        return self._session

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()


def _socket(view: ServedView, session: aiohttp.ClientSession) -> Any:  # noqa: ANN401
    origin = view.address.partition("/?")[0]
    return session.ws_connect(f"{origin}/socket", headers={"Origin": origin}, max_msg_size=0)


def _usage_of(view: ServedView) -> str:
    process = Path(f"/proc/{view.process.pid}")
    rss_mb = int((process / "statm").read_text().split()[1]) * 4096 / 1e6
    counts = {name: len([*(process / name).iterdir()]) for name in ("task", "fd")}
    return f"{rss_mb:.0f} MB, {counts['task']} threads, {counts['fd']} files and sockets"
