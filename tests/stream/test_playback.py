"""What a person plays of a source: frozen, stepped through, gone back in, played again."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

import pytest

from stream.frames import RgbImage
from stream.geometry import HandCrop
from stream.scene import AttentionMaps
from stream.sources.playing import PlayedSource
from tests.fakes import (
    GatedModel,
    ListSink,
    ScriptedScreen,
)
from tests.stream.stage import Stage, frames
from tests.waits import WAIT_S

pytestmark = pytest.mark.usefixtures("patient_recorders")


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


def test_what_was_frozen_for_long_is_not_lost_when_it_goes_on() -> None:
    goes_on, has_waited = threading.Event(), threading.Event()

    class Screen(ScriptedScreen):
        num_waits = 0

        def show(self, canvas: RgbImage, wait_s: float) -> str | None:
            self.num_waits += goes_on.is_set()
            if self.num_waits == 3:  # without a frame meanwhile
                has_waited.set()
            key = super().show(canvas, wait_s)
            if len(self.shown) == 3 and key:
                goes_on.set()
            return key

    def before_showing(index: int) -> None:
        if index == 2:
            stage.clock.time_ns += 60_000_000_000

    def before(index: int) -> None:
        assert index == 0 or has_waited.wait(WAIT_S)

    screen = Screen({0: "space", 2: "space"}, before=before_showing)
    stage = Stage(frames(2, is_live=True, before=before), screen=screen)
    assert stage.run().num_shown == 2
    assert not [scene for scene in stage.renderer.scenes if scene.stats and scene.stats.lost_s]


def test_arrow_keys_have_the_source_go_back_and_on() -> None:
    class Player:
        is_sought = False

        def __init__(self) -> None:
            self.asked_s: list[float] = []

        def seek(self, by_s: float) -> None:
            self.asked_s.append(by_s)

    player = Player()
    screen = ScriptedScreen({2: "right", 3: "space", 4: "left"})
    stage = Stage(frames(9), screen=screen, player=player)
    assert stage.run().num_shown == 9  # frozen, it goes on
    assert player.asked_s == [5.0, -5.0]
    notices = [scene.stats.notice for scene in stage.renderer.scenes if scene.stats]
    assert (notices[3], notices[5]) == ("+5 s", "-5 s")


def test_a_source_that_cannot_go_back_says_so() -> None:
    stage = Stage(frames(9), screen=ScriptedScreen({2: "left"}))
    stage.run()
    assert "only a file" in stage.renderer.scenes[3].stats.notice  # type: ignore[union-attr]


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


@pytest.mark.parametrize(("key", "notice"), [("left", "-5 s"), ("space", "from the beginning")])
def test_at_the_end_a_recording_plays_again(key: str, notice: str) -> None:
    """Even if that was stepped to; and what is played again can be recorded."""
    keys = {2: "space", 3: ".", 4: ".", 5: ".", 6: "right", 7: key, 9: "r"}
    screen = ScriptedScreen({**keys, 20: "q"})
    source = PlayedSource(lambda start_s: frames(5))
    stage = Stage(source, screen=screen, stays=True, player=source)
    assert stage.run().num_shown == 10
    scenes = stage.renderer.scenes
    greys = [int(scene.frame.image[0, 0, 0]) for scene in scenes]
    assert greys[:14] == [0, 1, 2, 2, 3, 4, 4, 4, 0, 1, 2, 3, 4, 4]
    signs = [(scene.stats.is_frozen, scene.stats.is_ended) for scene in scenes if scene.stats]
    assert signs[3:9] == [(True, False)] * 3 + [(False, True)] * 2 + [(False, False)]
    assert signs[-1] == (False, True)
    notices = [scene.stats.notice for scene in scenes if scene.stats]
    assert notices[6:9] == ["space plays it again", "it has ended", notice]
    (part,) = stage.controls.recordings
    assert part.overlay.pts == [0, 1, 2, 3]


def test_frames_are_stepped_through_one_by_one_there_and_back() -> None:
    keys = {3: "space", 4: ".", 5: ".", 6: ",", 7: ",", 8: ",", 9: ".", 10: "q"}
    stage = Stage(frames(50), screen=ScriptedScreen(keys))
    stage.run()
    shown = [scene.frame.index for scene in stage.renderer.scenes]
    without_repeats = [shown[0], *(b for a, b in itertools.pairwise(shown) if a != b)]
    assert without_repeats == [0, 1, 2, 3, 4, 5, 4, 3, 2, 3]


def test_to_go_back_in_the_last_moment_is_no_end() -> None:
    """All is read then, and nothing looks at the source any more."""
    is_read = threading.Event()

    def read(index: int) -> None:
        if index == 3:
            is_read.set()

    def before(index: int) -> None:
        assert index != 2 or is_read.wait(WAIT_S)

    screen = ScriptedScreen({1: "r", 2: "left", 6: "q"}, before=before)
    source = PlayedSource(lambda start_s: frames(3, before=read))
    stage = Stage(source, screen=screen, stays=True, player=source)
    assert stage.run().num_shown == 6
    stats = [scene.stats for scene in stage.renderer.scenes if scene.stats]
    assert [each.is_ended for each in stats] == [False] * 6 + [True]
    (part,) = stage.controls.recordings
    assert part.overlay.pts == [0, 1, 2, 3, 4]


def test_a_key_that_is_held_down_steps_through_a_whole_recording() -> None:
    keys = {1: "space"} | dict.fromkeys(range(2, 700), ".")
    stage = Stage(frames(600), screen=ScriptedScreen(keys))
    assert stage.run().num_shown == 600
