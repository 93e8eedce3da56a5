"""Pictures of which the container shows a part only."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from stream.frames import RgbImage
from stream.sources.cropping import Crop, declared_crop
from stream.sources.file import FileSource
from tests.clips import make_clip, patches, turn


def framed() -> RgbImage:
    """Return the six patches, 192 x 128, in a white frame: 16 columns left, 32 right, 8 rows."""
    return np.pad(patches(), ((8, 8), (16, 32), (0, 0)), constant_values=255)


def crop_matroska(path: Path, crop: Crop) -> Path:
    """Put the crop (RFC 9559, 5.1.4.1.28.8) where the description of colours stood."""
    content = path.read_bytes()
    at = content.index(b"\x55\xb0")
    length = 3 + (content[at + 2] & 0x7F)
    elements = b"".join(
        struct.pack(">HBB", kind, 0x81, side)
        for kind, side in [
            (0x54CC, crop.left_px),
            (0x54BB, crop.top_px),
            (0x54DD, crop.right_px),
            (0x54AA, crop.bottom_px),
        ]
    )
    rest = length - len(elements) - 2
    assert rest >= 0
    void = struct.pack("BB", 0xEC, 0x80 | rest) + bytes(rest)
    path.write_bytes(content[:at] + elements + void + content[at + length :])
    return path


def crop_mp4(path: Path, crop: Crop, size_wh: tuple[int, int]) -> Path:
    """Append a clean aperture (ISO/IEC 14496-12, 12.1.4) to the first sample entry."""
    content = bytearray(path.read_bytes())
    assert content.index(b"mdat") < content.index(b"moov")  # whose growth moves no sample
    width = size_wh[0] - crop.left_px - crop.right_px
    height = size_wh[1] - crop.top_px - crop.bottom_px
    right, down = crop.left_px - crop.right_px, crop.top_px - crop.bottom_px
    box = struct.pack(">I4sIIIIiIiI", 40, b"clap", width, 1, height, 1, right, 2, down, 2)
    at = end = 0
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = content.index(name, at) - 4
        (size,) = struct.unpack_from(">I", content, at)
        struct.pack_into(">I", content, at, size + len(box))
        end, at = at + size, at + 4
    content[end:end] = box
    path.write_bytes(content)
    return path


def read_first(path: Path) -> RgbImage:
    with FileSource(path) as source:
        frame = source.read()
        assert frame is not None
        assert source.info.size_wh == frame.size_wh
        return frame.image


CROP = Crop(left_px=16, top_px=8, right_px=32, bottom_px=8)


@pytest.fixture
def matroska(tmp_path: Path) -> Path:
    clip = make_clip(
        tmp_path / "clip.mkv",
        [framed()] * 2,
        matrix=Colorspace.ITU709,
        color_range=ColorRange.MPEG,
        options={"color_primaries": "bt709", "color_trc": "bt709"},
    )
    return crop_matroska(clip, CROP)


@pytest.fixture
def mp4(tmp_path: Path) -> Path:
    clip = make_clip(tmp_path / "clip.mp4", [framed()] * 2, audio_codec="aac")
    return crop_mp4(clip, CROP, (240, 144))


@pytest.mark.parametrize("name", ["matroska", "mp4"])
def test_what_is_to_be_cut_off_is(name: str, request: pytest.FixtureRequest) -> None:
    image = read_first(request.getfixturevalue(name))
    assert image.shape == (128, 192, 3)
    assert np.median(np.abs(image.astype(int) - patches())) <= 3
    assert image[:, [0, -1]].max() < 245  # nothing of the white frame
    assert image[[0, -1]].max() < 245


def test_the_crop_is_made_before_the_picture_is_turned_and_stretched(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        [framed()] * 2,
        pixel_aspect=Fraction(3, 2),
        display_matrix=turn(0, 1, -1, 0),
    )
    image = read_first(crop_mp4(clip, CROP, (240, 144)))
    assert image.shape == (288, 128, 3)
    expected = np.rot90(patches(288, 128), -1)
    assert np.median(np.abs(image.astype(int) - expected)) <= 3


def test_a_crop_that_leaves_nothing_is_ignored(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", [framed()] * 2)
    nothing = Crop(left_px=120, right_px=120)
    assert read_first(crop_mp4(clip, nothing, (240, 144))).shape == (144, 240, 3)


@pytest.mark.parametrize("name", ["matroska", "mp4"])
def test_damaged_headers_raise_nothing(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    whole = request.getfixturevalue(name)
    content = whole.read_bytes()
    header = content.index(b"moov" if name == "mp4" else b"\x16\x54\xae\x6b") - 4
    generator = np.random.default_rng(0)
    damaged = tmp_path / "damaged"
    with av.open(str(whole)) as container:
        stream = container.streams.video[0]
        assert declared_crop(whole, stream) == CROP
        for _ in range(300):
            changed = bytearray(content)
            for at in generator.integers(header, min(header + 600, len(content)), 4):
                changed[at] = generator.integers(256)
            damaged.write_bytes(changed[: generator.integers(header, len(content))])
            crop = declared_crop(damaged, stream)
            assert crop is None or crop.fits(240, 144)
