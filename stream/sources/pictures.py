"""Decoded pictures of any pixel format made upright RGB with square pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.buffer import Buffer
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, VideoReformatter

from stream.frames import RgbImage
from stream.sources.cropping import Crop
from stream.sources.tone_map import HLG, PQ, ToneMapper, needs_tone_map

__all__ = ["PictureConverter", "turn_upright", "upright_size"]

_BT709, _BT601, _BT2020 = 1, 5, 9
"""Numbers of colour matrices, in swscale as in ITU-T H.273."""
_MATRICES = {1: _BT709, 4: 4, 5: _BT601, 6: _BT601, 7: 7, 9: _BT2020, 10: _BT2020}
"""Matrix by the number in the picture's tag: beside the two, FCC, SMPTE 240M and BT.2020."""
_MAX_STRETCH = 4
"""Pixels longer or flatter than this are taken for a broken header, and for square."""
_BAND_ROWS = 64
"""Rows in hand at a time where numbers of 16 bits are needed: of a whole picture they would take
several times its memory."""

_GIF = "bgra"
"""The format of GIFs, which needs no conversion, and no memory for one."""
_GREY = ("gray", "ya")
"""How the names of grey pixel formats begin, without and with transparency."""
_FULL_LEVELS = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
"""Full-range level of each level of limited range."""

DisplayMatrix = Sequence[int]
"""Nine 16.16 fixed-point numbers, row by row, as in the track header of ISO/IEC 14496-12."""


class PictureConverter:
    """Converts the pictures of one source; used by one thread.

    Colour: the matrix and range that the picture is tagged with. Untagged ones are taken for
    BT.709 from 1280 columns or 577 rows on and for BT.601 below, as players do (mpv, ``mp_csp``);
    for limited range, unless the pixel format says otherwise. High dynamic range and the colours
    of BT.2020 are mapped to BT.709. Transparent pixels lie over black.

    Args:
        pixel_aspect: Width of a pixel by its height. Frames are stretched, never shrunk, to square
            pixels; a deviation under a hundredth is left alone.
    """

    def __init__(self, *, pixel_aspect: Fraction | None = None) -> None:
        self.pixel_aspect = pixel_aspect
        """Width of a pixel by its height, for the pictures to come; None for square ones."""
        self.crop: Crop | None = None
        """What to cut off the pictures to come that it fits."""
        self.enlarged_wh: tuple[int, int] | None = None
        """Size to which smaller pictures are enlarged until one has it; None enlarges none."""
        self._num_enlarged = 0
        self._mapped_ranges: set[str] = set()
        self._num_interlaced = 0
        self._num_by_size: Counter[tuple[int, int]] = Counter()
        self._reformatter = VideoReformatter()
        self._tone_mapper = ToneMapper()

    @property
    def notes(self) -> list[str]:
        """What a person should know of the pictures so far, one line each."""
        lines = []
        if self._mapped_ranges:
            ranges = " and ".join(sorted(self._mapped_ranges))
            lines.append(f"its high dynamic range ({ranges}) was mapped to the range of SDR")
        if self._num_interlaced:
            lines.append(
                f"interlaced pictures: {self._num_interlaced}; where moving hands show combs, "
                "add --deinterlace"
            )
        if self._num_enlarged:
            lines.append(f"small pictures at its beginning were enlarged: {self._num_enlarged}")
        if len(self._num_by_size) > 1:
            sizes = ", ".join(f"{w} x {h}: {num}" for (w, h), num in self._num_by_size.items())
            lines.append(f"its pictures differ in size ({sizes}); a video has that of the first")
        return lines

    def to_rgb(self, picture: av.VideoFrame) -> RgbImage:
        """Return the picture as uint8 ``(H, W, 3)`` RGB, upright."""
        self._num_interlaced += picture.interlaced_frame
        if needs_tone_map(picture):
            picture = self._to_sdr(picture)
        width, height = self._square_size(*self._enlarged_size(picture))
        has_alpha = picture.format.has_palette or any(
            component.is_alpha for component in picture.format.components
        )
        range_ = _range_of(picture)
        is_ready = picture.format.name == _GIF and (width, height) == (
            picture.width,
            picture.height,
        )
        converted = (
            picture
            if is_ready
            else self._reformatter.reformat(
                picture,
                width=width,
                height=height,
                format="rgba" if has_alpha else "rgb24",
                src_colorspace=_matrix_of(picture),
                src_color_range=range_,
                dst_color_range=ColorRange.JPEG,
            )
        )
        decoded = np.asarray(converted.to_ndarray(), np.uint8)
        pixels = decoded[:, :, 2::-1] if is_ready else decoded[:, :, :3]
        if range_ == ColorRange.MPEG and picture.format.name.startswith(_GREY):
            pixels = _FULL_LEVELS[pixels]  # swscale takes all grey for full range
        if has_alpha:
            pixels = _over_black(pixels, decoded[:, :, 3:])
        if self.crop is not None and self.crop.fits(picture.width, picture.height):
            pixels = _cut(
                pixels, self.crop, Fraction(width, picture.width), Fraction(height, picture.height)
            )
        matrix = _display_matrix_of(picture)
        upright = turn_upright(pixels, matrix) if matrix else pixels
        self._num_by_size[upright.shape[1], upright.shape[0]] += 1
        return upright

    def _enlarged_size(self, picture: av.VideoFrame) -> tuple[int, int]:
        if self.enlarged_wh and picture.width < self.enlarged_wh[0]:
            self._num_enlarged += 1
            return self.enlarged_wh
        self.enlarged_wh = None
        return picture.width, picture.height

    def _square_size(self, width: int, height: int) -> tuple[int, int]:
        aspect = self.pixel_aspect or Fraction(1)
        if abs(aspect - 1) <= Fraction(1, 100):
            return width, height
        if 1 < aspect <= _MAX_STRETCH:
            return round(width * aspect), height
        if Fraction(1, _MAX_STRETCH) <= aspect < 1:
            return width, round(height / aspect)
        return width, height

    def _to_sdr(self, picture: av.VideoFrame) -> av.VideoFrame:
        if picture.color_trc in (HLG, PQ):
            self._mapped_ranges.add("HLG" if picture.color_trc == HLG else "PQ")
        matrix = _MATRICES.get(int(picture.colorspace), _BT2020)
        return self._tone_mapper.map(picture, matrix=matrix, range_=_range_of(picture))


