"""Writes what is shown, on a thread of its own."""

from __future__ import annotations

from fractions import Fraction
from types import TracebackType

from stream.channel import Channel, ChannelClosed, Keep
from stream.frames import RgbImage
from stream.protocols import Sink
from stream.worker import Worker

__all__ = ["Recorder"]

MAX_WAITING = 16
"""Canvases that may wait for the encoder: half a second of video, 44 MB at 1280 x 720."""


class Recorder:
    """Hands canvases to a sink without making the picture wait.

    Times are kept true: a dropped canvas leaves a gap, it does not shift what follows.

    Args:
        sink: Where canvases go; closed with the recorder.
        keep: ``"latest"`` where the source is live (the oldest waiting canvas makes room and is
            counted), ``"all"`` where it can wait.
    """

    def __init__(self, sink: Sink, *, keep: Keep) -> None:
        self._sink = sink
        self._inbox: Channel[tuple[RgbImage, int, Fraction]] = Channel(MAX_WAITING, keep=keep)
        self._worker = Worker(self._write, inbox=self._inbox, outbox=None, name="record")
        self._first_pts: int | None = None
        self._worker.start()

    @property
    def dropped(self) -> int:
        """Canvases that were not recorded because the encoder was too slow."""
        return self._inbox.dropped

    def record(self, canvas: RgbImage, pts: int, time_base: Fraction) -> None:
        """Record ``canvas``, which the caller never writes to again. Time 0 is the first one's.

        Raises:
            WorkerError: The sink failed, now or before.
        """
        if self._first_pts is None:
            self._first_pts = pts
        try:
            self._inbox.put((canvas, pts - self._first_pts, time_base))
        except ChannelClosed:
            self._worker.join()
            self._worker.check()
            raise ValueError("record() on a closed recorder") from None

    def close(self) -> None:
        """Write all that still waits, then close the sink. Idempotent.

        Raises:
            WorkerError: The sink failed; what it wrote before stays good.
        """
        self._inbox.close()
        self._worker.join()
        self._sink.close()
        self._worker.check()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, item: tuple[RgbImage, int, Fraction]) -> None:
        self._sink.write(*item)
