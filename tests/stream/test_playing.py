"""A recording that plays forward and back, and again."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from stream.frames import Frame
from stream.protocols import Source
from stream.sources import open_source
from stream.sources.playing import PlayedSource
from tests.clips import make_clip, number_in, numbered
from tests.fakes import ScriptedSource


def test_times_go_on_as_if_it_were_one_long_recording(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times=[0, 1, 3, 4], time_base=Fraction(1, 25))
    with PlayedSource(lambda start_s: open_source(clip, start_s=start_s), loops=True) as source:
        frames = [source.read() for _ in range(9)]
    times = [frame.pts * frame.time_base for frame in frames if frame is not None]
    steps = [after - before for before, after in pairwise(times)]
    once = [Fraction(n, 25) for n in (1, 2, 1)]
    assert steps[:3] == steps[4:7] == once
    assert Fraction(1, 50) < steps[3] < Fraction(3, 25), "the last frame has a time of its own"
    assert [frame.index for frame in frames if frame is not None] == list(range(9))


def test_a_part_that_begins_later_loses_no_time_between(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", times=range(50), time_base=Fraction(1, 25))
    with PlayedSource(
        lambda start_s: open_source(clip, start_s=start_s or 1.8), loops=True
    ) as source:
        times = [frame.time_s for _ in range(12) if (frame := source.read()) is not None]
    assert max(after - before for before, after in pairwise(times)) < 0.1


def test_it_ends_when_it_is_closed() -> None:
    opened: list[ScriptedSource] = []

    def open_empty(start_s: float | None) -> ScriptedSource:
        opened.append(ScriptedSource([]))
        return opened[-1]

    source = PlayedSource(open_empty, loops=True)
    assert source.read() is None  # and does not try for ever
    source.close()
    assert [each.num_closed for each in opened] == [1]


def test_it_goes_back_and_on_while_times_go_on(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        [numbered(n) for n in range(100)],
        times=range(100),
        time_base=Fraction(1, 25),
    )
    given: list[Frame] = []

    def read(source: PlayedSource, count: int) -> list[int]:
        frames = [frame for _ in range(count) if (frame := source.read()) is not None]
        given.extend(frames)
        return [number_in(frame.image) for frame in frames]

    with PlayedSource(lambda start_s: open_source(clip, start_s=start_s)) as source:
        assert read(source, 3) == [0, 1, 2]
        source.seek(2)
        assert read(source, 2) == [52, 53]
        source.seek(-1)
        assert read(source, 2) == [28, 29]
        source.seek(-5)
        assert read(source, 2) == [0, 1]
        source.seek(1)
        source.seek(1)
        assert read(source, 1) == [51]
        source.seek(50)
        assert source.read() is None
        source.seek(-1)
        assert read(source, 1) == [26], "from its end, too"
        source.seek(-math.inf)
        assert read(source, 2) == [0, 1]
    assert [frame.pts * frame.time_base * 25 for frame in given] == [*range(13)]
    assert [frame.index for frame in given] == [*range(13)]


def test_it_stays_within_the_frames_asked_for(tmp_path: Path) -> None:
    """Wherever it goes: they are counted from the part's beginning, at a rate that varies."""
    times = [*range(0, 100, 2), *range(100, 160)]
    clip = make_clip(
        tmp_path / "clip.mp4",
        [numbered(n) for n in range(len(times))],
        times=times,
        time_base=Fraction(1, 25),
    )

    def read(source: PlayedSource, count: int = -1) -> list[int]:
        frames = [*itertools.islice(iter(source.read, None), count if count >= 0 else None)]
        pictures_s.extend(frame.time_s for frame in frames)
        return [number_in(frame.image) for frame in frames]

    pictures_s: list[float] = []

    def played(*, loops: bool = False) -> PlayedSource:
        return PlayedSource(
            lambda start_s: open_source(clip, start_s=start_s or 0.8),
            begin_s=0.8,
            max_frames=60,
            loops=loops,
        )

    with played() as source:
        assert read(source, 5) == [10, 11, 12, 13, 14]
        source.seek(2)
        assert read(source, 3) == [39, 40, 41]
        source.seek(-1)
        assert read(source, 2) == [29, 30]
        source.seek(0.4)
        assert read(source) == [*range(35, 70)]
    steps = [after - before for before, after in pairwise(pictures_s)]
    assert max(steps) < 0.1, "what is passed over takes no time"
    with played(loops=True) as source:
        assert read(source, 1) == [10]
        source.seek(5)
        assert read(source, 61) == [*range(10, 70), 10]
    with played() as source:
        assert read(source, 1) == [10]
        source.seek(5)
        assert read(source) == []


def test_beyond_its_end_it_begins_again_where_it_is_to(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        [numbered(n) for n in range(50)],
        times=range(50),
        time_base=Fraction(1, 25),
    )

    def open_from(start_s: float | None) -> Source:
        return open_source(clip, start_s=start_s or 1.0)

    with PlayedSource(open_from, begin_s=1.0, loops=True) as source:
        numbers = []
        for by_s in (0, 5, 0, -5):
            source.seek(by_s)
            frame = source.read()
            assert frame is not None
            numbers.append(number_in(frame.image))
    assert numbers == [25, 25, 26, 25]
