"""Folders of pictures."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from stream.errors import SourceFormatError, SourceNotFoundError
from stream.frames import RgbImage
from stream.sinks.png import write_png
from stream.sources.images import ImageFolderSource
from tests.clips import COLOURS, make_clip, number_in, numbered, patches


def write_image(path: Path, image: RgbImage, codec: str, pix_fmt: str) -> None:
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.height, encoder.width = image.shape[:2]
    encoder.pix_fmt = pix_fmt
    encoder.time_base = Fraction(1, 25)
    if codec == "mjpeg":
        encoder.color_range = 2
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
        format=pix_fmt, dst_color_range="JPEG"
    )
    frame.pts = 0
    path.write_bytes(b"".join(map(bytes, [*encoder.encode(frame), *encoder.encode(None)])))


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG with an EXIF block that holds the one entry 0x0112 (Exif 2.3, 4.6.4)."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\x00" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    block = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def numbers_in(folder: Path) -> list[int]:
    with ImageFolderSource(folder) as source:
        numbers = []
        while (frame := source.read()) is not None:
            numbers.append(number_in(frame.image))
    return numbers


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    names = ["a 1.png", "a 2.PNG", "a 10.png", "B 1.png", "b 02.png", "c.png"]
    for number, name in enumerate(names):
        write_png(tmp_path / name, numbered(number))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "folder.png").mkdir()
    assert numbers_in(tmp_path) == list(range(6))


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.jpg", "mjpeg", "yuvj444p"),
        ("a.jpeg", "mjpeg", "yuvj444p"),
        ("a.png", "png", "rgb24"),
        ("a.bmp", "bmp", "bgr24"),
        ("a.tif", "tiff", "rgb24"),
        ("a.tiff", "tiff", "rgb24"),
        ("a.webp", "libwebp", "bgra"),
        ("wrong name.jpg", "png", "rgb24"),
        ("a %03d.png", "png", "rgb24"),
    ],
)
def test_every_format(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot make {codec} pictures")
    write_image(tmp_path / name, patches(), codec, pix_fmt)
    with ImageFolderSource(tmp_path) as source:
        frame = source.read()
    assert frame is not None
    assert np.median(np.abs(frame.image.astype(int) - patches())) <= 2


def test_grey_pictures_become_rgb(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", numbered(5), "png", "gray")
    with ImageFolderSource(tmp_path) as source:
        frame = source.read()
    assert frame is not None
    np.testing.assert_allclose(frame.image, numbered(5), atol=1)


def test_transparent_palette_pictures_lie_over_black(tmp_path: Path) -> None:
    """A palette of two colours (PNG, 11.2.3), the second half transparent (11.3.2.1)."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes([200, 40, 40, 40, 180, 60])),
        (b"tRNS", bytes([255, 128])),
        (b"IDAT", zlib.compress((b"\0" + b"\0" * 4 + b"\1" * 4) * 8)),
        (b"IEND", b""),
    ]
    png = b"\x89PNG\r\n\x1a\n"
    for name, content in chunks:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        png += struct.pack(">I", len(content)) + name + content + checksum
    (tmp_path / "a.png").write_bytes(png)
    with ImageFolderSource(tmp_path) as source:
        frame = source.read()
    assert frame is not None
    np.testing.assert_allclose(frame.image[4, [1, 6]], [[200, 40, 40], [20, 90, 30]], atol=1)


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, patches()),
        (2, patches()[:, ::-1]),
        (3, np.rot90(patches(), 2)),
        (4, patches()[::-1]),
        (5, patches().swapaxes(0, 1)),
        (6, np.rot90(patches(), -1)),
        (7, np.rot90(patches(), 2).swapaxes(0, 1)),
        (8, np.rot90(patches(), 1)),
    ],
)
def test_exif_orientation(tmp_path: Path, orientation: int, expected: RgbImage) -> None:
    write_image(tmp_path / "a.jpg", patches(), "mjpeg", "yuvj444p")
    jpeg = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(with_orientation(jpeg, orientation))
    with ImageFolderSource(tmp_path) as source:
        frame = source.read()
    assert frame is not None
    assert frame.image.shape == expected.shape
    assert np.median(np.abs(frame.image.astype(int) - expected)) <= 2


