"""What holds for every sink, whatever it writes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.protocols import Sink
from stream.sinks.mp4 import Mp4Sink
from tests.clips import make_clip, numbered, video_times

TICK = Fraction(1, 1000)
Opener = Callable[[Path], Mp4Sink]


def beside_sound(path: Path) -> Mp4Sink:
    sound = make_clip(path.with_name("sound.mp4"), num_frames=30, audio_codec="aac")
    return Mp4Sink(path, audio_from=sound)


OPENERS: dict[str, Opener] = {
    "mp4": Mp4Sink,
    "mp4 beside sound": beside_sound,
    "mp4 without loss": lambda path: Mp4Sink(path, crf=0, preset="ultrafast"),
}


@pytest.fixture(params=OPENERS)
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    opener: Opener = OPENERS[request.param]
    return opener(tmp_path / "out.mp4")


class TestEverySink:
    def test_it_keeps_every_canvas_at_its_time(self, sink: Sink, tmp_path: Path) -> None:
        times = [0, 40, 95, 96, 500]
        with sink:
            for number, pts in enumerate(times):
                sink.write(numbered(number), pts, TICK)
        assert video_times(tmp_path / "out.mp4") == [pts * TICK for pts in times]

    def test_the_canvas_may_be_drawn_on_again(self, sink: Sink, tmp_path: Path) -> None:
        canvas = numbered(0).copy()
        with sink:
            for pts in range(5):
                sink.write(canvas, pts, TICK)
                canvas[:] = 255 - canvas
        assert len(video_times(tmp_path / "out.mp4")) == 5

    def test_the_canvas_is_left_as_it_was(self, sink: Sink) -> None:
        canvas = numbered(77, 191, 127)
        before = canvas.copy()
        canvas.flags.writeable = False
        with sink:
            sink.write(canvas, 0, TICK)
        np.testing.assert_array_equal(canvas, before)

    def test_closing_twice_is_harmless(self, sink: Sink, tmp_path: Path) -> None:
        sink.write(numbered(0), 0, TICK)
        sink.close()
        sink.close()
        assert video_times(tmp_path / "out.mp4") == [0]

    def test_an_exception_keeps_what_was_written(self, sink: Sink, tmp_path: Path) -> None:
        def fail() -> None:
            with sink:
                sink.write(numbered(0), 0, TICK)
                raise RuntimeError("the renderer failed")

        with pytest.raises(RuntimeError, match="the renderer failed"):
            fail()
        assert video_times(tmp_path / "out.mp4") == [0]

    def test_time_must_go_on(self, sink: Sink) -> None:
        with sink:
            sink.write(numbered(0), 10, TICK)
            with pytest.raises(ValueError, match="must increase"):
                sink.write(numbered(1), 9, TICK)
