"""Pictures of every kind that files hold come out in their colours, upright and whole."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from av.video.reformatter import ColorRange, Colorspace

from stream.frames import Frame, RgbImage
from stream.sources.file import FileSource
from stream.sources.options import PictureOptions
from tests.clips import (
    COLOURS,
    cut_off,
    irregular_times,
    make_clip,
    make_size_change,
    number_in,
    patches,
    turn,
)
from tests.stream.reading import frames_of, read_all
from tests.waits import PROCESS_S


def centres(image: RgbImage) -> npt.NDArray[np.int64]:
    """Return the colours in the middle of the six patches, shape (6, 3)."""
    height, width = image.shape[:2]
    rows, columns = height * np.array([1, 3]) // 4, width * np.array([1, 3, 5]) // 6
    return np.asarray(image[rows][:, columns].reshape(6, 3), np.int64)


class TestColour:
    @pytest.mark.parametrize(
        ("name", "codec", "pix_fmt", "matrix", "color_range"),
        [
            ("601.mp4", "libx264", "yuv420p", Colorspace.ITU601, None),
            ("709.mp4", "libx264", "yuv420p", Colorspace.ITU709, None),
            ("601-full.mp4", "libx264", "yuvj420p", Colorspace.ITU601, ColorRange.JPEG),
            ("709-full.mp4", "libx264", "yuv420p", Colorspace.ITU709, ColorRange.JPEG),
            ("untagged-small.mp4", "libx264", "yuv420p", None, None),
            ("444.mp4", "libx264", "yuv444p", Colorspace.ITU709, None),
            ("10-bit.mp4", "libx264", "yuv420p10le", Colorspace.ITU709, None),
            ("10-bit-422.mov", "prores_ks", "yuv422p10le", Colorspace.ITU709, None),
            ("vp9.webm", "libvpx-vp9", "yuv420p", Colorspace.ITU709, None),
            ("jpeg.avi", "mjpeg", "yuvj420p", Colorspace.ITU601, ColorRange.JPEG),
            ("rgb.mkv", "ffv1", "bgr0", None, None),
            ("raw.avi", "rawvideo", "bgr24", None, None),
        ],
    )
    def test_colours_come_back(
        self,
        tmp_path: Path,
        name: str,
        codec: str,
        pix_fmt: str,
        matrix: Colorspace | None,
        color_range: ColorRange | None,
    ) -> None:
        clip = make_clip(
            tmp_path / name,
            [patches()] * 3,
            codec=codec,
            pix_fmt=pix_fmt,
            matrix=matrix,
            color_range=color_range,
            time_base=Fraction(1, 30),
        )
        image = frames_of(clip)[0].image
        # The wrong matrix is off by 15 and more, the wrong range by 14.
        np.testing.assert_allclose(centres(image), COLOURS, atol=5)

    def test_untagged_high_definition_is_bt709(self, tmp_path: Path) -> None:
        tagged = make_clip(
            tmp_path / "tagged.mkv",
            [patches(1280, 720)],
            codec="ffv1",
            matrix=Colorspace.ITU709,
        )
        bare = tmp_path / "bare.mkv"
        # Same samples, no tag: only the number in the header differs.
        content = tagged.read_bytes()
        tag = bytes.fromhex("55b18101")  # MatrixCoefficients = 1 (Matroska specification)
        assert content.count(tag) == 1
        bare.write_bytes(content.replace(tag, bytes.fromhex("55b18102")))
        np.testing.assert_allclose(centres(frames_of(bare)[0].image), COLOURS, atol=5)

    @pytest.mark.parametrize("pix_fmt", ["gray", "gray16le"])
    def test_grey(self, tmp_path: Path, pix_fmt: str) -> None:
        clip = make_clip(
            tmp_path / "grey.mkv",
            [patches()],
            codec="ffv1",
            pix_fmt=pix_fmt,
            color_range=ColorRange.JPEG,
        )
        luma = COLOURS @ np.array([0.299, 0.587, 0.114])
        expected = np.repeat(luma[:, None], 3, axis=1)
        np.testing.assert_allclose(centres(frames_of(clip)[0].image), expected, atol=2)

    @pytest.mark.parametrize("pix_fmt", ["gray", "gray10le"])
    def test_grey_of_limited_range_reaches_black_and_white(
        self, tmp_path: Path, pix_fmt: str
    ) -> None:
        # swscale writes full-range grey whatever it is asked for: here 16 and 235 are meant.
        picture = np.full((128, 192, 3), 16, np.uint8)
        picture[:, 96:] = 235
        clip = make_clip(
            tmp_path / "grey.mkv",
            [picture],
            codec="ffv1",
            pix_fmt=pix_fmt,
            color_range=ColorRange.MPEG,
        )
        image = frames_of(clip)[0].image
        np.testing.assert_allclose(image[64, [48, 144], 0], [0, 255], atol=1)

    def test_transparent_pixels_lie_over_black(self, tmp_path: Path) -> None:
        alpha = np.full((128, 192), 255, np.uint8)
        alpha[:, :64], alpha[:, 64:128] = 0, 128
        clip = make_clip(
            tmp_path / "clip.mov", [patches()], codec="qtrle", pix_fmt="argb", alpha=alpha
        )
        opacity = np.array([0, 128, 255, 0, 128, 255])[:, None] / 255
        np.testing.assert_allclose(centres(frames_of(clip)[0].image), COLOURS * opacity, atol=1)


class TestInterlacing:
    @pytest.fixture(scope="class")
    @staticmethod
    def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A bar that moves by 8 pixels from field to field; times at a rate that varies."""
        pictures = []
        for number in range(12):
            picture = np.full((128, 192, 3), 40, np.uint8)
            for field in (0, 1):
                left = 8 * (2 * number + field) % 160
                picture[field::2, left : left + 24] = 220
            pictures.append(picture)
        return make_clip(
            tmp_path_factory.mktemp("interlaced") / "clip.mp4",
            pictures,
            times=irregular_times(12),
            options={"flags": "+ilme+ildct", "x264-params": "tff=1", "crf": "8"},
        )

    def test_interlaced_pictures_are_told(self, clip: Path) -> None:
        with FileSource(clip) as source:
            read_all(source)
            (note,) = source.warnings
        assert note.startswith(f"{clip}: interlaced pictures: 12;")
        assert "--deinterlace" in note

    def test_combs_go_and_times_stay(self, clip: Path) -> None:
        with FileSource(clip) as source:
            combed = read_all(source)
        with FileSource(clip, pictures=PictureOptions(deinterlace=True)) as source:
            whole = read_all(source)
            assert source.warnings == []
        assert [frame.pts for frame in whole] == irregular_times(12)
        assert _combs(combed) > 3 * _combs(whole)
        for before, after in zip(combed[1:-1], whole[1:-1], strict=True):
            change = np.abs(after.image.astype(int) - before.image)
            assert min(change[::2].mean(), change[1::2].mean()) < 2  # one of the moments stays

    def test_other_pictures_are_left_alone(self, tmp_path: Path) -> None:
        clip = make_size_change(tmp_path / "clip.ts")
        with (
            FileSource(clip) as source,
            FileSource(clip, pictures=PictureOptions(deinterlace=True)) as same,
        ):
            pairs = list(zip(read_all(source), read_all(same), strict=True))
        assert len(pairs) == 20
        for frame, other in pairs:
            assert frame.pts == other.pts
            np.testing.assert_array_equal(frame.image, other.image)

    def test_a_cut_off_file_keeps_its_last_picture(self, tmp_path: Path) -> None:
        whole = make_clip(tmp_path / "whole.ts", num_frames=40, time_base=Fraction(1, 90_000))
        short = cut_off(whole, tmp_path / "short.ts", 0.6)
        with (
            FileSource(short) as source,
            FileSource(short, pictures=PictureOptions(deinterlace=True)) as same,
        ):
            assert len(read_all(source)) == len(read_all(same)) > 10


