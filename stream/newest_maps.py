"""Attention beside the picture: crops handed over, the newest maps taken back, nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType

from stream.channel import Channel, ChannelClosed
from stream.frames import Frame
from stream.geometry import HandCrop, HandRegion
from stream.priority import run_after_others
from stream.protocols import AttentionModel, CropCutter
from stream.scene import AgedMaps, AttentionMaps
from stream.scenes import RememberedMaps, cut_hands
from stream.stats import RateMeter
from stream.worker import Worker

__all__ = ["NewestMaps"]


class NewestMaps:
    """Runs a model on a thread of its own and keeps the newest maps of each hand.

    Used by one thread.

    The crops of one frame go in as one batch. While the model is busy, a newer batch replaces the
    one that waits; what is replaced is counted.

    Args:
        model: Called on the attention thread only.
        cut: Cuts the crops; called on the thread that hands over.
        warm_up: Called on that thread before the first batch: what a model has to do once is done
            when the first hand comes into view. None has nothing to do.
        now_ns: Monotonic clock, for the rate.
    """

    def __init__(
        self,
        model: AttentionModel,
        cut: CropCutter,
        *,
        warm_up: Callable[[], None] | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._cut = cut
        self._warm_up = warm_up
        self._now_ns = now_ns
        self._crops: Channel[list[HandCrop]] = Channel(1, keep="latest")
        self._finished: Channel[list[AttentionMaps]] = Channel(1, keep="latest")
        self._worker: Worker[list[HandCrop], list[AttentionMaps]] = Worker(
            model.attend_crops, inbox=self._batches(), outbox=self._finished, name="attention"
        )
        self._is_warm = False
        self._is_ready = threading.Event()
        self._remembered = RememberedMaps()
        self._rate = RateMeter(window_s=2.0)
        self.num_batches = 0
        """Batches taken back so far."""
        self.compute_ms = 0.0
        """Time the model took for the newest batch, in ms."""

    @property
    def dropped(self) -> int:
        """Batches that newer ones replaced before the model came to them."""
        return self._crops.dropped

    @property
    def per_s(self) -> float:
        """Batches finished a second, of late."""
        return self._rate.per_s(self._now_ns())

    def submit(self, frame: Frame, hands: Iterable[HandRegion]) -> None:
        """Hand the hands that are seen to the model and return at once; without any do nothing.

        Raises:
            WorkerError: The model failed.
        """
        if batch := cut_hands(frame, hands, self._cut):
            with suppress(ChannelClosed):  # closing down: nobody waits for these any more
                self._crops.put(batch)
        self.check()

    def check(self) -> None:
        """Raise what stopped the model, if anything did.

        Raises:
            WorkerError: The model failed.
        """
        self._worker.check()

    def wait_ready(self) -> None:
        """Wait until the model has warmed up; any thread.

        Raises:
            WorkerError: The model failed.
        """
        self._is_ready.wait()
        if not self._is_warm:
            self._worker.join()  # its failure is known once it has ended
        self.check()

    def at(self, frame: Frame, hands: Iterable[HandRegion]) -> dict[int, AgedMaps]:
        """Return the newest maps of ``hands`` by track, with their age at ``frame``."""
        try:
            while (batch := self._finished.get(0)) is not None:
                self._keep(batch)
        except ChannelClosed:
            pass  # the worker is gone; submit() tells why
        return self._remembered.at(frame, hands)

    def _keep(self, batch: list[AttentionMaps]) -> None:
        self._remembered.keep(batch)
        self._rate.tick(self._now_ns())
        self.num_batches += 1
        self.compute_ms = batch[0].compute_ns / 1e6

    def __enter__(self) -> NewestMaps:
        self._worker.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._crops.discard()
        self._worker.stop()

    def _batches(self) -> Iterator[list[HandCrop]]:
        run_after_others()  # the picture goes first
        try:
            if self._warm_up is not None:
                self._warm_up()
            self._is_warm = True
        finally:
            self._is_ready.set()
        yield from self._crops
