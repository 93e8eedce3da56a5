"""Frames of a source with the hands in them, read and found ahead of who shows them."""

from __future__ import annotations

import threading

from stream.channel import Channel, Keep
from stream.closing import Closing
from stream.frames import Frame
from stream.pacing import Clock, Pacer
from stream.past_frames import Located
from stream.protocols import HandFinder, Source
from stream.sources.reading import frames_of
from stream.worker import Worker

__all__ = ["LocatedFrames"]

MAX_WAITING = 4
"""Frames of a recording that may wait before and after the hand finder: enough to even out that a
frame now and then takes it three times as long."""
LATE_S = 0.2
"""A frame of a recording that is so late is left out, ..."""
AT_LEAST_EVERY_S = 0.25
"""... unless none was looked at for so long."""


class LocatedFrames(Closing):
    """Reads frames on one thread and finds the hands in them on another.

    Of a live source the newest frame wins. A recording waits; where it plays it is kept to its own
    speed by leaving frames out, though never all of them.

    Args:
        source: Where frames come from; closed with this.
        finder: Finds hands.
        stop: Set when nothing more is wanted.
        pacer: When a recording's frames are due, while it plays.
        leaves_out: Frames of a recording that come too late are left out: somebody watches.
        clock: The passing of time.
    """

    def __init__(
        self,
        source: Source,
        finder: HandFinder,
        *,
        stop: threading.Event,
        pacer: Pacer | None,
        leaves_out: bool,
        clock: Clock,
    ) -> None:
        self._source = source
        self._finder = finder
        self._stop = stop
        self._pacer = pacer if leaves_out else None
        self._clock = clock
        self._num_left_out = self._num_unseen = self._located_ns = 0
        self._held_from: int | None = None
        self._connect()

    def _connect(self) -> None:
        is_live = self._source.info.is_live
        keep: Keep = "latest" if is_live else "all"
        capacity = 1 if is_live else MAX_WAITING
        self._frames: Channel[Frame] = Channel(capacity, keep=keep)
        self._located: Channel[Located | None] = Channel(capacity, keep=keep)
        self._capture: Worker[Frame, Frame] = Worker(
            lambda frame: frame,
            inbox=frames_of(self._source, self._stop),
            outbox=self._frames,
            name="capture",
        )
        self._hands: Worker[Frame, Located | None] = Worker(
            self._locate, inbox=self._frames, outbox=self._located, name="hands"
        )

    def start(self) -> None:
        """Begin to read."""
        self._capture.start()
        self._hands.start()

    def start_again(self) -> None:
        """Read a source that has ended, and has more now."""
        self._hands.join()
        self._capture.join()
        self._num_left_out = self.num_unshown
        self._connect()
        self.start()

    def close(self) -> None:
        """Stop both threads and close the source; harmless when called again."""
        self._source.close()  # a read that waits for its return ends at once
        self._hands.stop()
        self._capture.stop()

    def check(self) -> None:
        """Raise what stopped a thread, if anything did.

        Raises:
            WorkerError: A part failed; its exception is the ``__cause__``.
        """
        self._hands.check()
        self._capture.check()

    def get(self, timeout_s: float) -> Located | None:
        """Return the next frame and its hands; None where none comes in time or it is left out.

        Raises:
            ChannelClosed: The source has ended.
        """
        return self._located.get(timeout_s)

    def wait_full(self, timeout_s: float) -> bool:
        """Wait until as many frames as may wait do; return whether they do."""
        return self._located.wait_full(timeout_s)

    def hold(self) -> None:
        """Count no frame as dropped until ``go_on``: a live source goes on unseen meanwhile."""
        self._held_from = self.num_unshown

    def go_on(self) -> None:
        """Count again."""
        self._num_unseen = self.num_unshown - self.num_dropped
        self._held_from = None

    @property
    def num_dropped(self) -> int:
        """Frames that newer ones replaced, or that came too late, where that is a loss."""
        counted = self.num_unshown if self._held_from is None else self._held_from
        return counted - self._num_unseen

    @property
    def num_unshown(self) -> int:
        """All frames that were read and not handed out."""
        return self._frames.dropped + self._located.dropped + self._num_left_out

    def _locate(self, frame: Frame) -> Located | None:
        now_ns = self._clock.now_ns()
        late_s = self._pacer.late_s(frame.time_s) if self._pacer else 0.0
        if late_s > LATE_S and now_ns - self._located_ns < AT_LEAST_EVERY_S * 1e9:
            self._num_left_out += 1
            return None
        self._located_ns = now_ns
        return frame, self._finder.find(frame)
