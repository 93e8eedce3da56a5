"""A page in the browser as a screen: its pictures, and what is pressed on it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from typing import Any, Protocol

from stream.channel import Channel, ChannelClosed
from stream.closing import Closing
from stream.errors import DisplayError
from stream.frames import RgbImage
from stream.keys import Key, Setting
from stream.mark_name import MAX_LENGTH
from stream.protocols import LiveRenderer
from stream.scene import Scene
from stream.screens.page_server import PageServer
from stream.screens.viewers import Picture, Viewers
from stream.sinks.jpeg import encode_jpeg
from stream.sources.browser import BrowserSource
from stream.stats import Stats
from stream.worker import Worker

__all__ = ["MARK_KEY", "Page", "Settable"]

HEADS_S = 0.25
"""Between two looks at what each head looks at."""
MAX_PRESSES = 64
"""That wait for the loop, which takes one a picture."""
CAMERA = {"max_wh": (1280, 720), "max_per_s": 30}
"""The largest pictures that a browser should send of its own camera, and how many a second."""
MARK_KEY = "b"
"""Key that a page asks the name of a mark after; see ``stream.live_recordings``."""
_NAMED_MARK = re.compile(
    rf"mark [a-z0-9]{{1,12}}([=~][^\n]{{0,{MAX_LENGTH}}})?|no mark [a-z0-9]{{1,12}}"
)
_SETTING = re.compile(r"[a-z_]{1,20}=[a-z0-9_.-]{1,20}")


class Settable(Protocol):
    """What can be set by name."""

    @property
    def settings(self) -> Sequence[Setting]:
        """What can be set, and what it is set to."""


_Drawn = tuple[RgbImage, dict[str, Any], RgbImage | None]
"""A canvas, its read-outs, and at times what each head looks at."""


class Page(Closing):
    """A page in the browser; a ``stream.protocols.Screen``, for many who watch.

    A picture is encoded once, on a thread of its own, and only while somebody watches.

    Args:
        server: Serves it.
        title: What is shown, in words for the page.
        camera: Is given the pictures of the browser's own camera; None wants none.

    Attributes:
        viewers: All who watch it.
        takes_pictures: Whether the pictures of a browser's own camera are wanted.
        server: What serves it.
    """

    def __init__(
        self, server: PageServer, *, title: str, camera: BrowserSource | None = None
    ) -> None:
        self.viewers = Viewers()
        self.server = server
        self._title = title
        self._camera = camera
        self.takes_pictures = camera is not None
        self._controls: Settable | None = None
        self._allowed: frozenset[str] = frozenset()
        self._presses: dict[str, str] = {}
        self._num_presses = 0
        self._pressed = threading.Condition()
        self._settings: Sequence[Setting] = ()
        self._canvas: RgbImage | None = None
        self._readings: dict[str, Any] = {}
        self._tiles: RgbImage | None = None
        self._next_heads_s = 0.0
        self._canvases: Channel[_Drawn] = Channel(1, keep="latest")
        self._encoder: Worker[_Drawn, None] = Worker(
            self._encode, inbox=self._canvases, outbox=None, name="page-pictures"
        )
        self._encoder.start()

    @property
    def is_open(self) -> bool:
        """False once it is no longer served."""
        return self.server.is_running

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[Page]:
        """Show this page to a browser, as to all others."""
        yield self

    def take(self, jpeg: bytes) -> None:
        """Take a picture of the browser's own camera; any thread."""
        if self._camera is not None:
            self._camera.offer(jpeg)

    def connect(self, keys: Iterable[Key[Any]], controls: Settable) -> None:
        """Have these keys and settings on the page, and no others."""
        keys = tuple(keys)
        self._controls = controls
        self._allowed = frozenset(press for key in keys for press in key.presses)
        listed = [{"presses": key.presses, "shown": f"{key}", "words": key.words} for key in keys]
        self._tell(
            "hello",
            title=self._title,
            keys=listed,
            initial={each.name: each.value for each in controls.settings},
            camera=CAMERA if self.takes_pictures else None,
        )
        self._tell_settings()

    def watch(self, renderer: LiveRenderer) -> LiveRenderer:
        """Return the renderer, with an eye on what it draws, for the page's read-outs."""
        return _Watched(renderer, self)

    def note(self, scene: Scene) -> None:
        """Keep the read-outs of a scene for the picture that is shown next."""
        stats = scene.stats or Stats()
        ages_s = [each.age_s for each in scene.maps.values()]
        self._readings = {
            "frame": scene.frame.index,
            "time_s": round(scene.frame.time_s, 3),
            "age_ms": round(1e3 * max(ages_s)) if ages_s else None,
            "fps": round(stats.fps_shown, 1),
            "maps_per_s": round(stats.maps_per_s, 1),
            "latency_ms": round(stats.latency_ms),
            "dropped": stats.dropped_capture,
            "not_recorded": stats.dropped_record,
            "recording_s": None if stats.recording_s is None else int(stats.recording_s),
            "is_frozen": stats.is_frozen,
            "notice": stats.notice,
        }

    @property
    def wants_heads(self) -> bool:
        """Whether it is time to show what each head looks at."""
        return len(self.viewers) > 0 and time.monotonic() >= self._next_heads_s

    def offer_heads(self, tiles: RgbImage | None) -> None:
        """Show what each head looks at, square tiles in a row."""
        if tiles is not None:
            self._next_heads_s = time.monotonic() + HEADS_S
            self._tiles = tiles

    def show(self, canvas: RgbImage, wait_s: float) -> str | None:
        """Show ``canvas``, uint8 ``(H, W, 3)`` RGB, then wait up to ``wait_s`` for a press.

        Returns:
            A key, or NAME=VALUE of a setting, or None.

        Raises:
            DisplayError: The server has failed.
            WorkerError: A picture could not be encoded.
        """
        self._encoder.check()
        if not self.is_open:
            raise DisplayError("the page is no longer served; start signlight serve again")
        if canvas is not self._canvas and len(self.viewers):
            with suppress(ChannelClosed):
                readings = self._readings | {"sent_ms": _now_ms()}
                self._canvases.put((canvas, readings, self._tiles))
            self._tiles = None
            self._canvas = canvas
        self._tell_settings()
        with self._pressed:
            self._pressed.wait_for(lambda: bool(self._presses), wait_s)
            if not self._presses:
                return None
            return self._presses.pop(next(iter(self._presses)))

    def fail(self, words: str) -> None:
        """Tell all who watch why there will be no more."""
        self._tell("end", words=words)

    def close(self) -> None:
        """Show nothing more; harmless when called again."""
        self._encoder.stop()
        self.server.call(self.viewers.end)

    def _tell(self, kind: str, **words: object) -> None:
        self.server.call(self.viewers.tell, kind, json.dumps({"kind": kind} | words))

    def _tell_settings(self) -> None:
        if self._controls is None:
            return
        settings = self._controls.settings
        if settings != self._settings:
            self._settings = settings
            self._tell("settings", settings=[asdict(each) for each in settings])

    def press(self, press: str) -> bool:
        """Keep what was pressed; return whether it is anything that can be. Any thread."""
        is_setting = _SETTING.fullmatch(press) is not None
        is_mark = MARK_KEY in self._allowed and _NAMED_MARK.fullmatch(press) is not None
        if not is_setting and not is_mark and press not in self._allowed:
            return False
        with self._pressed:
            if len(self._presses) >= MAX_PRESSES:
                return False
            self._num_presses += 1
            # A slider says many values while the loop takes one: the newest is meant.
            place = press.partition("=")[0] if is_setting else f"{self._num_presses}"
            self._presses[place] = press
            self._pressed.notify()
        return True

    def _encode(self, drawn: _Drawn) -> None:
        canvas, readings, tiles = drawn
        jpeg = encode_jpeg(canvas)
        self.server.call(self.viewers.offer, Picture(jpeg, _message(readings, jpeg)))
        if tiles is not None:
            words = {"num_heads": tiles.shape[1] // tiles.shape[0]}
            self.server.call(self.viewers.offer_heads, _message(words, encode_jpeg(tiles)))


class _Watched:
    """Draws as another does, and tells the page of what."""

    def __init__(self, renderer: LiveRenderer, page: Page) -> None:
        self._renderer = renderer
        self._page = page

    def draw(self, scene: Scene) -> RgbImage:
        canvas = self._renderer.draw(_without_what_the_page_shows(scene))
        self._page.note(scene)
        if self._page.wants_heads:
            self._page.offer_heads(self._renderer.draw_heads(scene))
        return canvas

    def draw_heads(self, scene: Scene) -> RgbImage | None:
        return self._renderer.draw_heads(scene)

    @property
    def kept(self) -> RgbImage:
        return self._renderer.kept


def _without_what_the_page_shows(scene: Scene) -> Scene:
    """Return a scene whose picture can stand alone, as in OBS: lamp and notices are beside it."""
    if scene.stats is None:
        return scene
    return replace(scene, stats=replace(scene.stats, recording_s=None, notice=""))


def _message(words: dict[str, Any], jpeg: bytes) -> bytes:
    """Return what the socket sends: the length of the words, the words as JSON, the picture."""
    head = json.dumps(words).encode()
    return b"".join((len(head).to_bytes(2, "big"), head, jpeg))


def _now_ms() -> float:
    return round(time.monotonic_ns() / 1e6, 1)
