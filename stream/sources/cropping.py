"""What a container says is to be cut off its pictures, which FFmpeg's decoders do not cut.

Matroska has PixelCrop elements (RFC 9559, 5.1.4.1.28.8 to 11), MP4 and QuickTime a clean aperture
(ISO/IEC 14496-12, 12.1.4). Both stand in the header, which is read here as far as them.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from av.video.stream import VideoStream

__all__ = ["Crop", "declared_crop"]

_MAX_ELEMENTS = 10_000
"""Elements to look at in one level, so that no file keeps us."""
_SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_CLUSTER = 0x1F43B675
_PIXEL_CROPS = {0x54CC: "left_px", 0x54BB: "top_px", 0x54DD: "right_px", 0x54AA: "bottom_px"}
_SAMPLE_ENTRY_BYTES = 86
"""A visual sample entry up to the boxes in it (ISO/IEC 14496-12, 12.1.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """Rows and columns to cut off a picture as it is stored, in its own pixels, each >= 0."""

    left_px: int = 0
    """Columns at the left."""
    top_px: int = 0
    """Rows at the top."""
    right_px: int = 0
    """Columns at the right."""
    bottom_px: int = 0
    """Rows at the bottom."""

    def fits(self, width: int, height: int) -> bool:
        """Tell whether something is cut off a picture of this size, and something left."""
        columns, rows = self.left_px + self.right_px, self.top_px + self.bottom_px
        least = min(self.left_px, self.top_px, self.right_px, self.bottom_px)
        return least >= 0 and columns + rows > 0 and columns < width and rows < height


class _Element(NamedTuple):
    """An element of EBML or a box of MP4: what it is, and where its content is in the file."""

    kind: int
    begin: int
    end: int


_Walk = Callable[[BinaryIO, _Element], Iterator[_Element]]


def declared_crop(path: Path, stream: VideoStream) -> Crop | None:
    """Return what the header says to cut off a stream's pictures; None where it says nothing.

    Args:
        path: The regular file that the stream is read from.
        stream: The stream.
    """
    context, container = stream.codec_context, stream.container
    size_wh = context.width, context.height
    is_matroska = container.format.name.startswith("matroska")
    if not is_matroska and not container.format.name.startswith("mov"):
        return None
    try:
        with path.open("rb") as file:
            whole = _Element(0, 0, file.seek(0, os.SEEK_END))
            if is_matroska:
                # FFmpeg keeps no track numbers of Matroska's.
                crop = _pixel_crop(file, whole, list(container.streams.video).index(stream))
            else:
                crop = _clean_aperture(file, whole, stream.id, size_wh)
    except (OSError, struct.error, ZeroDivisionError):  # cut short or damaged
        return None
    return crop if crop is not None and crop.fits(*size_wh) else None


def _find(file: BinaryIO, walk: _Walk, outer: _Element, *kinds: int) -> list[_Element]:
    """Return the elements that are reached through elements of these kinds, one in the other."""
    found = [outer]
    for kind in kinds:
        found = [inner for element in found for inner in walk(file, element) if inner.kind == kind]
    return found


def _pixel_crop(file: BinaryIO, whole: _Element, num_videos_before: int) -> Crop | None:
    videos = _find(file, _ebml_elements, whole, _SEGMENT, _TRACKS, _TRACK, _VIDEO)
    for video in videos[num_videos_before : num_videos_before + 1]:
        elements = [e for e in _ebml_elements(file, video) if e.kind in _PIXEL_CROPS]
        return Crop(**{_PIXEL_CROPS[element.kind]: _number(file, element) for element in elements})
    return None


def _ebml_elements(file: BinaryIO, outer: _Element) -> Iterator[_Element]:
    """Yield what is in an element (RFC 8794, 5 and 6), up to the first cluster of pictures."""
    at = outer.begin
    for _ in range(_MAX_ELEMENTS):
        if at >= outer.end:
            return
        file.seek(at)
        kind, _ = _variable_number(file, keeps_marker=True)
        size, num_bytes = _variable_number(file, keeps_marker=False)
        inside = file.tell()
        is_unknown = size == (1 << 7 * num_bytes) - 1
        at = outer.end if is_unknown else min(inside + size, outer.end)
        if kind == _CLUSTER:
            return
        yield _Element(kind, inside, at)


def _variable_number(file: BinaryIO, *, keeps_marker: bool) -> tuple[int, int]:
    """Return a number whose first bit that is set tells its length, and that length in bytes."""
    (first,) = struct.unpack("B", file.read(1))
    num_bytes = 9 - first.bit_length()
    rest = file.read(num_bytes - 1)
    if num_bytes > 8 or len(rest) < num_bytes - 1:
        raise struct.error("no number of EBML")
    value = first if keeps_marker else first & (1 << 8 - num_bytes) - 1
    return value << 8 * len(rest) | int.from_bytes(rest, "big"), num_bytes


def _number(file: BinaryIO, element: _Element) -> int:
    file.seek(element.begin)
    return int.from_bytes(file.read(min(element.end - element.begin, 8)), "big")


def _clean_aperture(
    file: BinaryIO, whole: _Element, track_id: int, size_wh: tuple[int, int]
) -> Crop | None:
    for track in _find(file, _boxes, whole, _box("moov"), _box("trak")):
        headers = _find(file, _boxes, track, _box("tkhd"))
        if [_track_id(file, header) for header in headers] != [track_id]:
            continue
        way = [_box(name) for name in ("mdia", "minf", "stbl", "stsd")]
        for table in _find(file, _boxes, track, *way):
            # Version, flags and the number of entries stand before the first entry.
            entry = table._replace(begin=table.begin + 8 + _SAMPLE_ENTRY_BYTES)
            for box in _find(file, _boxes, entry, _box("clap")):
                file.seek(box.begin)
                return _crop_to(struct.unpack(">IIIIiIiI", file.read(32)), size_wh)
    return None


def _box(name: str) -> int:
    return int.from_bytes(name.encode(), "big")


def _boxes(file: BinaryIO, outer: _Element) -> Iterator[_Element]:
    """Yield the boxes in a box (ISO/IEC 14496-12, 4.2)."""
    at = outer.begin
    for _ in range(_MAX_ELEMENTS):
        if at + 8 > outer.end:
            return
        file.seek(at)
        size, kind = struct.unpack(">II", file.read(8))
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
        inside = file.tell()
        stop = outer.end if size == 0 else min(at + size, outer.end)
        if stop < inside:
            return
        yield _Element(kind, inside, stop)
        at = stop


def _track_id(file: BinaryIO, header: _Element) -> int:
    file.seek(header.begin)
    (version,) = struct.unpack("B", file.read(1))
    file.seek(header.begin + (20 if version else 12))
    return int(struct.unpack(">I", file.read(4))[0])


def _crop_to(aperture: tuple[int, ...], size_wh: tuple[int, int]) -> Crop:
    """Return what lies around a clean aperture, whose place is that of its middle."""
    width, height = aperture[0] / aperture[1], aperture[2] / aperture[3]
    left = (size_wh[0] - width) / 2 + aperture[4] / aperture[5]
    top = (size_wh[1] - height) / 2 + aperture[6] / aperture[7]
    return Crop(
        left_px=round(left),
        top_px=round(top),
        right_px=size_wh[0] - round(left + width),
        bottom_px=size_wh[1] - round(top + height),
    )