def test_pictures_may_differ_in_size(tmp_path: Path) -> None:
    write_png(tmp_path / "1.png", patches(32, 16))
    write_png(tmp_path / "2.png", patches(17, 33))
    with ImageFolderSource(tmp_path) as source:
        assert source.info.size_wh == (32, 16)
        sizes = [frame.size_wh for _ in range(2) if (frame := source.read()) is not None]
    assert sizes == [(32, 16), (17, 33)]


def test_one_that_cannot_be_read_leaves_a_gap_and_a_word(tmp_path: Path) -> None:
    for number in range(4):
        write_png(tmp_path / f"{number}.png", numbered(number))
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "2.png").write_bytes(b"")
    with ImageFolderSource(tmp_path) as source:
        frames = [frame for _ in range(2) if (frame := source.read()) is not None]
        assert source.read() is None
        assert [line.split(" ")[0] for line in source.warnings] == ["1.png", "2.png"]
    assert [(frame.index, frame.pts) for frame in frames] == [(0, 0), (3, 3)]
    assert number_in(frames[1].image) == 3


def test_pictures_of_other_formats_are_named(tmp_path: Path) -> None:
    write_png(tmp_path / "1.png", numbered(1))
    make_clip(tmp_path / "film.mp4", num_frames=3).rename(tmp_path / "2.jpg")
    (tmp_path / "3.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    header = b"WEBPVP8X" + struct.pack("<IB", 10, 0x02) + bytes(9) + b"ANIM"
    (tmp_path / "4.webp").write_bytes(b"RIFF" + struct.pack("<I", len(header)) + header)
    with ImageFolderSource(tmp_path) as source:
        assert source.read() is not None
        assert source.read() is None
        heic, film, webp = source.warnings
    assert heic.startswith("3.HEIC is left out: .HEIC pictures are not read; save")
    assert film.startswith("2.jpg is left out: it is a HEIC or AVIF picture or a film")
    assert webp.startswith("4.webp is left out: it is an animated WebP")


def test_a_folder_of_unread_pictures_says_why(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(SourceFormatError, match=r"IMG_1\.HEIC is left out: .*as JPEG or PNG"):
        ImageFolderSource(tmp_path)


@pytest.mark.parametrize(("suffix", "codec"), [("gif", "gif"), ("apng", "apng")])
def test_of_an_animation_the_first_picture_is_used(tmp_path: Path, suffix: str, codec: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    pix_fmt = "rgb8" if codec == "gif" else "rgb24"
    clip = make_clip(
        tmp_path / f"a.{suffix}", codec=codec, pix_fmt=pix_fmt, time_base=Fraction(1, 100)
    )
    clip.rename(folder / ("a.gif" if codec == "gif" else "a.png"))
    write_png(folder / "b.png", numbered(7))
    with ImageFolderSource(folder) as source:
        numbers = [number_in(frame.image) for _ in range(2) if (frame := source.read())]
        (note,) = source.warnings
    assert numbers == [0, 7]
    assert "is an animation: its first picture is used" in note


def test_time_goes_by_the_frame_rate(tmp_path: Path) -> None:
    for number in range(10):
        write_png(tmp_path / f"{number}.png", numbered(number))
    with ImageFolderSource(tmp_path) as source:
        assert source.info.frame_rate == 25
        assert source.info.num_frames == 10
        assert source.info.duration_s == pytest.approx(0.4)
    with ImageFolderSource(tmp_path, frame_rate=10, start_s=0.3, end_s=0.6) as source:
        assert source.info.num_frames == 3
        frames = [frame for _ in range(3) if (frame := source.read()) is not None]
        assert source.read() is None
    assert [number_in(frame.image) for frame in frames] == [3, 4, 5]
    assert [frame.time_s for frame in frames] == pytest.approx([0.3, 0.4, 0.5])


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match=r"no picture that can be read.*png") as caught:
        ImageFolderSource(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="cannot be read as a folder"):
        ImageFolderSource(tmp_path / "missing")


def test_a_rate_of_zero(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frame_rate must be > 0"):
        ImageFolderSource(tmp_path, frame_rate=0)


def test_real_pictures(shared: Path) -> None:
    with ImageFolderSource(shared / "isl", max_frames=3) as source:
        frame = source.read()
        assert frame is not None
        assert frame.size_wh == (640, 480)
        assert source.info.num_frames == 3


def test_the_patches_are_told_apart() -> None:
    """The other tests mean nothing if turned patches look alike."""
    assert len({tuple(colour) for colour in COLOURS.tolist()}) == 6
