from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from stream.channel import Channel
from stream.errors import OutputError, SourceLostError, WorkerError
from stream.frames import RgbImage
from stream.geometry import HandCrop, HandRegion
from stream.scene import AttentionMaps, Scene
from stream.standby import PreRolls
from stream.takes import Takes
from tests.fakes import (
    FakeControls,
    FrameRenderer,
    GatedModel,
    ScriptedFinder,
    ScriptedScreen,
    ScriptedSource,
    make_frame,
    make_hand,
)
from tests.stream.stage import Stage, frames
from tests.waits import WAIT_S

pytestmark = pytest.mark.usefixtures("patient_recorders")


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


def test_other_keys_go_to_the_controls_and_their_notice_is_shown_for_a_while() -> None:
    stage = Stage(frames(90), screen=ScriptedScreen({2: "c", 4: "7"}))
    stage.run()
    assert stage.controls.pressed == ["c", "7"]
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert notices[3] == "pressed c"
    assert notices[5] == "pressed 7"
    assert notices[-1] == ""


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


def test_escape_closes_what_covers_the_picture_before_it_quits() -> None:
    class Covered(FakeControls):
        is_covered = True

        def dismiss(self) -> bool:
            was_covered, self.is_covered = self.is_covered, False
            return was_covered

    screen = ScriptedScreen({2: "escape", 6: "escape"})
    stage = Stage(frames(50), screen=screen, controls=Covered())
    assert stage.run().num_shown == 7
