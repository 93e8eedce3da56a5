"""A recording that stands by: what it knows of the time before its key."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from stream.errors import SinkError
from stream.keys import Setting
from stream.standby import Standby
from stream.takes import Event, RecordedFrame
from tests.fakes import FakeControls

TIME_BASE = Fraction(1, 10)


class ThreeFrames:
    """Keeps the times of the last three frames."""

    begin_s = Fraction(0)

    def write(self, canvas: npt.NDArray[np.uint8], pts: int, time_base: Fraction) -> None:
        del canvas
        self.begin_s = max(0, pts - 2) * time_base


@pytest.fixture
def controls() -> FakeControls:
    return FakeControls()


def written(standby: Standby, numbers: range, side: int = 4, head: str = "mean") -> None:
    image = np.zeros((side, side, 3), np.uint8)
    settings = [Setting(name="head", words="Head", value=head)]
    for number in numbers:
        standby.write(RecordedFrame(image, image, settings), number, TIME_BASE)


def test_a_mark_before_the_first_frame_is_of_the_recording(controls: FakeControls) -> None:
    with Standby(ThreeFrames) as standby:
        standby.mark("HOUSE", Fraction(-1))
        standby.begin(controls.open_recording)
        written(standby, range(2))
    (part,) = controls.recordings
    assert Event(0.0, "mark", "HOUSE") in part.events


def test_a_mark_before_the_key_stays_before_a_change_of_size(controls: FakeControls) -> None:
    with Standby(ThreeFrames) as standby:
        written(standby, range(5))
        standby.mark("HOUSE", 4 * TIME_BASE)
        standby.begin(controls.open_recording)
        written(standby, range(5, 7), side=8)
    as_set = Event(0.0, "head", "mean")
    first, second = controls.recordings
    assert first.events == [as_set, Event(0.2, "mark", "HOUSE")]
    assert first.overlay.chapters == [(0.2, "HOUSE")]
    assert second.events == [as_set]


def test_a_recording_is_told_what_was_set_when_it_begins_and_since(controls: FakeControls) -> None:
    """Of what was set before that, nothing is kept: the program may stand by for days."""
    with Standby(ThreeFrames) as standby:
        for number in range(100):
            written(standby, range(number, number + 1), head=str(number))
            assert len(standby._history) <= 3
        standby.begin(controls.open_recording)
    (part,) = controls.recordings
    assert part.events == [Event(float(n * TIME_BASE), "head", str(97 + n)) for n in range(3)]


def test_nothing_begins_with_what_has_been_closed() -> None:
    """Its files would be written by nobody, and never finished."""
    standby = Standby(ThreeFrames)
    standby.close()
    with pytest.raises(SinkError, match="press r again"):
        standby.begin(lambda pre_rolls=None: pytest.fail("files were opened"))
