from __future__ import annotations

import threading

import pytest

from stream.channel import Channel, ChannelClosed
from tests.waits import WAIT_S


def test_latest_replaces_oldest_and_counts() -> None:
    channel: Channel[int] = Channel(2, keep="latest")
    for item in range(5):
        channel.put(item)
    assert [channel.get(0), channel.get(0), channel.get(0)] == [3, 4, None]
    assert channel.dropped == 3


def test_all_waits_for_room_and_loses_nothing() -> None:
    channel: Channel[int] = Channel(2, keep="all")

    def give() -> None:
        for item in range(100):
            channel.put(item)
        channel.close()

    giver = threading.Thread(target=give, name="signlight-test-giver")
    giver.start()
    taken = list(channel)
    giver.join(WAIT_S)
    assert taken == list(range(100))
    assert channel.dropped == 0


def test_without_capacity_a_giver_waits_for_the_taker() -> None:
    channel: Channel[int] = Channel(0, keep="all")
    given: list[int] = []

    def give() -> None:
        for item in range(100):
            channel.put(item)
            given.append(item)
        channel.close()

    giver = threading.Thread(target=give, name="signlight-test-giver")
    giver.start()
    for number, item in enumerate(channel):
        assert item == number
        assert len(given) in (number, number + 1)
    giver.join(WAIT_S)
    assert len(given) == 100


@pytest.mark.parametrize("end", ["close", "discard"])
def test_ending_wakes_who_waits_for_a_taker(end: str) -> None:
    channel: Channel[int] = Channel(0, keep="all")
    giver = threading.Thread(target=channel.put, args=(1,), name="signlight-test-giver")
    giver.start()
    assert channel.wait_full(WAIT_S)
    getattr(channel, end)()
    giver.join(WAIT_S)
    assert list(channel) == ([1] if end == "close" else [])


@pytest.mark.parametrize("end", ["close", "discard"])
def test_ending_wakes_a_waiting_giver(end: str) -> None:
    channel: Channel[int] = Channel(1, keep="all")
    channel.put(0)
    outcome: list[str] = []
    entered = threading.Event()

    def give() -> None:
        entered.set()
        try:
            channel.put(1)
        except ChannelClosed:
            outcome.append("closed")

    giver = threading.Thread(target=give, name="signlight-test-giver")
    giver.start()
    assert entered.wait(WAIT_S)
    getattr(channel, end)()
    giver.join(WAIT_S)
    assert outcome == ["closed"]


def test_closing_wakes_a_waiting_taker() -> None:
    channel: Channel[int] = Channel(1, keep="all")
    outcome: list[str] = []

    def take() -> None:
        try:
            channel.get()
        except ChannelClosed:
            outcome.append("closed")

    taker = threading.Thread(target=take, name="signlight-test-taker")
    taker.start()
    channel.close()
    taker.join(WAIT_S)
    assert outcome == ["closed"]


def test_what_was_put_before_close_is_still_given() -> None:
    channel: Channel[str] = Channel(3, keep="all")
    channel.put("a")
    channel.close()
    channel.close()
    assert channel.get() == "a"
    with pytest.raises(ChannelClosed):
        channel.get(0)
    with pytest.raises(ChannelClosed):
        channel.put("b")


def test_full_is_when_as_many_wait_as_can_or_will() -> None:
    channel: Channel[str] = Channel(2, keep="all")
    channel.put("a")
    assert not channel.wait_full(0.001)
    channel.put("b")
    assert channel.wait_full(0)
    channel.get()
    assert not channel.wait_full(0)
    channel.close()
    assert channel.wait_full(0)


@pytest.mark.parametrize("end", ["put", "close", "discard"])
def test_what_fills_or_ends_wakes_who_waits_for_it(end: str) -> None:
    channel: Channel[str] = Channel(1, keep="all")
    outcome: list[bool] = []
    waiter = threading.Thread(
        target=lambda: outcome.append(channel.wait_full(10 * WAIT_S)), name="signlight-test-waiter"
    )
    waiter.start()
    channel.put("a") if end == "put" else getattr(channel, end)()
    waiter.join(WAIT_S)
    assert outcome == [True]


def test_discard_throws_waiting_items_away() -> None:
    channel: Channel[str] = Channel(3, keep="all")
    channel.put("a")
    channel.discard()
    with pytest.raises(ChannelClosed):
        channel.get(0)


def test_get_gives_up_after_its_timeout() -> None:
    assert Channel[int](1, keep="all").get(0.001) is None


def test_bad_arguments_name_their_value() -> None:
    with pytest.raises(ValueError, match="capacity must be >= 1, got capacity = 0"):
        Channel(0, keep="latest")
    with pytest.raises(ValueError, match="'newest'"):
        Channel(1, keep="newest")  # type: ignore[arg-type]
