"""What is recorded of a live view: times, marks, events, and what ends it."""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial

import pytest

from stream import recorder
from stream.errors import OutputError, WorkerError
from stream.frames import Frame, RgbImage
from stream.standby import Standby
from tests.fakes import (
    FakeControls,
    FakePart,
    ListSink,
    ScriptedScreen,
    ScriptedSource,
    make_frame,
)
from tests.stream.stage import Stage, frames
from tests.waits import WAIT_S, until

pytestmark = pytest.mark.usefixtures("patient_recorders")


@pytest.mark.parametrize("is_found_by", ["the clock", "the source"])
def test_a_loss_and_a_return_are_events_of_a_recording(is_found_by: str) -> None:
    """Of the last moment before and the first one after; a short loss only the source knows."""

    def is_drawn(index: int) -> bool:
        return any(scene.frame.index == index for scene in stage.renderer.scenes)

    def is_told() -> bool:
        stage.clock.time_ns += 4_000_000_000
        return any(scene.stats and scene.stats.lost_s for scene in stage.renderer.scenes)

    def given() -> Iterator[Frame]:
        for index in range(8):
            if index:
                until(partial(is_drawn, index - 1), "the frame before")
            if index == 5 and is_found_by == "the clock":
                until(is_told, "a loss on the picture")
            is_later = index >= 5 and is_found_by == "the source"
            yield replace(make_frame(index), num_losses=int(is_later))

    stage = Stage(ScriptedSource(given(), is_live=True), screen=ScriptedScreen({1: "r"}))
    stage.run()
    (part,) = stage.controls.recordings
    signal = [(round(event.time_s * 30), event.value) for event in part.events]
    assert signal == [(3, "lost"), (4, "back")]
    assert [title for _, title in part.overlay.chapters] == ["signal lost", "signal back"]


def test_record_key_records_what_is_shown_with_true_times_from_zero() -> None:
    stage = Stage(frames(20), screen=ScriptedScreen({4: "r", 9: "r", 12: "s"}))
    stage.run()
    (part,) = stage.controls.recordings
    for take in (part.overlay, part.clean):
        assert take is not None
        assert [int(canvas[0, 0, 0]) for canvas, _, _ in take.written] == [4, 5, 6, 7, 8]
        assert take.pts == [0, 1, 2, 3, 4]
        assert take.num_closed == 1
    assert [int(canvas[0, 0, 0]) for canvas in stage.controls.snapshots] == [12]


def test_each_recording_begins_with_the_last_seconds_before_its_key() -> None:
    """As of the third frame before it, here; what keeps them begins anew when one has ended."""

    class ThreeFrames:
        def __init__(self) -> None:
            self.kept: list[tuple[int, Fraction]] = []
            kept.append(self.kept)

        @property
        def begin_s(self) -> Fraction:
            return self.kept[-3:][0][1]

        def write(self, canvas: RgbImage, pts: int, time_base: Fraction) -> None:
            with changed:
                self.kept.append((int(canvas[0, 0, 0]), pts * time_base))
                changed.notify_all()

    def before(index: int) -> None:
        if 0 < index <= 6 or 9 < index <= 20:  # what came so far is kept
            with changed:
                assert changed.wait_for(
                    lambda: [each[0] for each in kept[-1][-1:]] == [index - 1], WAIT_S
                )

    changed = threading.Condition()
    kept: list[list[tuple[int, Fraction]]] = []
    controls = FakeControls()
    controls.open_standby = lambda: Standby(ThreeFrames)
    screen = ScriptedScreen({6: "r", 9: "r", 20: "r", 22: "r"}, before=before)
    stage = Stage(frames(30), screen=screen, controls=controls)
    stage.run()
    for part, frames_before, first, last in zip(
        controls.recordings, kept[:4:2], (0, 9), (8, 21), strict=True
    ):
        written = [int(canvas[0, 0, 0]) for canvas, _, _ in part.overlay.written]
        assert [*(grey for grey, _ in frames_before), *written] == [*range(first, last + 1)]
        assert part.overlay.pts == [*range(3, 3 + len(written))]
    recording_s = [scene.stats.recording_s for scene in stage.renderer.scenes if scene.stats]
    assert recording_s[6] is None
    assert recording_s[7] is not None
    assert recording_s[7] > 2 / 30  # of which one is its own


def test_a_mark_is_of_the_moment_of_its_key_and_named_by_what_is_typed_then() -> None:
    keys = ["R", "", "b", *"Sax", "backspace", "space", "q", "enter", "", "b", "x", "escape", ""]
    keys += ["b", "1"]  # and the source ends
    screen = ScriptedScreen({index: key for index, key in enumerate(keys) if key})
    stage = Stage(frames(len(keys)), screen=screen, names_marks=True)
    assert stage.run().num_shown == len(keys)
    assert stage.controls.pressed == []
    (part,) = stage.controls.recordings
    marks = [(round(event.time_s * 30), event.value) for event in part.events]
    assert marks == [(1, "Sa q"), (14, "1")], "Escape takes a mark back"
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert notices[3].startswith("mark 1_")
    assert notices[5].startswith("Sa_")
    assert notices[10] == "Sa q"


