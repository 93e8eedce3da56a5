"""Decoded pictures of any pixel format made upright RGB with square pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, VideoReformatter

from stream.frames import RgbImage

__all__ = ["PictureConverter", "turn_upright", "upright_size"]

_BT709, _BT601 = 1, 5
"""Numbers of colour matrices, in swscale as in ITU-T H.273."""
_MATRICES = {1: _BT709, 4: 4, 5: _BT601, 6: _BT601, 7: 7, 9: 9, 10: 9}
"""Matrix by the number in the picture's tag: beside the two, FCC, SMPTE 240M and BT.2020."""
_MAX_STRETCH = 4
"""Pixels longer or flatter than this are taken for a broken header, and for square."""

DisplayMatrix = Sequence[int]
"""Nine 16.16 fixed-point numbers, row by row, as in the track header of ISO/IEC 14496-12."""


class PictureConverter:
    """Converts the pictures of one source; used by one thread.

    Colour: the matrix and range that the picture is tagged with. Untagged ones are taken for
    BT.709 from 1280 columns or 577 rows on and for BT.601 below, as players do (mpv, ``mp_csp``);
    for limited range, unless the pixel format says otherwise. Transparent pixels lie over black.

    Args:
        pixel_aspect: Width of a pixel by its height. Frames are stretched, never shrunk, to square
            pixels; a deviation under a hundredth is left alone.
    """

    def __init__(self, *, pixel_aspect: Fraction | None = None) -> None:
        aspect = pixel_aspect or Fraction(1)
        is_plausible = Fraction(1, _MAX_STRETCH) <= aspect <= _MAX_STRETCH
        self._aspect = aspect if is_plausible and abs(aspect - 1) > Fraction(1, 100) else 1
        self._reformatter = VideoReformatter()

    def to_rgb(self, picture: av.VideoFrame) -> RgbImage:
        """Return the picture as uint8 ``(H, W, 3)`` RGB, upright."""
        width, height = picture.width, picture.height
        if self._aspect > 1:
            width = round(width * self._aspect)
        elif self._aspect < 1:
            height = round(height / self._aspect)
        has_alpha = any(component.is_alpha for component in picture.format.components)
        converted = self._reformatter.reformat(
            picture,
            width=width,
            height=height,
            format="rgba" if has_alpha else "rgb24",
            src_colorspace=_matrix_of(picture),
            src_color_range=_range_of(picture),
            dst_color_range=ColorRange.JPEG,
        )
        pixels = np.asarray(converted.to_ndarray(), np.uint8)
        if has_alpha:
            alpha = pixels[:, :, 3:].astype(np.uint16)
            pixels = ((pixels[:, :, :3] * alpha + 127) // 255).astype(np.uint8)
        matrix = _display_matrix_of(picture)
        return turn_upright(pixels, matrix) if matrix else pixels


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
    matrix = cast("Mapping[SideDataType, Buffer]", picture.side_data).get(
        SideDataType.DISPLAYMATRIX
    )
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
    is_full = picture.format.name.startswith(("yuvj", "gray", "ya"))
    return ColorRange.JPEG if is_full else ColorRange.MPEG
