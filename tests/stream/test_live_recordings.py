"""Recordings of a live view, begun and ended by key: what is waited for, counted and given up."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from stream.errors import OutputError
from stream.live_recordings import LiveRecordings
from stream.standby import Standby
from stream.takes import RecordedFrame
from tests.fakes import FakeClock, FakeControls

TIME_BASE = Fraction(1, 25)
MOMENT = RecordedFrame(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))


class PreRoll:
    """Keeps nothing; a thread that writes waits until it may."""

    begin_s = Fraction(0)

    def __init__(self) -> None:
        self.is_writing = threading.Event()
        self.may_write = threading.Event()

    def write(self, canvas: npt.NDArray[np.uint8], pts: int, time_base: Fraction) -> None:
        self.is_writing.set()
        assert self.may_write.wait(timeout=10)


class Studio:
    """Recordings with last seconds, which are kept as fast as ``pre_roll`` does."""

    def __init__(self, pre_roll: PreRoll) -> None:
        self.controls = FakeControls()
        self.said: list[str] = []
        self.recordings = LiveRecordings(
            self.controls.open_recording,
            open_standby=lambda: Standby(lambda: pre_roll),
            keep="latest",
            say=self.said.append,
            now_ns=FakeClock().now_ns,
            is_watched=True,
        )

    def record(self, *numbers: int) -> None:
        for number in numbers:
            self.recordings.record(lambda: MOMENT, number, TIME_BASE)


def test_nobody_waits_for_last_seconds_that_are_not_wanted() -> None:
    pre_roll = PreRoll()
    studio = Studio(pre_roll)
    studio.record(0)
    assert pre_roll.is_writing.wait(timeout=10)
    ended = threading.Thread(target=studio.recordings.finish, daemon=True)
    ended.start()
    ended.join(timeout=5)
    has_waited = ended.is_alive()
    pre_roll.may_write.set()
    studio.recordings.close()
    assert not has_waited
    assert studio.said == []


def test_frames_left_out_before_a_recording_are_not_missing_from_it() -> None:
    pre_roll = PreRoll()
    studio = Studio(pre_roll)
    studio.record(0)
    assert pre_roll.is_writing.wait(timeout=10)
    studio.record(*range(1, 21))
    pre_roll.may_write.set()
    studio.recordings.toggle()
    dropped = [studio.recordings.dropped]
    studio.recordings.close()
    dropped.append(studio.recordings.dropped)
    assert dropped == [0, 0]


class Stuck(PreRoll):
    """Cannot keep anything; a thread that writes waits until it may."""

    def write(self, canvas: npt.NDArray[np.uint8], pts: int, time_base: Fraction) -> None:
        super().write(canvas, pts, time_base)
        raise OutputError("the encoder fails")


def test_a_recording_begins_although_the_last_seconds_could_not_be_kept() -> None:
    """Also where the key is pressed before the next frame comes."""
    pre_roll = Stuck()
    studio = Studio(pre_roll)
    studio.record(0)
    pre_roll.may_write.set()
    keeping = [thread for thread in threading.enumerate() if thread.name == "signlight-record"]
    for thread in keeping:
        thread.join(timeout=10)
    studio.recordings.toggle()
    studio.record(1, 2)
    studio.recordings.close()
    (part,) = studio.controls.recordings
    assert part.overlay.pts == [0, 1]
    assert part.overlay.num_closed == 1
    assert studio.said == [
        "recording stopped: the encoder fails",
        "recording to recording",
        "saved recording",
    ]
