"""Recordings in two takes: the same times, parts of one size, and what was changed meanwhile."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stream.errors import OutputError
from stream.keys import Setting
from stream.takes import Event, RecordedFrame, Takes
from tests.fakes import FakePart, ListSink

TIME_BASE = Fraction(1, 25)


class Parts:
    """Opens parts and keeps them."""

    def __init__(self) -> None:
        self.opened: list[FakePart] = []

    def __call__(self, number: int) -> FakePart:
        assert number == len(self.opened) + 1
        self.opened.append(FakePart(clean=ListSink()))
        return self.opened[-1]


def moment(side: int = 4, **settings: str) -> RecordedFrame:
    return RecordedFrame(
        clean=np.zeros((4, 4, 3), np.uint8),
        overlay=np.zeros((side, side, 3), np.uint8),
        settings=[Setting(name=name, words=name, value=value) for name, value in settings.items()],
    )


def test_a_picture_of_another_size_begins_another_part_of_both_takes() -> None:
    parts = Parts()
    with Takes(parts) as takes:
        for pts, side in enumerate((4, 4, 8, 8, 8, 4), 50):
            takes.write(moment(side), pts, TIME_BASE)
    assert [part.overlay.pts for part in parts.opened] == [[0, 1], [0, 1, 2], [0]]
    for part in parts.opened:
        assert part.clean is not None
        assert part.clean.pts == part.overlay.pts
        assert part.clean.num_closed == part.overlay.num_closed == 1


def test_changes_are_events_and_chapters_at_their_time() -> None:
    parts = Parts()
    with Takes(parts) as takes:
        takes.write(moment(head="mean", layer="4"), 100, TIME_BASE)
        takes.write(moment(head="mean", layer="4"), 110, TIME_BASE)
        takes.mark("HOUSE", 121 * TIME_BASE)
        takes.write(moment(head="3", layer="4"), 125, TIME_BASE)
    (part,) = parts.opened
    assert part.events == [
        Event(0.0, "head", "mean"),
        Event(0.0, "layer", "4"),
        Event(0.84, "mark", "HOUSE"),
        Event(1.0, "head", "3"),
    ]
    assert part.overlay.chapters == [(0.84, "HOUSE"), (1.0, "head 3")]


def test_each_part_says_what_was_set_when_it_began() -> None:
    parts = Parts()
    with Takes(parts) as takes:
        takes.write(moment(4, layout="overlay"), 0, TIME_BASE)
        takes.write(moment(8, layout="side"), 25, TIME_BASE)
    assert [part.events for part in parts.opened] == [
        [Event(0.0, "layout", "overlay")],
        [Event(0.0, "layout", "side")],
    ]


def test_a_mark_of_the_last_moment_stays_in_its_part() -> None:
    parts = Parts()
    with Takes(parts) as takes:
        takes.write(moment(4), 0, TIME_BASE)
        takes.write(moment(4), 10, TIME_BASE)
        takes.mark("HOUSE", 10 * TIME_BASE)
        takes.write(moment(8), 20, TIME_BASE)
    assert [part.events for part in parts.opened] == [[Event(0.4, "mark", "HOUSE")], []]


def test_a_mark_whose_name_is_typed_over_the_end_of_its_part_stays_there() -> None:
    parts = Parts()
    with Takes(parts) as takes:
        for pts, side in ((0, 4), (10, 4), (20, 8), (30, 8)):
            takes.write(moment(side, head="mean"), pts, TIME_BASE)
        takes.mark("HOUSE", 10 * TIME_BASE)
        takes.mark("TREE", 30 * TIME_BASE)
    as_set = Event(0.0, "head", "mean")
    assert [part.events for part in parts.opened] == [
        [as_set, Event(0.4, "mark", "HOUSE")],
        [as_set, Event(0.4, "mark", "TREE")],
    ]


def test_a_part_that_cannot_be_opened_leaves_the_one_before_whole() -> None:
    first = FakePart(clean=ListSink())

    def open_part(number: int) -> FakePart:
        if number > 1:
            raise OutputError("no room for more")
        return first

    takes = Takes(open_part)
    takes.write(moment(4, head="mean"), 0, TIME_BASE)
    with pytest.raises(OutputError, match="no room for more"):
        takes.write(moment(8, head="mean"), 1, TIME_BASE)
    takes.close()
    assert first.overlay.num_closed == 1
    assert first.events == [Event(0.0, "head", "mean")]


def test_a_file_that_fails_leaves_the_other_whole() -> None:
    class Broken(ListSink):
        def close(self) -> None:
            super().close()
            raise OutputError("no room")

    part = FakePart(overlay=ListSink(), clean=Broken())
    takes = Takes(lambda number: part)
    takes.write(moment(), 0, TIME_BASE)
    with pytest.raises(OutputError, match="no room"):
        takes.close()
    assert part.overlay.num_closed == 1
