"""Memory does not grow with the length of a recording."""

from __future__ import annotations

import os
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from models import load_model
from models.crops import Cropper
from models.hands.finder import MediaPipeHandFinder
from overlays import Style
from overlays.live_view import LiveView
from samples.hand import render_hand
from stream.jobs.tally import Tally
from stream.scene import Scene
from stream.scenes import SceneMaker, Scenes
from stream.sinks.mp4 import Mp4Sink
from stream.sources.file import FileSource
from stream.video import Video

NUM_FRAMES = 10_000
SETTLED_AT = 500
"""By then every library has its buffers."""
MAX_GROWTH_MB = 24.0
"""Noise of the allocators; a leak of one 192 x 192 frame in twenty would be twice that."""


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory as Linux tells it")
def test_exporting_ten_thousand_frames_keeps_memory_flat(tmp_path: Path) -> None:
    hand = render_hand("W", size_px=192, seed=2, handedness="right").image
    clip = tmp_path / "long.mp4"
    with Mp4Sink(clip, frame_rate=Fraction(30), preset="ultrafast") as sink:
        for index in range(NUM_FRAMES):
            picture = np.ascontiguousarray(np.roll(hand, index % 24, axis=1))
            sink.write(picture, index, Fraction(1, 30))

    resident_mb: dict[int, float] = {}

    tally = Tally()

    def note(scene: Scene) -> None:
        tally.count(scene)
        if tally.num_frames % SETTLED_AT == 0:
            resident_mb[tally.num_frames] = _resident_mb()

    with (
        FileSource(clip) as source,
        MediaPipeHandFinder() as finder,
        load_model("dino_vits16", random_weights=True, num_threads=1) as model,
        Mp4Sink(tmp_path / "out.mp4", audio_from=clip, preset="ultrafast") as sink,
    ):
        cut = Cropper(size_px=32, patch_px=model.patch_px)
        maker = SceneMaker(finder=finder, cut=cut, model=model)
        with (
            Scenes(source, maker, stop=threading.Event()) as scenes,
            Video(LiveView(Style()), sink, on_written=note) as video,
        ):
            for scene in scenes:
                video.write(scene)
    print({count: round(size) for count, size in resident_mb.items()})
    assert tally.num_frames == NUM_FRAMES
    assert tally.num_frames_with_hand > 0.9 * NUM_FRAMES
    assert max(resident_mb.values()) - resident_mb[SETTLED_AT] < MAX_GROWTH_MB
