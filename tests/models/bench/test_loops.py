from __future__ import annotations

from collections.abc import Callable

import pytest

from models.bench.exports import _export, _run_alone
from models.bench.loops import Witness
from models.bench.stopwatch import STAGES, TimedParts
from stream.command_line.options import Options
from stream.errors import SourceFormatError
from stream.geometry import HandRegion
from tests.fakes import (
    FakeClock,
    FrameRenderer,
    GatedModel,
    ListSink,
    ScriptedFinder,
    ScriptedSource,
    cut_box,
    make_frame,
    make_hand,
)

HANDS = (make_hand(0), make_hand(1))


def _parts(
    num_frames: int, model: GatedModel | None = None, hands: tuple[HandRegion, ...] = HANDS
) -> TimedParts:
    return TimedParts(
        source=ScriptedSource(make_frame(index) for index in range(num_frames)),
        finder=ScriptedFinder(lambda index: hands),
        cut=cut_box,
        model=model or GatedModel(),
        renderer=FrameRenderer(),
        sink=ListSink(),
    )


def test_frames_that_were_written_are_counted() -> None:
    _, report = _export(lambda *_: _parts(3), Options("bench"))
    assert report.num_frames == 3


@pytest.mark.parametrize("at_once", [1, 3, 20])
def test_model_alone_gets_the_groups_of_an_export(at_once: int) -> None:
    def seen(run: Callable[[TimedParts], object]) -> list[list[int]]:
        model = GatedModel(frames_at_once=at_once)
        run(_parts(50, model))
        return model.seen

    def export(parts: TimedParts) -> None:
        _export(lambda *_: parts, Options("bench"))

    groups = seen(_run_alone)
    assert groups == seen(export)
    assert len(groups[0]) == 2 * at_once  # two hands


def test_each_stage_has_a_time_for_each_frame() -> None:
    parts = _parts(50, GatedModel(frames_at_once=3))
    times_ms = _run_alone(parts)
    assert {name: len(times) for name, times in times_ms.items()} == dict.fromkeys(STAGES, 50)
    assert len(parts.watches["crop"].walls_ns) == 100, "two hands a frame"
    for name in ("crop", "attention"):
        assert sum(times_ms[name]) == pytest.approx(sum(parts.watches[name].walls_ns) / 1e6)
    assert times_ms["attention"][0] == times_ms["attention"][1] == times_ms["attention"][2]
    assert 1e6 * sum(times_ms["attention"][:3]) == pytest.approx(
        parts.watches["attention"].walls_ns[0]
    )


def test_frames_without_a_hand_cost_no_map() -> None:
    times_ms = _run_alone(_parts(3, hands=()))
    assert times_ms["crop"] == times_ms["attention"] == [0.0, 0.0, 0.0]


def test_clip_without_a_frame_is_refused() -> None:
    with pytest.raises(SourceFormatError, match="has no frame to measure with"):
        _export(lambda *_: _parts(0), Options("bench"))


def test_pictures_after_the_first_tell_how_a_recording_plays() -> None:
    clock = FakeClock()
    witness = Witness(clock)
    canvas = make_frame(0).image
    begun_ns = clock.now_ns()
    for due_ms, shown_ms in ((0, 30), (1000, 1000), (1100, 1104), (1200, 1250), (1300, 1300)):
        witness.sleep_until(begun_ns + due_ms * 1_000_000)
        clock.time_ns = begun_ns + shown_ms * 1_000_000
        witness.show(canvas, 0.0)
        witness.show(canvas, 0.0)  # again, so that keys are heard
    assert witness.shown[0].at_ns - begun_ns == 30_000_000
    assert witness.late_ms == [0, 4, 50, 0]
    assert witness.gaps_ms == [104, 146, 50]
    assert witness.shown_per_s == pytest.approx(10)


def test_recording_of_two_pictures_has_no_rate() -> None:
    witness = Witness(FakeClock())
    for due_ns in (0, 1):
        witness.sleep_until(due_ns)
        witness.show(make_frame(0).image, 0.0)
    assert witness.shown_per_s is None
    assert len(witness.late_ms) == 1