def _combs(frames: list[Frame]) -> float:
    """Return how much rows differ from both their neighbours, on average."""
    rows = np.stack([frame.image[:, :, 0] for frame in frames]).astype(float)
    return float(np.abs(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:]).mean())


class TestShape:
    @pytest.mark.parametrize(
        ("matrix", "expected"),
        [
            (turn(1, 0, 0, 1), patches()),
            (turn(0, 1, -1, 0), np.rot90(patches(), -1)),  # a phone held upright
            (turn(-1, 0, 0, -1), np.rot90(patches(), 2)),
            (turn(0, -1, 1, 0), np.rot90(patches(), 1)),
            (turn(-1, 0, 0, 1), patches()[:, ::-1]),  # a selfie
            (turn(1, 0, 0, -1), patches()[::-1]),
            (turn(0, 1, 1, 0), patches().swapaxes(0, 1)),
            (turn(0, -1, -1, 0), np.rot90(patches(), 2).swapaxes(0, 1)),
        ],
    )
    def test_every_orientation_is_turned_upright(
        self, tmp_path: Path, matrix: list[int], expected: RgbImage
    ) -> None:
        clip = make_clip(tmp_path / "clip.mp4", [patches()] * 3, display_matrix=matrix)
        with FileSource(clip) as source:
            frame = source.read()
            assert frame is not None
            assert source.info.size_wh == frame.size_wh == (expected.shape[1], expected.shape[0])
        difference = np.abs(frame.image.astype(int) - expected)
        assert np.median(difference) <= 3
        if shutil.which("ffmpeg"):
            assert np.median(np.abs(frame.image.astype(int) - _by_ffmpeg(clip, expected))) <= 3

    @pytest.mark.parametrize(("width", "height"), [(191, 127), (101, 64), (64, 101), (3, 5)])
    def test_odd_sides_are_whole_to_the_last_column_and_row(
        self, tmp_path: Path, width: int, height: int
    ) -> None:
        ramp = np.zeros((height, width, 3), np.uint8)
        ramp[:] = np.linspace(40, 200, width)[None, :, None]
        clip = make_clip(tmp_path / "clip.webm", [ramp] * 2, codec="libvpx-vp9")
        frame = frames_of(clip)[0]
        assert frame.size_wh == (width, height)
        np.testing.assert_allclose(frame.image.astype(int), ramp, atol=30 if width < 10 else 4)

    def test_one_pixel(self, tmp_path: Path) -> None:
        clip = make_clip(tmp_path / "clip.mkv", [patches(1, 1)], codec="ffv1", pix_fmt="bgr0")
        frame = frames_of(clip)[0]
        assert frame.image.tolist() == [[COLOURS[0].tolist()]]

    def test_a_size_that_changes_midway(self, tmp_path: Path) -> None:
        with FileSource(make_size_change(tmp_path / "clip.ts")) as source:
            frames = read_all(source)
            (note,) = source.warnings
        assert "differ in size (192 x 128: 10, 128 x 160: 10)" in note
        assert [frame.size_wh for frame in frames] == [(192, 128)] * 10 + [(128, 160)] * 10
        assert [number_in(frame.image) for frame in frames] == list(range(20))

    @pytest.mark.parametrize("start_s", [0, 0.2])
    def test_a_recording_that_grows_has_its_later_size_from_the_start(
        self, tmp_path: Path, start_s: float
    ) -> None:
        clip = make_size_change(tmp_path / "clip.ts", (48, 32), (192, 128), (96, 64))
        with FileSource(clip, start_s=start_s) as source:
            assert source.info.size_wh == (192, 128)
            frames = read_all(source)
            first = round(start_s * 30)
            assert f"small pictures at its beginning were enlarged: {10 - first}" in " ".join(
                source.warnings
            )
        sizes = [(192, 128)] * (20 - first) + [(96, 64)] * 10
        assert [frame.size_wh for frame in frames] == sizes
        assert [number_in(frame.image) for frame in frames] == list(range(first, 30))

    def test_a_growth_to_another_shape_is_told_only(self, tmp_path: Path) -> None:
        with FileSource(make_size_change(tmp_path / "clip.ts", (64, 64), (192, 128))) as source:
            assert [frame.size_wh for frame in read_all(source)][::10] == [(64, 64), (192, 128)]
            assert "differ in size (64 x 64: 10, 192 x 128: 10)" in source.warnings[0]

    def test_an_aspect_that_changes_midway(self, tmp_path: Path) -> None:
        clip = make_size_change(
            tmp_path / "clip.ts",
            *[(192, 128)] * 2,
            pixel_aspects=[Fraction(1), Fraction(4, 3)],
        )
        with FileSource(clip) as source:
            sizes = [frame.size_wh for frame in read_all(source)]
        assert sizes == [(192, 128)] * 10 + [(256, 128)] * 10

    @pytest.mark.parametrize(
        ("aspect", "size_wh"), [(Fraction(16, 11), (279, 128)), (Fraction(8, 9), (192, 144))]
    )
    def test_oblong_pixels_become_square(
        self, tmp_path: Path, aspect: Fraction, size_wh: tuple[int, int]
    ) -> None:
        clip = make_clip(tmp_path / "clip.mp4", [patches()] * 2, pixel_aspect=aspect)
        frame = frames_of(clip)[0]
        assert frame.size_wh == size_wh
        np.testing.assert_allclose(centres(frame.image), COLOURS, atol=5)


def _by_ffmpeg(path: Path, like: RgbImage) -> RgbImage:
    raw = subprocess.run(
        f"ffmpeg -v error -i {path} -frames:v 1 -f rawvideo -pix_fmt rgb24 -".split(),
        check=True,
        capture_output=True,
        timeout=PROCESS_S,
    ).stdout
    return np.frombuffer(raw, np.uint8).reshape(like.shape)