def test_many_name_marks_at_a_time_each_its_own_moment() -> None:
    """Where a recording ends meanwhile, they are called what was typed until then."""
    hidden = f"{chr(0x202E)}A\tB"
    keys = ["mark ann", "r", "", "mark ann", "mark bo", "mark cy", "mark dan", "l", "mark ann=x=1"]
    keys += ["no mark dan", f"mark bo={hidden}", "", "mark dan", "mark dan~so f", "r"]
    keys += ["mark dan=so far", ""]
    screen = ScriptedScreen({index: key for index, key in enumerate(keys) if key})
    stage = Stage(frames(len(keys)), screen=screen)
    stage.run()
    assert stage.controls.pressed == ["l"], "other keys mean what they always do"
    (part,) = stage.controls.recordings
    marks = [(round(event.time_s * 30), event.value) for event in part.events]
    assert marks == [(1, "x=1"), (2, "AB"), (3, "mark 3"), (10, "so f")]
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert notices[1].startswith("marks are set in a recording")


def test_what_is_typed_on_when_a_recording_has_ended_has_no_other_meaning() -> None:
    keys = {1: "r", 3: "b", 4: "x", 5: "y", 9: "q", 10: "d", 11: "enter", 12: "d", 14: "q"}
    stage = Stage(frames(6), screen=ScriptedScreen(keys), names_marks=True, stays=True)
    stage.run()
    assert stage.controls.pressed == ["d"], "as the second one did again"
    (part,) = stage.controls.recordings
    assert [event.value for event in part.events] == ["xy"]
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert notices[8].startswith("xy   (the recording has ended")


def test_recording_beside_save_leaves_the_saved_file_whole() -> None:
    sink = ListSink()
    stage = Stage(frames(8), screen=ScriptedScreen({1: "r", 6: "r"}), save_to=sink)
    stage.run()
    assert sink.pts == list(range(8))
    assert stage.controls.recordings[0].overlay.pts == [0, 1, 2, 3, 4]


class SlowToClose(ListSink):
    """Is closed when it may be."""

    def __init__(self) -> None:
        super().__init__()
        self.may_close = threading.Event()

    def close(self) -> None:
        assert self.may_close.wait(WAIT_S), "the picture waited for the file"
        super().close()


class OnePart(FakeControls):
    """Records into files that the test made."""

    def __init__(self, part: FakePart) -> None:
        super().__init__()
        self._part = part

    def open_part(self, number: int) -> FakePart:
        return self._part


@pytest.mark.parametrize("keys", [{4: "r", 9: "r"}, {4: "r", 50: "q"}], ids=["key", "source"])
def test_end_of_a_recording_does_not_hold_up_the_picture(keys: dict[int, str]) -> None:
    """Whether it comes by key or with the source, whose last picture stays."""
    take = SlowToClose()

    def before(index: int) -> None:
        if index == 30:
            take.may_close.set()
        if index == 49:
            assert take.closed.wait(WAIT_S)

    screen = ScriptedScreen(keys, before=before)
    num_frames = 60 if 9 in keys else 12
    stage = Stage(
        frames(num_frames), screen=screen, controls=OnePart(FakePart(take)), stays=50 in keys
    )
    assert stage.run().num_shown == num_frames
    assert take.num_closed == 1


def test_save_records_the_whole_run() -> None:
    sink = ListSink()
    Stage(frames(30), save_to=sink, is_watched=False).loop.run()
    assert sink.pts == list(range(30))
    assert sink.num_closed == 1


class GatedSink(ListSink):
    """Writes nothing before its gate is opened."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self._gate = gate

    def write(
        self, canvas: RgbImage, pts: int, time_base: Fraction, duration: int | None = None
    ) -> None:
        assert self._gate.wait(WAIT_S), "the picture waited for the file"
        super().write(canvas, pts, time_base, duration)


def test_an_encoder_that_is_too_slow_holds_up_nobody_and_what_is_left_out_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a file as of a camera; both takes leave out the same."""
    monkeypatch.setattr(recorder, "MAX_WAITING", 8)
    gate = threading.Event()
    part = FakePart(clean=GatedSink(gate))

    def before(index: int) -> None:
        if index == 40:
            gate.set()

    screen = ScriptedScreen({2: "r", 41: "r"}, before=before)
    report = Stage(frames(50), screen=screen, controls=OnePart(part)).run()
    assert report.num_shown == 50
    assert part.clean is not None
    assert part.clean.pts == part.overlay.pts
    assert len(part.clean.pts) + report.dropped_record == 39
    assert report.dropped_record >= 20


