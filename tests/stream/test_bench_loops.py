from __future__ import annotations

import pytest

from stream.bench.loops import _export
from stream.bench.stopwatch import TimedParts
from stream.errors import SourceFormatError
from stream.options import BenchOptions
from tests.fakes import (
    FrameRenderer,
    GatedModel,
    ListSink,
    ScriptedFinder,
    ScriptedSource,
    cut_box,
    make_frame,
)


def _parts(num_frames: int) -> TimedParts:
    return TimedParts(
        source=ScriptedSource(make_frame(index) for index in range(num_frames)),
        finder=ScriptedFinder(lambda index: ()),
        cut=cut_box,
        model=GatedModel(),
        renderer=FrameRenderer(),
        sink=ListSink(),
    )


def test_frames_that_were_written_are_counted() -> None:
    _, num_frames, _ = _export(lambda *_: _parts(3), BenchOptions(command="bench", verbose=False))
    assert num_frames == 3


def test_clip_without_a_frame_is_refused() -> None:
    with pytest.raises(SourceFormatError, match="has no frame to measure with"):
        _export(lambda *_: _parts(0), BenchOptions(command="bench", verbose=False))
