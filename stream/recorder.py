"""Writes what is shown, on a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Generic, Protocol, TypeVar

from stream.channel import Channel, ChannelClosed, Keep
from stream.closing import Closing
from stream.errors import SinkError
from stream.worker import Worker

__all__ = ["Keeper", "Recorder"]

MAX_WAITING = 8
"""Pictures that may wait for the encoder: a quarter of a second, 44 MB of two takes in 720p."""

T = TypeVar("T")
_Kept_contra = TypeVar("_Kept_contra", contravariant=True)


class Keeper(Protocol[_Kept_contra]):
    """Keeps one thing after the other: a ``stream.protocols.Sink``, or ``stream.takes.Takes``."""

    def write(self, item: _Kept_contra, pts: int, time_base: Fraction, /) -> None:
        """Keep ``item``, as of ``pts * time_base`` seconds."""

    def close(self) -> None:
        """Finish all; harmless when called again."""


class Recorder(Closing, Generic[T]):
    """Hands pictures to a sink without making those on show wait.

    Times are kept true: a dropped picture leaves a gap, it does not shift what follows. The sink is
    closed on the recorder's own thread too, also where it has failed, since finishing a long file
    takes a while: one of two takes may be whole.

    Args:
        sink: Where they go; closed with the recorder.
        name: What the recording is called, for notices.
        keep: ``"latest"`` where nothing waits for it (the oldest waiting one makes room and is
            counted), ``"all"`` where everything can.

    Attributes:
        sink: Where they go.
        name: What the recording is called.
        num_recorded: How many were handed over so far.
    """

    def __init__(self, sink: Keeper[T], name: str, *, keep: Keep) -> None:
        self.sink = sink
        self.name = name
        self.num_recorded = 0
        self._inbox: Channel[tuple[T, int, Fraction]] = Channel(MAX_WAITING, keep=keep)
        self._worker: Worker[tuple[T, int, Fraction], None] = Worker(
            lambda item: sink.write(*item), inbox=self._items(), outbox=None, name="record"
        )
        self._worker.start()

    @property
    def dropped(self) -> int:
        """How many were not recorded because the encoder was too slow."""
        return self._inbox.dropped

    @property
    def is_finished(self) -> bool:
        """True once the file is complete, or has failed (``close`` then says how)."""
        return not self._worker.is_running

    def record(self, item: T, pts: int, time_base: Fraction) -> None:
        """Record ``item``, which the caller never writes to again.

        Raises:
            WorkerError: The sink failed before; it is being closed, which ``close`` waits for.
        """
        try:
            self._inbox.put((item, pts, time_base))
        except ChannelClosed:
            self._worker.check()
            raise ValueError("record() on a closed recorder") from None
        self.num_recorded += 1

    def finish(self) -> None:
        """Let the recording end by itself; returns at once. ``close`` waits for it."""
        self._inbox.close()

    def close(self) -> None:
        """Write all that still waits, then close the sink. Idempotent.

        Raises:
            WorkerError: The sink failed; what it wrote before stays good.
        """
        self.finish()
        self._worker.join()
        self._worker.check()

    def _items(self) -> Iterator[tuple[T, int, Fraction]]:
        try:
            yield from self._inbox
        except GeneratorExit:  # the worker's end: it could not write
            self._inbox.discard()  # who records must not wait for room that never comes
            with suppress(SinkError):  # what failed first is told
                self.sink.close()
            raise
        self.sink.close()
