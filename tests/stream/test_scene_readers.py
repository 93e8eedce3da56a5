"""What holds for everything that is made of scenes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stream.frames import Frame
from stream.scene import Scene
from stream.scenes import SceneReader
from stream.sinks.mp4 import Mp4Sink
from stream.video import Video
from tests.clips import video_times
from tests.fakes import TIME_BASE, FrameRenderer, make_hand

Opener = Callable[[Path], SceneReader]


class VideoFile(Video):
    """A video that closes its file, too."""

    def __init__(self, path: Path) -> None:
        self._file = Mp4Sink(path)
        super().__init__(FrameRenderer(), self._file)

    def close(self) -> None:
        super().close()
        self._file.close()


OPENERS: dict[str, tuple[Opener, Callable[[Path], int]]] = {
    "video": (VideoFile, lambda path: len(video_times(path))),
}
"""How each reader is opened, and how many scenes another program finds in what it wrote."""


def _scene(index: int) -> Scene:
    frame = Frame(
        image=np.full((48, 64, 3), 20 * index, np.uint8),
        pts=index,
        time_base=TIME_BASE,
        index=index,
        captured_ns=0,
    )
    return Scene(frame=frame, hands=(make_hand(),) if index % 2 else (), maps={})


@pytest.mark.parametrize("kind", OPENERS)
class TestEveryReader:
    def test_it_keeps_every_scene(self, kind: str, tmp_path: Path) -> None:
        opener, count = OPENERS[kind]
        path = tmp_path / "out.mp4"
        reader = opener(path)
        for index in range(10):
            reader.write(_scene(index))
        reader.close()
        assert count(path) == 10

    def test_closing_twice_is_harmless(self, kind: str, tmp_path: Path) -> None:
        reader = OPENERS[kind][0](tmp_path / "out.mp4")
        reader.write(_scene(0))
        reader.close()
        reader.close()

    def test_no_scene_is_no_failure(self, kind: str, tmp_path: Path) -> None:
        OPENERS[kind][0](tmp_path / "out.mp4").close()

    def test_nothing_is_taken_once_it_is_closed(self, kind: str, tmp_path: Path) -> None:
        reader = OPENERS[kind][0](tmp_path / "out.mp4")
        reader.close()
        with pytest.raises(ValueError, match="closed"):
            reader.write(_scene(0))
