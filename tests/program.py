"""Running the program in tests: clips to run it on, and readers of what it wrote."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from run_live import main
from samples.hand import render_hand
from stream.frames import RgbImage
from stream.sinks.mp4 import Mp4Sink

__all__ = [
    "LONG_STEP_S",
    "PTS",
    "QUICK",
    "SIDECAR",
    "TIME_BASE",
    "decoded",
    "fails",
    "num_played",
    "write_hand_clip",
    "write_long_clip",
]

TIME_BASE = Fraction(1, 600)
PTS = [0, 24, 48, 60, 96, 120, 144, 168]
"""A variable frame rate: two steps are not of 24 ticks."""
LONG_STEP_S = Fraction(1, 10)
"""Between two frames of the long clip, which no test outlives."""
QUICK = ["--random-weights", "--crop-size", "32"]
"""A model that costs little: its maps mean nothing, as they say."""

SIDECAR = {
    "frames": 1,
    "frames_with_hand": 0,
    "hands": {"left": 0, "right": 0},
    "model": "dino_vits16",
    "weights_sha256": None,
    "source_sha256": None,
    "options": {"source": "clip.mp4"},
    "versions": {"signlight": "0.1"},
    "seconds": 1.0,
    "warnings": [],
}
"""What stands beside an earlier export."""


def write_hand_clip(path: Path) -> None:
    """Write a rendered right hand, 8 frames of 256 x 256 at times that vary."""
    hand = render_hand("L", size_px=256, seed=4, handedness="right").image
    with Mp4Sink(path, frame_rate=Fraction(25)) as sink:
        for shift, pts in enumerate(PTS):
            sink.write(np.ascontiguousarray(np.roll(hand, 2 * shift, axis=1)), pts, TIME_BASE)


def write_long_clip(path: Path) -> None:
    """Write 4000 small frames of noise, 400 s of them: enough to be interrupted in the middle."""
    noise = np.random.default_rng(1).integers(0, 256, (10, 48, 64, 3), np.uint8)
    with Mp4Sink(path, frame_rate=1 / LONG_STEP_S, preset="ultrafast") as sink:
        for index in range(4000):
            sink.write(noise[index % 10], index, LONG_STEP_S)


def decoded(path: Path) -> tuple[list[Fraction], list[RgbImage]]:
    """Return times and pictures of an MP4."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return (
            [frame.pts * Fraction(frame.time_base) for frame in frames],
            [frame.to_ndarray(format="rgb24") for frame in frames],
        )


def num_played(path: Path) -> int:
    """Return how many frames a player shows, which skips a packet that was cut short."""
    num_frames = 0
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            with suppress(av.error.InvalidDataError):
                num_frames += len(packet.decode())
    return num_frames


def fails(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> str:
    """Run the program, expect exit code 1 and one line on stderr; return the line."""
    capsys.readouterr()
    assert main([str(argument) for argument in argv]) == 1
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.strip()]
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("signlight: ")
    assert captured.out == ""
    return lines[0]
