"""How a recording begins: it plays once frames wait behind its first picture."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from stream.frames import RgbImage
from stream.geometry import HandRegion
from stream.live import FILL_S
from stream.located_frames import MAX_WAITING
from tests.fakes import ScriptedFinder, ScriptedScreen
from tests.stream.stage import Stage, frames
from tests.waits import WAIT_S


class RepeatingScreen(ScriptedScreen):
    """Tells when its first canvas is shown again, as where the next one keeps people waiting."""

    def __init__(
        self, key: str | None = None, *, before: Callable[[int], None] = lambda index: None
    ) -> None:
        super().__init__(before=before)
        self._key = key
        self.has_repeated = threading.Event()

    def show(self, canvas: RgbImage, wait_s: float) -> str | None:
        repeats = len(self.shown) == 1 and canvas is self.shown[0]
        pressed = super().show(canvas, wait_s)
        if repeats:
            self.has_repeated.set()
            return self._key
        return pressed


def test_recording_plays_once_frames_wait_to_be_shown() -> None:
    """Hands are found slowly at first: the next frames would come late, one after the other."""
    screen = RepeatingScreen()

    def find(index: int) -> tuple[HandRegion, ...]:
        if 0 < index <= MAX_WAITING:
            assert screen.has_repeated.wait(WAIT_S)
            stage.clock.time_ns += 100_000_000
        return ()

    stage = Stage(frames(10), finder=ScriptedFinder(find), screen=screen)
    report = stage.run()
    assert report.num_shown == 10
    assert report.late_p95_ms == pytest.approx(0.0, abs=1e-3)
    # Nor does the rate on the picture count the wait.
    last = stage.renderer.scenes[-1].stats
    assert last is not None
    assert last.fps_shown == pytest.approx(30.0, rel=0.01)


def test_recording_does_not_wait_for_long_where_frames_come_slowly() -> None:
    """Its second picture is shown although no third one waits, which comes after that only."""
    second_shown = threading.Event()

    def before(index: int) -> None:
        if index == 1:
            second_shown.set()

    def find(index: int) -> tuple[HandRegion, ...]:
        if index == 2:
            assert screen.has_repeated.wait(WAIT_S)
            stage.clock.time_ns += round(FILL_S * 1e9)
            assert second_shown.wait(WAIT_S)
        return ()

    screen = RepeatingScreen(before=before)
    stage = Stage(frames(10), finder=ScriptedFinder(find), screen=screen)
    assert stage.run().num_shown == 10


def test_keys_are_heard_before_a_recording_plays() -> None:
    screen = RepeatingScreen("q")

    def find(index: int) -> tuple[HandRegion, ...]:
        assert index == 0 or screen.has_repeated.wait(WAIT_S)
        return ()

    stage = Stage(frames(20), finder=ScriptedFinder(find), screen=screen)
    assert stage.run().num_shown == 1
