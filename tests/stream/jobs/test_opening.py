"""What the live view is given for what the options name."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

from stream.command_line.options import Options
from stream.jobs.opening import open_live_source
from stream.jobs.options import ViewOptions
from stream.sources.options import PartOptions, PictureOptions, SourceOptions
from stream.sources.playing import PlayedSource
from tests.clips import make_clip, number_in, numbered
from tests.stream.reading import read_all
from tests.stream.servers import ClipServer


def test_a_recording_of_a_web_server_goes_back_and_plays_again(tmp_path: Path) -> None:
    """As a file does, within the part that is asked for."""
    clip = make_clip(
        tmp_path / "clip.mp4",
        [numbered(n) for n in range(100)],
        times=range(100),
        time_base=Fraction(1, 25),
        muxer_options={"movflags": "faststart"},
    )
    with ClipServer({"clip.mp4": clip.read_bytes()}) as server:
        source_options = SourceOptions(source=server.url("clip.mp4"))
        part = PartOptions(start_s=1.0, end_s=2.0)
        options = Options("live", (source_options, part, PictureOptions(), ViewOptions()))
        with open_live_source(options, loop=False) as source:
            assert isinstance(source, PlayedSource)

            shown = [read_all(source)]
            for by_s in (-0.2, -math.inf):
                source.seek(by_s)
                shown.append(read_all(source))
    numbers = [[number_in(frame.image) for frame in frames] for frames in shown]
    assert numbers == [[*range(25, 50)], [*range(44, 50)], [*range(25, 50)]]
