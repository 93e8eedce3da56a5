"""The browsers that watch: each has the newest picture, and none waits for another.

All of it runs on the thread of the page's event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Picture", "Viewer", "Viewers"]

MAX_IN_FLIGHT = 2
"""Pictures sent and not yet shown: one on its way while the other is painted."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, encoded once for all who watch."""

    jpeg: bytes
    """The JPEG file."""
    message: bytes
    """The same with its read-outs before it, as sockets send it."""


class Viewer:
    """One browser: what there is to send to it, and how much is on its way."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._picture: Picture | None = None
        self._heads: bytes | None = None
        self._num_in_flight = 0
        self._is_ended = False
        self._changed = asyncio.Event()

    @property
    def owes(self) -> bool:
        """Whether it has pictures of which it has not said that they are shown."""
        return self._num_in_flight > 0

    def offer(self, picture: Picture) -> None:
        """Have this picture next, in place of one that still waits."""
        self._picture = picture
        self._changed.set()

    def offer_heads(self, message: bytes) -> None:
        """Have what each head looks at, after a picture."""
        self._heads = message
        self._changed.set()

    def tell(self, text: str) -> None:
        """Send a text before the next picture."""
        self._texts.append(text)
        self._changed.set()

    def end(self) -> None:
        """Have nothing after the texts that wait."""
        self._is_ended = True
        self._changed.set()

    def shown(self) -> None:
        """Note that a picture has arrived and been painted."""
        self._num_in_flight = max(0, self._num_in_flight - 1)
        self._changed.set()

    async def next(self) -> Picture | bytes | str | None:
        """Wait for what is to be sent; None when nothing will come any more."""
        while True:
            if self._texts:
                return self._texts.popleft()
            if self._is_ended:
                return None
            if self._picture is not None and self._num_in_flight < MAX_IN_FLIGHT:
                picture, self._picture = self._picture, None
                self._num_in_flight += 1
                return picture
            if self._heads is not None and self._num_in_flight < MAX_IN_FLIGHT:
                message, self._heads = self._heads, None
                return message
            self._changed.clear()
            await self._changed.wait()


class Viewers:
    """All browsers that watch the same."""

    def __init__(self) -> None:
        self._all: set[Viewer] = set()
        self._texts: dict[str, str] = {}
        self._picture: Picture | None = None
        self._is_ended = False

    def __len__(self) -> int:
        return len(self._all)

    @contextmanager
    def admitted(self) -> Iterator[Viewer]:
        """Yield a viewer for the length of the block."""
        viewer = Viewer()
        for text in self._texts.values():
            viewer.tell(text)
        if self._picture is not None:
            viewer.offer(self._picture)
        if self._is_ended:
            viewer.end()
        self._all.add(viewer)
        try:
            yield viewer
        finally:
            self._all.discard(viewer)

    def offer(self, picture: Picture) -> None:
        """Give all of them the newest picture."""
        self._picture = picture
        for viewer in self._all:
            viewer.offer(picture)

    def offer_heads(self, message: bytes) -> None:
        """Give all of them what each head looks at."""
        for viewer in self._all:
            viewer.offer_heads(message)

    def tell(self, kind: str, text: str) -> None:
        """Send all of them a text; who comes later gets the last of each kind."""
        self._texts[kind] = text
        for viewer in self._all:
            viewer.tell(text)

    def end(self) -> None:
        """Have nothing after what was told."""
        self._is_ended = True
        for viewer in self._all:
            viewer.end()
