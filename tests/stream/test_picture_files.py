"""Picture files, read in one way by everything that reads them."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import SourceFormatError
from stream.sinks.png import write_png
from stream.sources.picture_files import PictureReader
from tests.clips import patches
from tests.stream.test_image_folder import with_orientation, write_image
from tests.stream.test_untrusted_files import huge_png


def test_what_was_written_is_read_to_the_bit(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (33, 47, 3)).astype(np.uint8)
    write_png(tmp_path / "a.png", image)
    np.testing.assert_array_equal(PictureReader().read(tmp_path / "a.png"), image)


def test_labels_of_a_mask_keep_their_numbers(tmp_path: Path) -> None:
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    cv2.imwrite(str(tmp_path / "mask.png"), labels)
    read = PictureReader().read(tmp_path / "mask.png")
    np.testing.assert_array_equal(read, labels[..., None].repeat(3, axis=2))


def test_pictures_of_a_phone_are_turned_upright(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg", patches(), "mjpeg", "yuvj444p")
    (tmp_path / "a.jpg").write_bytes(with_orientation((tmp_path / "a.jpg").read_bytes(), 6))
    turned = PictureReader().read(tmp_path / "a.jpg")
    assert np.median(np.abs(turned.astype(int) - np.rot90(patches(), -1))) <= 2


def test_transparent_pixels_lie_over_black(tmp_path: Path) -> None:
    picture = np.full((8, 8, 4), (10, 20, 200, 255), np.uint8)  # OpenCV's order
    picture[:, 4:, 3] = 0
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    read = PictureReader().read(tmp_path / "a.png")
    assert (read[:, :4] == (200, 20, 10)).all()
    assert not read[:, 4:].any()


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_jpeg_2000_is_no_picture_whatever_its_name(tmp_path: Path, name: str) -> None:
    made, content = cv2.imencode(".jp2", patches())
    if not made:
        pytest.skip("this OpenCV cannot make JPEG 2000")
    (tmp_path / name).write_bytes(content.tobytes())
    with pytest.raises(SourceFormatError, match=f"{name} is no picture to use: it cannot be read"):
        PictureReader().read(tmp_path / name)


def test_what_declares_more_pixels_than_there_is_memory_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(huge_png(16_000))
    with pytest.raises(SourceFormatError, match="its 16000 x 16000 pixels are more than"):
        PictureReader().read(tmp_path / "bomb.png")


@pytest.mark.parametrize("size", range(24))
def test_beginnings_of_files_are_refused_in_one_way(tmp_path: Path, size: int) -> None:
    begin = b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0"
    (tmp_path / "a.webp").write_bytes(begin[:size])
    with pytest.raises(SourceFormatError, match=r"a\.webp is no picture to use"):
        PictureReader().read(tmp_path / "a.webp")


def test_a_file_of_more_bytes_than_pixels_can_have_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(SourceFormatError, match="bytes are more than"):
        PictureReader().read(tmp_path / "sparse.png")


def test_nobody_waits_for_a_pipe(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert PictureReader().try_read(tmp_path / "a.png") is None
    assert f"left out: {tmp_path / 'a.png'} is no picture to use: it is no file" in caplog.text