def test_a_take_that_fails_does_not_hold_up_the_picture_while_the_other_is_finished() -> None:
    other = SlowToClose()
    full = ListSink(fail_at=3, failure=OutputError("out.mp4: disk full"))
    part = FakePart(other, full)

    def before(index: int) -> None:
        if index == 20:
            assert full.closed.wait(WAIT_S)
        if index == 40:
            other.may_close.set()

    stage = Stage(
        frames(60), screen=ScriptedScreen({2: "r"}, before=before), controls=OnePart(part)
    )
    report = stage.run()
    assert report.num_shown == 60
    assert report.faults == ("out.mp4: disk full",)
    notices = [scene.stats.notice for scene in stage.renderer.scenes[:40] if scene.stats]
    assert "recording stopped: out.mp4: disk full" in notices
    assert other.num_closed == full.num_closed == 1


def test_a_recording_is_told_of_which_moment_its_sound_is() -> None:
    """Of the file's own, wherever it is gone on with; of none while the picture stands."""

    def before(index: int) -> None:
        if index in (4, 5):
            stage.clock.time_ns += 1_000_000_000

    file_pts = [100, 101, 102, 103, 20, 21]
    source = ScriptedSource(make_frame(index, file_pts=pts) for index, pts in enumerate(file_pts))
    screen = ScriptedScreen({2: "space", 5: "space"}, before=before)
    sink = ListSink()
    stage = Stage(source, screen=screen, save_to=sink)
    stage.run()
    turns = [
        (float(time_s) * 30, to_s if to_s is None else float(to_s) * 30)
        for time_s, to_s in sink.sound_turns
    ]
    (began, held, went_on, turned) = turns
    assert began == (0, 100)
    assert held[1] is None
    assert went_on == (went_on[0], 103)
    assert turned == (went_on[0] + 1, 20)


def test_full_disk_ends_the_recording_and_not_the_demo() -> None:
    sink = ListSink(fail_at=3, failure=OutputError("out.mp4: disk full"))

    def before(index: int) -> None:
        if index == 20:
            assert sink.closed.wait(WAIT_S)

    stage = Stage(frames(40), screen=ScriptedScreen(before=before), save_to=sink)
    report = stage.run()
    assert report.num_shown == 40
    assert report.faults == ("out.mp4: disk full",)
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert "recording stopped: out.mp4: disk full" in notices
    assert len(sink.written) == 3
    assert sink.num_closed == 1


def test_full_disk_ends_the_loop_where_nobody_watches() -> None:
    failure = OutputError("out.mp4: disk full")
    sink = ListSink(fail_at=3, failure=failure)
    endless = ScriptedSource(make_frame(index) for index in itertools.count())
    stage = Stage(endless, save_to=sink, is_watched=False)
    with pytest.raises(WorkerError, match=r"record failed: out\.mp4") as caught:
        stage.run()
    assert caught.value.__cause__ is failure
    assert len(sink.written) == 3
    assert sink.num_closed == 1


def test_a_frame_that_is_held_is_recorded_for_as_long() -> None:
    """What is recorded is what was on show; of a recording, what follows comes later by that."""

    def before_showing(index: int) -> None:
        if index in (4, 5, 6):
            stage.clock.time_ns += 1_000_000_000

    screen = ScriptedScreen({3: "space", 7: "space"}, before=before_showing)
    sink = ListSink()
    stage = Stage(frames(6), screen=screen, save_to=sink)
    stage.run()
    assert [int(canvas[0, 0, 0]) for canvas, _, _ in sink.written] == [0, 1, 2, 3, 3, 3, 3, 4, 5]
    assert sink.pts == [0, 1, 2, 3, 33, 63, 93, 94, 95]


def test_marks_of_those_who_cannot_type_have_numbers_and_need_a_recording() -> None:
    keys = {1: "b", 3: "r", 5: "b", 6: "b", 8: "r"}
    stage = Stage(frames(20), screen=ScriptedScreen(keys))
    stage.run()
    (part,) = stage.controls.recordings
    assert [(event.setting, event.value) for event in part.events] == [
        ("mark", "mark 1"),
        ("mark", "mark 2"),
    ]
    assert [title for _, title in part.overlay.chapters] == ["mark 1", "mark 2"]
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert notices[2] == "marks are set in a recording: press r first"


def test_stop_from_a_signal_ends_the_loop_and_closes_the_recording() -> None:
    sink = ListSink()
    source = ScriptedSource(make_frame(index) for index in itertools.count())
    stage = Stage(source, screen=ScriptedScreen({7: "x"}), save_to=sink)

    class Stopping(FakeControls):
        def press(self, key: str) -> str | None:
            stage.stop.set()
            return None

    stage.loop._controls = Stopping()
    assert stage.run().num_shown == 8
    assert sink.num_closed == 1
