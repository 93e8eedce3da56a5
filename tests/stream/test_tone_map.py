"""High dynamic range and wide gamut, held against the standards' formulas as the test writes them.

Colours are chosen in BT.709 light and encoded with the inverse curves of ITU-R BT.2100, table 4 and
table 5, so that nothing of the module under test says what is expected.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from stream.frames import RgbImage
from stream.sources.file import FileSource
from tests.clips import COLOURS

Light = npt.NDArray[np.float64]

BT709, PQ, HLG, BT2020 = 1, 16, 18, 9
"""Numbers of ITU-T H.273."""
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""ITU-R BT.2087, table 4."""


def pq_signal(cd_m2: Light) -> Light:
    power = (cd_m2 / 10_000) ** (2610 / 16384)
    signal = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return np.asarray(signal, np.float64)


def hlg_signal(cd_m2: Light) -> Light:
    display = np.maximum(cd_m2, 1e-6) / 1000
    luminance = display @ [0.2627, 0.6780, 0.0593]
    scene = display * luminance[..., None] ** ((1 - 1.2) / 1.2)
    upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper), np.float64)


def ycbcr_10(signals: Light) -> npt.NDArray[np.uint16]:
    """Return what R'G'B' is in 10 bits of narrow range (ITU-R BT.2020, tables 4 and 5)."""
    red, _, blue = signals.T
    luma = signals @ [0.2627, 0.6780, 0.0593]
    chroma = ((blue - luma) / 1.8814, (red - luma) / 1.4746)
    return np.rint([64 + 876 * luma, *(512 + 896 * each for each in chroma)]).T.astype(np.uint16)


def write_patches(path: Path, signals: Light, transfer: int, *, codec: str = "libx264") -> Path:
    """Write patches of 64 x 64 in a row: R'G'B' signals, shape ``(num, 3)``, in 10 bits."""
    row = np.repeat(ycbcr_10(signals), 64, axis=0)
    with av.open(f"file:{path}", "w") as container:
        stream = container.add_stream(
            codec, rate=25, options={"crf": "4"} if codec == "libx264" else {}
        )
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = 64, len(row)
        stream.pix_fmt = "yuv420p10le"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 25)
        context = stream.codec_context
        context.colorspace = context.color_primaries = BT2020
        context.color_trc, context.color_range = transfer, ColorRange.MPEG
        for number in range(2):
            frame = av.VideoFrame(len(row), 64, stream.pix_fmt)
            for plane, values in zip(frame.planes, (row[:, 0], *row[::2, 1:].T), strict=True):
                line = np.zeros(plane.line_size // 2, np.uint16)
                line[: len(values)] = values
                plane.update(np.tile(line, plane.height).tobytes())
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read_first(path: Path) -> tuple[RgbImage, list[str]]:
    with FileSource(path) as source:
        frame = source.read()
        assert frame is not None
        return frame.image, source.warnings


def centres(image: RgbImage) -> npt.NDArray[np.int64]:
    return np.asarray(image[32, 32::64], np.int64)


@pytest.mark.parametrize(("transfer", "name"), [(HLG, "HLG"), (PQ, "PQ")])
def test_colours_below_the_roll_off_come_back(tmp_path: Path, transfer: int, name: str) -> None:
    light = 90 * (COLOURS / 255) ** 2.4  # cd/m2 of BT.709
    signals = (hlg_signal if transfer == HLG else pq_signal)(light @ TO_BT2020.T)
    clip = write_patches(tmp_path / "clip.mp4", signals, transfer)
    image, notes = read_first(clip)
    expected = 255 * (light / 203) ** (1 / 2.4)
    np.testing.assert_allclose(
        centres(image), expected, atol=7
    )  # a step of 10-bit PQ is worth 5 in dark red
    assert [note for note in notes if f"({name})" in note] == notes
    assert len(notes) == 1


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_highlights_roll_off_towards_white(tmp_path: Path, transfer: int) -> None:
    light = np.repeat([[203.0], [400.0], [1000.0]], 3, axis=1)
    signals = (hlg_signal if transfer == HLG else pq_signal)(light)
    image, _ = read_first(write_patches(tmp_path / "clip.mp4", signals, transfer))
    # The spline of ITU-R BT.2390 by hand: 160, 194 and 203 cd/m2 of 203.
    expected = np.repeat([[230], [250], [255]], 3, axis=1)
    np.testing.assert_allclose(centres(image), expected, atol=2)


def test_a_bright_colour_keeps_its_hue(tmp_path: Path) -> None:
    light = np.array([[800.0, 200.0, 80.0]])
    image, _ = read_first(write_patches(tmp_path / "c.mp4", pq_signal(light @ TO_BT2020.T), PQ))
    shown = (centres(image)[0] / 255) ** 2.4
    np.testing.assert_allclose(shown / shown[0], [1, 0.25, 0.1], atol=0.02)


def test_ten_bits_are_kept_until_after_the_curve(tmp_path: Path) -> None:
    codes = np.arange(400, 500)  # of 1023: 8 bits would leave one in four
    signals = np.repeat(codes[:, None] / 1023, 3, axis=1)
    image, _ = read_first(write_patches(tmp_path / "clip.mkv", signals, PQ, codec="ffv1"))
    levels = centres(image).mean(axis=1)
    assert len(np.unique(levels)) > 50


def test_sdr_in_the_colours_of_bt2020_becomes_bt709(tmp_path: Path) -> None:
    signals = ((COLOURS / 255) ** 2.4 @ TO_BT2020.T) ** (1 / 2.4)
    image, notes = read_first(write_patches(tmp_path / "clip.mp4", signals, BT709))
    np.testing.assert_allclose(centres(image), COLOURS, atol=4)
    assert notes == []
