"""A recording that plays again and again."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from stream.sources import open_source
from stream.sources.looping import LoopingSource
from tests.clips import make_clip
from tests.fakes import ScriptedSource


def test_times_go_on_as_if_it_were_one_long_recording(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times=[0, 1, 3, 4], time_base=Fraction(1, 25))
    with LoopingSource(lambda: open_source(clip)) as source:
        frames = [source.read() for _ in range(9)]
    times = [frame.pts * frame.time_base for frame in frames if frame is not None]
    steps = [after - before for before, after in pairwise(times)]
    once = [Fraction(n, 25) for n in (1, 2, 1)]
    assert steps[:3] == steps[4:7] == once
    assert Fraction(1, 50) < steps[3] < Fraction(3, 25), "the last frame has a time of its own"
    assert [frame.index for frame in frames if frame is not None] == list(range(9))


def test_a_part_that_begins_later_loses_no_time_between(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times=range(50), time_base=Fraction(1, 25))
    with LoopingSource(lambda: open_source(clip, start_s=1.8)) as source:
        times = [frame.time_s for _ in range(12) if (frame := source.read()) is not None]
    assert max(after - before for before, after in pairwise(times)) < 0.1


def test_it_ends_when_it_is_closed() -> None:
    opened: list[ScriptedSource] = []

    def open_empty() -> ScriptedSource:
        opened.append(ScriptedSource([]))
        return opened[-1]

    source = LoopingSource(open_empty)
    assert source.read() is None  # and does not try for ever
    source.close()
    assert [each.num_closed for each in opened] == [1]