def _over_black(pixels: RgbImage, alpha: npt.NDArray[np.uint8]) -> RgbImage:
    """Return pixels over black; alpha has the shape ``(H, W, 1)``."""
    result = np.empty(pixels.shape, np.uint8)
    for row in range(0, len(pixels), _BAND_ROWS):
        band = np.s_[row : row + _BAND_ROWS]
        result[band] = (pixels[band] * alpha[band].astype(np.uint16) + 127) // 255
    return result


def _cut(pixels: RgbImage, crop: Crop, scale_x: Fraction, scale_y: Fraction) -> RgbImage:
    """Return what ``crop`` leaves of a picture that was scaled."""
    rows = round(pixels.shape[0] - (crop.top_px + crop.bottom_px) * scale_y)
    columns = round(pixels.shape[1] - (crop.left_px + crop.right_px) * scale_x)
    top, left = round(crop.top_px * scale_y), round(crop.left_px * scale_x)
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])


def turn_upright(image: RgbImage, matrix: DisplayMatrix) -> RgbImage:
    """Return ``image`` turned and mirrored as its display matrix says.

    The matrix maps column x and row y to ``(a x + c y, b x + d y)``. Angles between the quarter
    turns, which no camera writes, are rounded to the nearest.
    """
    a, b, _, c, d = matrix[:5]
    if _swaps_sides(matrix):
        image = image.swapaxes(0, 1)
        a, d = c, b
    rows = slice(None, None, -1 if d < 0 else 1)
    columns = slice(None, None, -1 if a < 0 else 1)
    return np.ascontiguousarray(image[rows, columns])


def upright_size(size_wh: tuple[int, int], matrix: DisplayMatrix) -> tuple[int, int]:
    """Return width and height after :func:`turn_upright`."""
    width, height = size_wh
    return (height, width) if _swaps_sides(matrix) else (width, height)


def _swaps_sides(matrix: DisplayMatrix) -> bool:
    a, b, _, c, d = matrix[:5]
    return abs(b) + abs(c) > abs(a) + abs(d)


def _display_matrix_of(picture: av.VideoFrame) -> DisplayMatrix | None:
    # Not picture.side_data: the picture would keep it and it the picture, and dozens of pictures
    # would wait for Python to look for such circles.
    side_data = SideDataContainer(picture)  # type: ignore[call-arg]  # its stub knows no picture
    matrix = cast("Mapping[SideDataType, Buffer]", side_data).get(SideDataType.DISPLAYMATRIX)
    return None if matrix is None else np.frombuffer(bytes(matrix), np.int32).tolist()


def _any_other_side_data(kind: type[SideDataType], value: object) -> SideDataType:
    """Return a stand-in for a kind of side data that FFmpeg has and PyAV does not list.

    PyAV 18 cannot list the side data of a picture that has one of these, among them EXIF, which
    nearly every photograph has: ``ValueError: 31 is not a valid Type``.
    """
    return kind.SEI_UNREGISTERED


# The hook of the standard library for values that an enum lacks.
SideDataType._missing_ = classmethod(_any_other_side_data)  # type: ignore[assignment,method-assign]


def _matrix_of(picture: av.VideoFrame) -> int:
    is_high_definition = picture.width >= 1280 or picture.height > 576
    untagged = _BT709 if is_high_definition else _BT601
    return _MATRICES.get(int(picture.colorspace), untagged)


def _range_of(picture: av.VideoFrame) -> ColorRange:
    if picture.color_range:
        return ColorRange(int(picture.color_range))
    # The old yuvj formats and plain grey pictures use all 256 levels.
    is_full = picture.format.name.startswith(("yuvj", *_GREY))
    return ColorRange.JPEG if is_full else ColorRange.MPEG
