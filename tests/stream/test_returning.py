"""Sources that are lost and come back."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from stream.errors import SourceError, SourceLostError, SourceNotFoundError, SourceRefusedError
from stream.frames import Frame
from stream.protocols import Source
from stream.sources.returning import ReturningSource
from stream.sources.timeline import Span
from tests.fakes import ScriptedSource, make_frame
from tests.stream.reading import read_all
from tests.waits import WAIT_S, until

SOON = (0.0,)


def part(
    count: int,
    begins_ns: int,
    *,
    then: SourceError | None = None,
    before: Callable[[int], None] = lambda index: None,
) -> ScriptedSource:
    """A live source of so many frames at 25 a second, which then ends or breaks."""

    def frames() -> Iterable[Frame]:
        for index in range(count):
            frame = replace(make_frame(index), pts=index, time_base=Fraction(1, 25))
            yield replace(frame, captured_ns=begins_ns + index * 40_000_000)
        if then is not None:
            raise then

    return ScriptedSource(frames(), is_live=True, before=before)


LOST = SourceLostError("cable")


def test_a_gap_stays_a_gap_and_frames_are_counted_on() -> None:
    later = iter([part(3, 7_000_000_000, then=LOST), part(2, 10_000_000_000)])
    first = part(3, 0, then=LOST)
    with ReturningSource(first, lambda: next(later), waits_s=SOON) as source:
        frames = read_all(source)
        assert source.warnings == ["script was lost 2 times, for 10 s in all"]
    times = [frame.pts * frame.time_base for frame in frames]
    assert [float(time) for time in times] == pytest.approx(
        [0, 0.04, 0.08, 7, 7.04, 7.08, 10, 10.04], abs=0.02
    )
    assert all(before < after for before, after in pairwise(times))
    assert [frame.index for frame in frames] == list(range(8))


def test_it_keeps_up_with_a_source_until_somebody_is_ready_to_read() -> None:
    """The newest picture is the first then, at the time 0; the part asked for begins with it."""
    is_asked, stands = threading.Event(), threading.Event()

    def before(index: int) -> None:
        if index == 5:
            stands.set()
            assert is_asked.wait(WAIT_S)

    script = part(9, 0, before=before)
    with ReturningSource(script, None, span=Span(None, None, 3), keeps_up=True) as source:
        assert stands.wait(WAIT_S)
        first = source.read()
        is_asked.set()
        frames = [first, *read_all(source)]
    told = [(frame.index, frame.time_s, frame.captured_ns) for frame in frames if frame is not None]
    assert told == [
        (0, 0, 160_000_000),
        (1, pytest.approx(0.04, abs=0.02), 200_000_000),
        (2, pytest.approx(0.08, abs=0.02), 240_000_000),
    ]


def test_a_loss_ends_what_is_not_to_be_opened_again() -> None:
    with ReturningSource(part(2, 0, then=LOST), None) as source:
        assert [source.read() is not None for _ in range(2)] == [True, True]
        with pytest.raises(SourceLostError, match="cable"):
            source.read()
    assert source.warnings == []


def test_what_is_opened_in_vain_or_never_comes_back_is_one_loss() -> None:
    later = iter([part(0, 0, then=LOST)])
    begins_ns = time.monotonic_ns() - 70 * 10**9

    def reopen() -> Source:
        if found := next(later, None):
            return found
        source.close()
        raise LOST

    with ReturningSource(part(1, begins_ns, then=LOST), reopen, waits_s=SOON) as source:
        assert len(read_all(source)) == 1
    (warning,) = source.warnings
    assert re.fullmatch(r"script was lost once, for (7\d|1\d\d) s in all", warning)


def test_it_is_tried_again_until_it_is_there() -> None:
    tries: list[SourceError | ScriptedSource] = [
        SourceNotFoundError("nobody listens"),
        SourceLostError("and is gone"),
        part(1, 5_000_000_000),
    ]

    def reopen() -> Source:
        found = tries.pop(0)
        if isinstance(found, SourceError):
            raise found
        return found

    with ReturningSource(part(1, 0, then=LOST), reopen, waits_s=SOON) as source:
        assert len(read_all(source)) == 2
    assert tries == []


def test_what_is_refused_is_not_tried_again() -> None:
    def reopen() -> Source:
        raise SourceRefusedError("wrong password")

    with ReturningSource(part(1, 0, then=LOST), reopen, waits_s=SOON) as source:
        assert source.read() is not None
        with pytest.raises(SourceRefusedError, match="wrong password"):
            source.read()


def test_a_source_that_hangs_is_left_behind() -> None:
    """Its driver may never return; another try succeeds meanwhile."""
    released = threading.Event()

    class Hanging(ScriptedSource):
        def read(self) -> Frame | None:
            released.wait(60)
            return None

    hanging = Hanging([], is_live=True)
    later = iter([part(2, 1_000_000_000)])
    with ReturningSource(hanging, lambda: next(later), stale_s=0.01, waits_s=SOON) as source:
        assert len(read_all(source)) == 2
        assert hanging.num_closed
        released.set()
    for thread in threading.enumerate():
        if thread.name == "signlight-stream":
            thread.join(10)


def test_closing_ends_the_wait_for_its_return() -> None:
    """From another thread, as at the end of a program; no try is made any more."""
    first = part(1, 0, then=LOST)
    source = ReturningSource(first, pytest.fail, waits_s=(3600.0,))
    assert source.read() is not None
    got: list[Frame | None] = []
    reader = threading.Thread(target=lambda: got.append(source.read()))
    reader.start()
    until(lambda: first.num_closed > 0, "the lost source left behind")
    source.close()
    reader.join(10)
    assert got == [None]


def test_closing_ends_an_opening_that_hangs() -> None:
    """A server may take its time to answer; who quits meanwhile does not wait for it."""
    opens, answers = threading.Event(), threading.Event()

    def reopen() -> Source:
        opens.set()
        answers.wait(60)
        return late

    late = part(1, 0)
    source = ReturningSource(part(1, 0, then=LOST), reopen, waits_s=SOON)
    assert source.read() is not None
    got: list[Frame | None] = []
    reader = threading.Thread(target=lambda: got.append(source.read()))
    reader.start()
    assert opens.wait(10)
    source.close()
    reader.join(10)
    assert got == [None]
    answers.set()
    until(lambda: late.num_closed > 0, "what was opened too late given back")


def test_a_part_ends_where_it_is_to_end() -> None:
    later = iter([part(5, 2_000_000_000, then=LOST)])
    span = Span(None, None, 4)
    with ReturningSource(part(3, 0, then=LOST), lambda: next(later), span=span, waits_s=SOON) as s:
        assert len(read_all(s)) == 4
    later = iter([part(50, 2_000_000_000)])
    span = Span(None, 2.5, None)
    with ReturningSource(part(3, 0, then=LOST), lambda: next(later), span=span, waits_s=SOON) as s:
        assert read_all(s)[-1].time_s == pytest.approx(2.48, abs=0.03)


def test_other_faults_are_told_at_once() -> None:
    fault = part(1, 0, then=SourceError("damaged"))
    with ReturningSource(fault, pytest.fail, waits_s=SOON) as source:
        assert source.read() is not None
        with pytest.raises(SourceError, match="damaged"):
            source.read()
