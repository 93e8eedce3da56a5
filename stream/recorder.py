"""Writes what is shown, on a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from stream.channel import Channel, ChannelClosed, Keep
from stream.closing import Closing
from stream.errors import WorkerError
from stream.frames import RgbImage
from stream.protocols import Sink
from stream.worker import Worker

__all__ = ["Recorder"]

MAX_WAITING = 8
"""Canvases that may wait for the encoder: a quarter of a second, 22 MB at 1280 x 720."""

Item = tuple[RgbImage, int, Fraction]


class Recorder(Closing):
    """Hands canvases to a sink without making the picture wait.

    Times are kept true: a dropped canvas leaves a gap, it does not shift what follows. The sink is
    closed on the recorder's own thread too, since finishing a long file takes a while.

    Args:
        sink: Where canvases go; closed with the recorder.
        name: What the recording is called, for notices.
        keep: ``"latest"`` where the source is live (the oldest waiting canvas makes room and is
            counted), ``"all"`` where it can wait.

    Attributes:
        sink: Where canvases go.
        name: What the recording is called.
        num_recorded: Canvases handed over so far.
    """

    def __init__(self, sink: Sink, name: str, *, keep: Keep) -> None:
        self.sink = sink
        self.name = name
        self.num_recorded = 0
        self._inbox: Channel[Item] = Channel(MAX_WAITING, keep=keep)
        self._worker: Worker[Item, None] = Worker(
            self._write, inbox=self._items(), outbox=None, name="record"
        )
        self._first_pts = 0
        self._worker.start()

    @property
    def dropped(self) -> int:
        """Canvases that were not recorded because the encoder was too slow."""
        return self._inbox.dropped

    @property
    def is_finished(self) -> bool:
        """True once the file is complete, or has failed (``close`` then says how)."""
        return not self._worker.is_running

    def record(self, canvas: RgbImage, pts: int, time_base: Fraction) -> None:
        """Record ``canvas``, which the caller never writes to again. Time 0 is the first one's.

        Raises:
            WorkerError: The sink failed, now or before.
        """
        if not self.num_recorded:
            self._first_pts = pts
        try:
            self._inbox.put((canvas, pts - self._first_pts, time_base))
        except ChannelClosed:
            self._worker.join()
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
        try:
            self._worker.check()
        except WorkerError:
            self.sink.close()  # the thread has not come to that
            raise

    def _items(self) -> Iterator[Item]:
        yield from self._inbox
        self.sink.close()

    def _write(self, item: Item) -> None:
        try:
            self.sink.write(*item)
        except BaseException:
            self._inbox.discard()  # who records must not wait for room that never comes
            raise
