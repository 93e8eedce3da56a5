"""Pictures that a browser hands in."""

from __future__ import annotations

import numpy as np
import pytest

from stream.errors import SourceFormatError
from stream.sinks.jpeg import encode_jpeg
from stream.sources.browser import BrowserSource


def grey(level: int, size_wh: tuple[int, int] = (64, 48)) -> bytes:
    return encode_jpeg(np.full((size_wh[1], size_wh[0], 3), level, np.uint8))


def test_the_newest_picture_wins_and_the_gap_tells() -> None:
    with BrowserSource() as source:
        source.offer(grey(10))
        first = source.read()
        source.offer(grey(100))
        source.offer(grey(200, (32, 64)))
        second = source.read()
    assert first is not None
    assert second is not None
    assert abs(int(first.image[0, 0, 0]) - 10) < 3
    assert abs(int(second.image[0, 0, 0]) - 200) < 3
    assert second.size_wh == (32, 64)
    assert (first.index, second.index) == (0, 2)
    assert (first.pts, second.pts > 0) == (0, True)


def test_closing_ends_it_whatever_waits() -> None:
    source = BrowserSource()
    source.offer(grey(10))
    source.close()
    source.close()
    source.offer(grey(20))
    assert source.read() is None


@pytest.mark.parametrize(
    "sent",
    [b"", b"\xff\xd8\xff", b"GIF89a", grey(10)[:40], b"\xff\xd8" + bytes(1000)],
    ids=["nothing", "a beginning", "a GIF", "a cut JPEG", "zeros"],
)
def test_what_is_no_jpeg_is_told(sent: bytes) -> None:
    with BrowserSource() as source:
        source.offer(sent)
        with pytest.raises(SourceFormatError, match="no JPEG picture"):
            source.read()


def test_a_few_bytes_that_declare_a_huge_picture_are_refused() -> None:
    jpeg = bytearray(grey(10))
    place = jpeg.index(b"\xff\xc0") + 5  # height and width, ITU-T T.81, B.2.2
    jpeg[place : place + 4] = b"\xff\xdc\xff\xdc"
    with BrowserSource() as source:
        source.offer(bytes(jpeg))
        with pytest.raises(SourceFormatError, match="no JPEG picture"):
            source.read()
