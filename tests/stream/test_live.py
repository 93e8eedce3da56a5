from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

from stream import recorder
from stream.channel import Channel
from stream.errors import OutputError, SourceLostError, WorkerError
from stream.frames import Frame, RgbImage
from stream.geometry import HandCrop, HandRegion
from stream.scene import AttentionMaps, Scene
from stream.standby import PreRolls, Standby
from stream.takes import Takes
from tests.fakes import (
    FakeControls,
    FakePart,
    FrameRenderer,
    GatedModel,
    ListSink,
    ScriptedFinder,
    ScriptedScreen,
    ScriptedSource,
    make_frame,
    make_hand,
)
from tests.stream.stage import Stage, frames
from tests.waits import WAIT_S, until


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of recordings nothing: the stage's time passes at once, and encoders' does not."""
    monkeypatch.setattr(recorder, "MAX_WAITING", 1000)


def test_every_frame_of_a_recording_is_shown_while_the_model_is_stuck() -> None:
    model = GatedModel(is_open=False)

    def before(index: int) -> None:
        # The model answers nothing while frames are shown; its gate opens for a clean end.
        if index == 49:
            model.gate.set()

    stage = Stage(frames(50), model=model, screen=ScriptedScreen(before=before))
    report = stage.run()
    assert report.num_shown == 50
    assert [scene.frame.index for scene in stage.renderer.scenes] == list(range(50))
    assert report.dropped_capture == 0
    assert all(not scene.maps for scene in stage.renderer.scenes)


def test_recording_plays_at_its_own_speed() -> None:
    stage = Stage(frames(31))
    start_ns = stage.clock.now_ns()
    report = stage.run()
    assert stage.clock.now_ns() - start_ns == pytest.approx(1e9, rel=1e-6)
    assert report.late_p95_ms == pytest.approx(0.0, abs=1e-3)
    assert report.num_shown == 31


def test_newest_frame_of_a_live_source_wins_and_drops_are_counted() -> None:
    found_last, first_drawn = threading.Event(), threading.Event()

    def before(index: int) -> None:
        if index == 1:
            assert first_drawn.wait(WAIT_S)

    def find(index: int) -> tuple[HandRegion, ...]:
        if index == 9:
            found_last.set()
        return ()

    class SlowRenderer(FrameRenderer):
        def draw(self, scene: Scene) -> RgbImage:
            first_drawn.set()
            assert found_last.wait(WAIT_S)
            return super().draw(scene)

    stage = Stage(
        frames(10, is_live=True, before=before),
        finder=ScriptedFinder(find),
        renderer=SlowRenderer(),
    )
    report = stage.run()
    shown = [scene.frame.index for scene in stage.renderer.scenes]
    assert (shown[0], shown[-1]) == (0, 9)
    assert len(shown) <= 3  # one more where 9 was found but not yet there when the drawing ended
    assert report.num_captured == 10
    assert report.dropped_capture == 10 - len(shown)
    assert report.num_captured == report.num_shown + report.dropped_capture


def test_newest_map_is_shown_with_its_age_until_a_newer_one_comes() -> None:
    # The model answers frame 0 while frame 2 is on show, and nothing else until the end.
    first, rest = threading.Event(), threading.Event()

    class Model(GatedModel):
        def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
            self.entered.set()
            assert (rest if crops[0].frame_index else first).wait(WAIT_S)
            return super().attend_crops(crops)

    def before(index: int) -> None:
        if index == 0:
            assert stage.model.entered.wait(WAIT_S)  # before frame 1 takes 0's place
        if index == 2:
            first.set()
            _wait_for_item(stage.attention._finished)
        if index == 9:
            rest.set()

    stage = Stage(frames(10), model=Model(), screen=ScriptedScreen(before=before))
    report = stage.run()
    shown = [
        [(entry.maps.frame_index, round(entry.age_s * 30)) for entry in scene.maps.values()]
        for scene in stage.renderer.scenes
    ]
    assert shown == [[], [], [], *([(0, index)] for index in range(3, 10))]
    assert report.num_maps == 1
    assert report.age_p95_ms == pytest.approx(300.0, abs=1.0)


def _wait_for_item(channel: Channel[Any]) -> None:
    with channel._changed:
        assert channel._changed.wait_for(lambda: bool(channel._items), WAIT_S)


def test_without_a_map_there_is_no_age_to_report() -> None:
    stage = Stage(frames(5), finder=ScriptedFinder(lambda index: ()))
    report = stage.run()
    assert report.age_p95_ms is None
    assert report.num_maps == 0


def test_no_map_is_made_of_a_place_that_is_only_held() -> None:
    def before(index: int) -> None:
        assert index > 0 or stage.model.entered.wait(WAIT_S)  # or the run may end before it begins

    stage = Stage(
        frames(10),
        finder=ScriptedFinder(lambda index: (make_hand(unseen_s=0.1 * (index >= 3)),)),
        screen=ScriptedScreen(before=before),
    )
    stage.run()
    seen = {index for batch in stage.model.seen for index in batch}
    assert seen
    assert seen <= {0, 1, 2}


def test_failing_model_ends_the_loop_with_its_error() -> None:
    failure = MemoryError("out of memory")
    stage = Stage(
        ScriptedSource(iter(lambda: make_frame(0), None), is_live=False),
        model=GatedModel(failure=failure),
    )
    with pytest.raises(WorkerError, match="attention failed: out of memory") as caught:
        stage.run()
    assert caught.value.__cause__ is failure


def test_unplugged_camera_ends_the_loop_with_its_error() -> None:
    failure = SourceLostError("camera 0 stopped")
    stage = Stage(frames(9, is_live=True, fail_at=5, failure=failure))
    with pytest.raises(WorkerError, match="capture failed: camera 0 stopped") as caught:
        stage.run()
    assert caught.value.__cause__ is failure


def test_a_camera_that_is_silent_is_said_to_be_lost_until_it_is_back() -> None:
    """Hands and maps of the last picture are taken away: nothing is known of them any more."""
    told = threading.Event()

    class Renderer(FrameRenderer):
        def draw(self, scene: Scene) -> RgbImage:
            if scene.stats is not None and scene.stats.lost_s is not None:
                told.set()
            return super().draw(scene)

    def before(index: int) -> None:
        while index == 3 and not told.wait(0.01):
            stage.clock.time_ns += 4_000_000_000

    stage = Stage(frames(4, is_live=True, before=before), renderer=Renderer())
    stage.run()
    scenes = stage.renderer.scenes
    lost = [scene for scene in scenes if scene.stats and scene.stats.lost_s is not None]
    assert lost
    assert {scene.frame.index for scene in lost} <= {0, 1, 2}
    assert all(not scene.hands and not scene.maps for scene in lost)
    assert scenes[-1].frame.index == 3
    assert scenes[-1].stats is not None
    assert scenes[-1].stats.lost_s is None


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


@pytest.mark.parametrize("key", ["q", "escape"])
def test_quit_keys_end_an_endless_source(key: str) -> None:
    endless = ScriptedSource(iter(lambda: make_frame(0), None), is_live=True)
    stage = Stage(endless, screen=ScriptedScreen({5: key}))
    assert stage.run().num_shown <= 6


def test_closing_the_window_ends_the_loop() -> None:
    class ClosedScreen(ScriptedScreen):
        def show(self, canvas: RgbImage, wait_s: float) -> str | None:
            self.is_open = False
            return super().show(canvas, wait_s)

    assert Stage(frames(1000), screen=ClosedScreen()).loop.run().num_shown == 1


def test_freeze_holds_the_frame_and_goes_on_without_rushing() -> None:
    stage = Stage(frames(10), screen=ScriptedScreen({3: "space", 8: "space"}))
    report = stage.run()
    indices = [scene.frame.index for scene in stage.renderer.scenes]
    assert indices == [0, 1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9]
    assert report.num_shown == 10
    assert report.late_p95_ms == pytest.approx(0.0, abs=1e-3)


def test_frozen_frame_gets_its_own_map_and_notices_at_once() -> None:
    came_to_it = threading.Event()

    class Model(GatedModel):
        def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
            if crops[0].frame_index == 3:
                came_to_it.set()
            return super().attend_crops(crops)

    def before(index: int) -> None:
        if index == 5:
            stage.model.gate.set()
            assert came_to_it.wait(WAIT_S), "the frozen frame was not handed over"

    screen = ScriptedScreen({3: "space", 6: "c", 8: "q"}, before=before)
    stage = Stage(frames(100), model=Model(is_open=False), screen=screen)
    stage.run()
    frozen = stage.renderer.scenes[4:]
    assert {scene.frame.index for scene in frozen} == {3}
    assert [scene.stats.notice for scene in frozen if scene.stats][3:] == ["pressed c"] * 2


def test_frames_that_pass_while_frozen_are_not_dropped_ones() -> None:
    frozen, passed = threading.Event(), threading.Event()

    def before(index: int) -> None:
        if index == 30:
            passed.set()
        assert index == 0 or frozen.wait(WAIT_S)

    def before_showing(index: int) -> None:
        if index == 1:
            frozen.set()
            assert passed.wait(WAIT_S)

    screen = ScriptedScreen({0: "space", 4: "space"}, before=before_showing)
    stage = Stage(frames(40, is_live=True, before=before), screen=screen)
    report = stage.run()
    # Frame 0 froze and 1 to 29 passed unseen, of which the last may still have been on their way:
    # one waits for the finder, one is with it, one waits to be drawn. Only those and the ten that
    # came after may have been dropped.
    assert report.dropped_capture <= 13
    assert report.num_shown >= 2


def test_other_keys_go_to_the_controls_and_their_notice_is_shown_for_a_while() -> None:
    stage = Stage(frames(90), screen=ScriptedScreen({2: "c", 4: "7"}))
    stage.run()
    assert stage.controls.pressed == ["c", "7"]
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert notices[3] == "pressed c"
    assert notices[5] == "pressed 7"
    assert notices[-1] == ""


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


def test_arrow_keys_have_the_source_go_back_and_on() -> None:
    asked: list[float] = []
    screen = ScriptedScreen({2: "right", 3: "space", 4: "left"})
    stage = Stage(frames(9), screen=screen, seek=asked.append)
    assert stage.run().num_shown == 9  # frozen, it goes on
    assert asked == [5.0, -5.0]
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert (notices[3], notices[5]) == ("+5 s", "-5 s")


def test_a_source_that_cannot_go_back_says_so() -> None:
    stage = Stage(frames(9), screen=ScriptedScreen({2: "left"}))
    stage.run()
    assert "only a recording" in stage.renderer.scenes[3].stats.notice  # type: ignore[union-attr]


def test_the_first_pictures_have_a_greeting() -> None:
    stage = Stage(frames(90), greeting="? shows the keys")
    stage.run()
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert (notices[0], notices[-1]) == ("? shows the keys", "")


def test_folder_that_cannot_be_written_is_a_notice_not_the_end() -> None:
    class Refusing(FakeControls):
        def open_recording(self, pre_rolls: PreRolls | None = None) -> tuple[Takes, str]:
            raise OutputError("no room to record")

        def save_snapshot(self, canvas: RgbImage) -> str:
            raise OutputError("no room for a picture")

    stage = Stage(frames(10), screen=ScriptedScreen({2: "r", 5: "s"}), controls=Refusing())
    assert stage.run().num_shown == 10
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert notices[3] == "no room to record"
    assert notices[6] == "no room for a picture"


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


@pytest.mark.parametrize("is_watched", [True, False])
def test_a_recording_that_is_too_heavy_keeps_its_speed_by_leaving_frames_out(
    is_watched: bool,
) -> None:
    """To find hands takes three frames' time: a third is shown, and all that is missing counted."""

    def find(index: int) -> tuple[HandRegion, ...]:
        stage.clock.time_ns += 100_000_000
        return (make_hand(),)

    stage = Stage(frames(90), finder=ScriptedFinder(find), is_watched=is_watched)
    start_ns = stage.clock.now_ns()
    report = stage.run()
    if not is_watched:  # what is saved then is to be whole
        assert (report.num_shown, report.dropped_capture) == (90, 0)
        return
    assert stage.clock.now_ns() - start_ns == pytest.approx(3e9, rel=0.35)  # the start is no play
    assert report.num_shown + report.dropped_capture == 90
    assert 20 <= report.num_shown <= 45


