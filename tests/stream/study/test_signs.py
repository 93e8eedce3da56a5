"""Which pictures a study reads, and what it says of those that it cannot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import SourceNotFoundError
from stream.sinks.mp4 import Mp4Sink
from stream.sinks.png import write_png
from stream.sources.options import PictureOptions
from stream.study.signs import Sign, read_signs
from tests.clips import patches
from tests.stream.test_image_folder import with_orientation, write_image


def _read(*inputs: Path | str) -> tuple[list[Sign], list[str]]:
    faults: list[str] = []
    return read_signs([str(name) for name in inputs], PictureOptions(), faults.append), faults


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with Mp4Sink(path, frame_rate=Fraction(10)) as sink:
        for index in range(10):
            sink.write(np.full((32, 48, 3), 20 * index, np.uint8), index, Fraction(1, 10))
    return path


def test_files_folders_and_moments_come_in_order_with_names_of_their_own(
    tmp_path: Path, clip: Path
) -> None:
    folder = tmp_path / "signs"
    folder.mkdir()
    for name in ("10.png", "2.png"):
        write_png(folder / name, patches())
    write_png(tmp_path / "2.png", patches())
    signs, faults = _read(tmp_path / "2.png", folder, f"{clip}@0:00.5")
    assert [sign.name for sign in signs] == ["2", "2 (2)", "10", "clip 0:00.5"]
    assert signs[-1].frame.image.mean() == pytest.approx(100, abs=3)
    assert not faults


def test_what_cannot_be_read_is_said_and_the_others_go_on(tmp_path: Path, clip: Path) -> None:
    write_png(tmp_path / "good.png", patches())
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    (tmp_path / "empty").mkdir()
    missing = tmp_path / "missing.png"
    wrong: list[Path | str] = [
        f"{clip}@99",
        f"{clip}@soon",
        clip,
        tmp_path / "empty",
        tmp_path / "photo.heic",
    ]
    signs, faults = _read(tmp_path / "good.png", *wrong, missing)
    assert [sign.name for sign in signs] == ["good"]
    assert len(faults) == 6
    told = "\n".join(faults)
    assert "99" in told
    assert "'soon' must be seconds" in told
    assert f"{clip} is a video: name a moment of it, as {clip}@1.5" in told
    assert "empty has no picture in it" in told
    assert "photo.heic is no picture to use: it is a HEIC" in told
    assert f"{missing}: no such picture, folder or VIDEO@TIME" in told


def test_nothing_to_read_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="has no picture in it; name a folder of JPEG"):
        _read(tmp_path)


def test_phones_and_16_bits_are_read_as_they_look(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", patches(), "mjpeg", "yuvj444p")
    (tmp_path / "a.jpg").write_bytes(with_orientation((tmp_path / "a.jpg").read_bytes(), 6))
    cv2.imwrite(str(tmp_path / "b.png"), patches()[..., ::-1].astype(np.uint16) * 257)
    (turned, deep), _ = _read(tmp_path / "a.jpg", tmp_path / "b.png")
    difference = np.abs(turned.frame.image.astype(int) - np.rot90(patches(), -1))
    assert np.median(difference) <= 2
    assert np.abs(deep.frame.image.astype(int) - patches()).max() <= 1
