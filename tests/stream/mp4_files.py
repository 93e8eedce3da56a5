"""MP4 files written for a test, and what other readers find in them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stream.sinks.mp4 import Mp4Sink
from stream.sources.file import FileSource
from tests.clips import TIME_BASE, number_in, numbered
from tests.waits import PROCESS_S

__all__ = ["boxes_of", "copy_video", "numbers_of", "probe", "write_numbers"]


def write_numbers(sink: Mp4Sink, times: Iterable[int], time_base: Fraction = TIME_BASE) -> None:
    for number, pts in enumerate(times):
        sink.write(numbered(number), pts, time_base)


def copy_video(
    source_path: Path,
    target: Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    max_frames: int | None = None,
) -> list[str]:
    """Encode every frame again beside the source's sound; return the sink's warnings."""
    with FileSource(source_path, start_s=start_s, end_s=end_s, max_frames=max_frames) as source:
        sink = Mp4Sink(
            target,
            frame_rate=source.info.frame_rate,
            audio_from=source_path,
            start_s=start_s,
            end_s=end_s,
        )
        with sink:
            while (frame := source.read()) is not None:
                sink.write(frame.image, frame.pts, frame.time_base, frame.duration)
    return sink.warnings


def numbers_of(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [
            number_in(np.asarray(picture.to_ndarray(format="rgb24"), np.uint8))
            for picture in container.decode(video=0)
        ]


def boxes_of(path: Path) -> list[str]:
    """Return the types of a file's top-level boxes (ISO/IEC 14496-12)."""
    content, at, boxes = path.read_bytes(), 0, []
    while at + 8 <= len(content):
        boxes.append(content[at + 4 : at + 8].decode("latin-1"))
        size = int.from_bytes(content[at : at + 4], "big")
        at += int.from_bytes(content[at + 8 : at + 16], "big") if size == 1 else size
    return boxes


def probe(path: Path, *what: str) -> dict[str, Any]:
    """Return what ffprobe, the second reader, says of a file."""
    if not shutil.which("ffprobe"):
        pytest.skip("ffprobe is not installed, so there is no second reader to ask")
    run = subprocess.run(
        ["ffprobe", "-v", "error", *what, "-of", "json", str(path)],
        check=True,
        capture_output=True,
        timeout=PROCESS_S,
    )
    assert run.stderr == b""
    result: dict[str, Any] = json.loads(run.stdout)
    return result
