from __future__ import annotations

import numpy as np
import pytest

from stream.errors import OutputError, WorkerError
from stream.recorder import Recorder
from tests.fakes import TIME_BASE, ListSink

CANVAS = np.zeros((2, 2, 3), np.uint8)


def test_times_are_kept_and_so_are_gaps() -> None:
    sink = ListSink()
    with Recorder(sink, "clip", keep="all") as recorder:
        for pts in (100, 101, 105):
            recorder.record(CANVAS, pts, TIME_BASE)
    assert sink.pts == [100, 101, 105]
    assert sink.num_closed == 1


def test_recording_after_close_is_refused() -> None:
    recorder = Recorder(ListSink(), "clip", keep="all")
    recorder.close()
    with pytest.raises(ValueError, match="closed recorder"):
        recorder.record(CANVAS, 0, TIME_BASE)


def test_failure_of_the_sink_reaches_the_caller_and_the_sink_is_closed() -> None:
    sink = ListSink(fail_at=0, failure=OutputError("disk full"))
    recorder = Recorder(sink, "clip", keep="all")
    recorder.record(CANVAS, 0, TIME_BASE)
    with pytest.raises(WorkerError, match="record failed: disk full"):
        recorder.close()
    assert sink.num_closed == 1


def test_what_failed_first_is_told_where_closing_fails_as_well() -> None:
    """On a full disk one take breaks, and then the end of the other."""

    class Unfinishable(ListSink):
        def close(self) -> None:
            super().close()
            raise OutputError("nor can the rest be written")

    recorder = Recorder(Unfinishable(fail_at=0, failure=OutputError("disk full")), "a", keep="all")
    recorder.record(CANVAS, 0, TIME_BASE)
    with pytest.raises(WorkerError, match="record failed: disk full"):
        recorder.close()