def test_the_last_picture_stays_until_a_person_quits() -> None:
    """And its recording has ended: the time that it stays is not of it."""
    sink = ListSink()
    stage = Stage(frames(5), screen=ScriptedScreen({6: "r", 8: "q"}), save_to=sink, stays=True)
    report = stage.run()
    assert len(stage.screen.shown) == 9
    assert report.num_shown == 5
    assert sink.pts == [0, 1, 2, 3, 4]
    last = stage.renderer.scenes[-1]
    assert last.frame.index == 4
    assert last.stats is not None
    assert last.stats.is_ended
    assert stage.controls.recordings == [], "of what has ended nothing more comes"
    assert last.stats.notice.startswith("it has ended")


def test_frames_are_stepped_through_one_by_one_there_and_back() -> None:
    keys = {3: "space", 4: ".", 5: ".", 6: ",", 7: ",", 8: ",", 9: ".", 10: "q"}
    stage = Stage(frames(50), screen=ScriptedScreen(keys))
    stage.run()
    shown = [scene.frame.index for scene in stage.renderer.scenes]
    without_repeats = [shown[0], *(b for a, b in itertools.pairwise(shown) if a != b)]
    assert without_repeats == [0, 1, 2, 3, 4, 5, 4, 3, 2, 3]


def test_escape_closes_what_covers_the_picture_before_it_quits() -> None:
    class Covered(FakeControls):
        is_covered = True

        def dismiss(self) -> bool:
            was_covered, self.is_covered = self.is_covered, False
            return was_covered

    screen = ScriptedScreen({2: "escape", 6: "escape"})
    stage = Stage(frames(50), screen=screen, controls=Covered())
    assert stage.run().num_shown == 7
