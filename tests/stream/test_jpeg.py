"""JPEG files of pages, read back by another library."""

from __future__ import annotations

import av
import numpy as np
import pytest

from stream.errors import SinkError
from stream.frames import RgbImage
from stream.sinks.jpeg import encode_jpeg, encode_thumbnail

RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves() -> RgbImage:
    """A picture whose left half is red, its right half blue."""
    picture = np.empty((48, 97, 3), np.uint8)
    picture[:, :48], picture[:, 48:] = RED, BLUE
    return picture


def read(jpeg: bytes) -> RgbImage:
    (picture,) = av.CodecContext.create("mjpeg", "r").decode(av.Packet(jpeg))
    return np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)


def test_colours_and_size_are_those_of_the_picture() -> None:
    shown = read(encode_jpeg(halves()))
    assert shown.shape == (48, 97, 3)
    np.testing.assert_allclose(shown[24, 10], RED, atol=12)
    np.testing.assert_allclose(shown[24, 90], BLUE, atol=12)


def test_a_thumbnail_shows_its_square_and_black_beyond_the_picture() -> None:
    shown = read(encode_thumbnail(halves(), (-24, 0, 24, 48), 64))
    assert shown.shape == (64, 64, 3)
    np.testing.assert_allclose(shown[32, 8], (0, 0, 0), atol=12)
    np.testing.assert_allclose(shown[32, 56], RED, atol=12)


def test_what_no_jpeg_can_hold_is_refused_in_one_line() -> None:
    with pytest.raises(SinkError, match="70000 x 2"):
        encode_jpeg(np.zeros((2, 70_000, 3), np.uint8))
