from __future__ import annotations

import threading

import pytest

from stream.channel import Channel, ChannelClosed
from stream.errors import WorkerError
from stream.worker import Worker
from tests.waits import WAIT_S


def test_every_item_comes_out_in_order() -> None:
    inbox: Channel[int] = Channel(2, keep="all")
    middle: Channel[int] = Channel(2, keep="all")
    outbox: Channel[int] = Channel(200, keep="all")
    with (
        Worker(lambda item: item + 1, inbox=inbox, outbox=middle, name="first"),
        Worker(lambda item: item * 10, inbox=middle, outbox=outbox, name="second"),
    ):
        for item in range(100):
            inbox.put(item)
        inbox.close()
        assert list(outbox) == [(item + 1) * 10 for item in range(100)]


def test_newest_item_replaces_the_waiting_one() -> None:
    entered, gate = threading.Event(), threading.Event()
    seen: list[int] = []

    def slow(item: int) -> int:
        seen.append(item)
        entered.set()
        assert gate.wait(WAIT_S)
        return item

    inbox: Channel[int] = Channel(1, keep="latest")
    outbox: Channel[int] = Channel(10, keep="all")
    with Worker(slow, inbox=inbox, outbox=outbox, name="slow"):
        inbox.put(0)
        assert entered.wait(WAIT_S)
        for item in range(1, 10):
            inbox.put(item)
        inbox.close()
        gate.set()
        assert list(outbox) == [0, 9]
    assert seen == [0, 9]
    assert inbox.dropped == 8


def test_failure_is_kept_and_wakes_both_neighbours() -> None:
    def fail(item: int) -> int:
        raise ZeroDivisionError(f"item {item}")

    inbox: Channel[int] = Channel(1, keep="all")
    outbox: Channel[int] = Channel(1, keep="all")
    with Worker(fail, inbox=inbox, outbox=outbox, name="attention") as worker:
        inbox.put(7)
        assert list(outbox) == []
        worker.join()
        with pytest.raises(ChannelClosed):
            inbox.put(8)
        with pytest.raises(WorkerError, match="attention failed: item 7") as caught:
            worker.check()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_stop_is_idempotent_and_frees_a_blocked_worker() -> None:
    inbox: Channel[int] = Channel(1, keep="all")
    outbox: Channel[int] = Channel(1, keep="all")
    entered = threading.Event()

    def work(item: int) -> int:
        entered.set()
        return item

    worker = Worker(work, inbox=inbox, outbox=outbox, name="blocked")
    worker.start()
    inbox.put(1)
    assert entered.wait(WAIT_S)
    inbox.put(2)  # its result finds the outbox full
    worker.stop()
    worker.stop()
    worker.check()


def test_check_passes_while_all_is_well() -> None:
    inbox: Channel[int] = Channel(1, keep="all")
    with Worker(lambda item: item, inbox=inbox, outbox=None, name="fine") as worker:
        worker.check()
