"""A bounded hand-over between two threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Generic, Literal, TypeVar

__all__ = ["Channel", "ChannelClosed", "Keep", "in_groups", "one_by_one"]

T = TypeVar("T")

Keep = Literal["latest", "all"]
"""What survives when a channel is full: the latest items, or all because the giver waits."""


class ChannelClosed(Exception):  # noqa: N818 - an outcome to expect, like StopIteration
    """Nothing will come any more (``get``), or nobody takes any more (``put``)."""


class Channel(Generic[T]):
    """A bounded queue that says what happens when it is full, and that closing always wakes.

    Args:
        capacity: Items that may wait, >= 0; with 0 ``put`` waits until its item is taken.
        keep: ``"latest"``: ``put`` never waits, the oldest item makes room and is counted.
            ``"all"``: ``put`` waits until there is room.

    Raises:
        ValueError: ``capacity`` < 0, 0 where not all are kept, or an unknown ``keep``.
    """

    def __init__(self, capacity: int, *, keep: Keep) -> None:
        if keep not in ("latest", "all"):
            raise ValueError(f"keep must be 'latest' or 'all', got {keep!r}")
        least = 0 if keep == "all" else 1
        if capacity < least:
            raise ValueError(f"capacity must be >= {least}, got {capacity = }")
        self._capacity = capacity
        self._keep = keep
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that newer ones replaced, so far."""
        return self._dropped

    def keep_all(self) -> None:
        """Have ``put`` wait for room from now on."""
        with self._changed:
            self._keep = "all"

    def put(self, item: T) -> None:
        """Hand over ``item``; waits for room, or for a taker, only where all items are kept.

        Raises:
            ChannelClosed: The channel is closed, or was closed while waiting; ``item`` is lost.
        """
        with self._changed:
            room = max(1, self._capacity)
            while self._keep == "all" and len(self._items) >= room and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                raise ChannelClosed
            if len(self._items) >= room:
                self._items.popleft()
                self._dropped += 1
            self._items.append(item)
            self._changed.notify_all()
            while self._capacity == 0 and self._items and not self._is_closed:
                self._changed.wait()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Return the oldest waiting item, or None if none came within ``timeout_s``.

        Args:
            timeout_s: Longest wait in seconds; 0 asks without waiting, None waits for ever.

        Raises:
            ChannelClosed: The channel is closed and empty; what was put before is still given.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._is_closed, timeout_s)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._is_closed:
                raise ChannelClosed
            return None

    def wait_full(self, timeout_s: float) -> bool:
        """Return whether as many items wait as can, or as will ever come: full, or closed.

        Args:
            timeout_s: Longest wait for that in seconds.
        """
        with self._changed:
            return self._changed.wait_for(
                lambda: len(self._items) >= max(1, self._capacity) or self._is_closed, timeout_s
            )

    def __iter__(self) -> Iterator[T]:
        """Take items until the channel is closed and empty."""
        while True:
            try:
                item = self.get()
            except ChannelClosed:
                return
            assert item is not None  # get() without a timeout waits for an item
            yield item
            del item  # a picture is large, and the next one may be long in coming

    def close(self) -> None:
        """End the hand-over: wakes every waiter; items already in it can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def discard(self) -> None:
        """Close, and throw away what still waits: the taker is gone."""
        with self._changed:
            self._is_closed = True
            self._items.clear()
            self._changed.notify_all()


def in_groups(channel: Channel[T], size: int) -> Iterator[list[T]]:
    """Take ``size`` items at a time, the last ones as many as there are; ends the channel."""
    try:
        items = iter(channel)
        while group := list(islice(items, size)):
            yield group
    finally:
        channel.discard()


def one_by_one(channel: Channel[list[T]]) -> Iterator[T]:
    """Take the items of groups; ends the channel."""
    try:
        for group in channel:
            yield from group
    finally:
        channel.discard()
