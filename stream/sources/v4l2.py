"""Cameras as Linux tells of them, by the ioctls of V4L2 (``linux/videodev2.h``)."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

__all__ = ["Camera", "Mode", "camera_numbers", "describe_camera"]

Ioctl = Callable[[int, int, bytearray], Any]
"""``fcntl.ioctl``, which fills the bytes it is handed."""

_MAX_ENTRIES = 256
"""Of a list: a driver that never says that its list has ended is not asked for ever."""
_DISCRETE = 1
"""Kind of an entry that is one size or rate; others span a range."""
_HAS_DEVICE_CAPS = 1 << 31
_CAPTURES = {1 << 0: 1, 1 << 12: 9}
"""From the capability to capture, in one plane or in several, to the type of its buffers."""


def _request(number: int, layout: str, *, writes: bool) -> int:
    """Return the code of an ioctl of V4L2 (``_IOR`` and ``_IOWR``)."""
    return (3 if writes else 2) << 30 | struct.calcsize(layout) << 16 | ord("V") << 8 | number


_CAPABILITY = "=16s32s32s3I12x"
_FORMAT = "=3I32sI16x"
_SIZE = "=9I8x"
_RATE = "=11I8x"
_QUERY_CAPABILITY = _request(0, _CAPABILITY, writes=False)
_LIST_FORMATS = _request(2, _FORMAT, writes=True)
_LIST_SIZES = _request(74, _SIZE, writes=True)
_LIST_RATES = _request(75, _RATE, writes=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A size in which a camera sends pictures, and how many a second."""

    size_wh: tuple[int, int]
    """Width and height in pixels; of a range of sizes the largest."""
    rates_hz: tuple[Fraction, ...] = ()
    """Frames a second, the highest first; empty where it is not told."""
    code: str = ""
    """Four letters of the pixel format: "MJPG", "YUYV"; empty where it is not told."""
    is_range: bool = False
    """Smaller sizes can be had, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera that there is."""

    number: int
    """What opens it."""
    name: str
    """What its maker calls it; empty where the system does not tell."""
    modes: tuple[Mode, ...] = ()
    """What it can send, in the order in which it tells; empty where it does not."""
    fault: str = ""
    """Why nothing can be said of it; empty where it answered."""


def camera_numbers(folder: Path = Path("/sys/class/video4linux")) -> list[int]:
    """Return the numbers of the cameras that Linux knows; none are known on other systems."""
    numbers = []
    for device in folder.glob("video*"):
        # A camera's other devices (index > 0) carry metadata, not pictures.
        index = device / "index"
        if not index.is_file() or index.read_text().strip() == "0":
            numbers.append(int(device.name.removeprefix("video")))
    return sorted(numbers)


def describe_camera(
    number: int, *, ioctl: Ioctl | None = None, open_device: Callable[[str, int], int] = os.open
) -> Camera | None:
    """Return what a camera tells of itself; None where there is none of that number.

    A camera that another program uses answers as well; nothing of it is changed.

    Args:
        number: N of ``/dev/videoN``.
        ioctl: Asks the driver; None takes the system's, which Linux alone has.
        open_device: Opens the device; returns a file descriptor, which is closed.
    """
    if ioctl is None:
        import fcntl

        ioctl = fcntl.ioctl
    device = f"/dev/video{number}"
    try:
        handle = open_device(device, os.O_RDWR | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        fault = f"{device} cannot be opened ({error.strerror})"
        if isinstance(error, PermissionError):
            fault = f"you may not open {device}; add yourself to the group that owns it"
        return Camera(number=number, name="", fault=fault)
    try:
        return _describe(number, handle, ioctl)
    finally:
        os.close(handle)


def _describe(number: int, handle: int, ioctl: Ioctl) -> Camera | None:
    told = bytearray(struct.calcsize(_CAPABILITY))
    try:
        ioctl(handle, _QUERY_CAPABILITY, told)
    except OSError as error:
        return Camera(number=number, name="", fault=f"it does not answer ({error.strerror})")
    _, card, _, _, of_all, of_device = struct.unpack(_CAPABILITY, told)
    capabilities = of_device if of_all & _HAS_DEVICE_CAPS else of_all
    buffers = next((kind for bit, kind in _CAPTURES.items() if capabilities & bit), None)
    if buffers is None:  # an output, a radio, a decoder
        return None
    modes = tuple(_modes(handle, ioctl, buffers))
    return Camera(number=number, name=_text(card), modes=modes)


def _modes(handle: int, ioctl: Ioctl, buffers: int) -> Iterator[Mode]:
    for told in _entries(handle, ioctl, _LIST_FORMATS, _FORMAT, buffers):
        pixel_format = told[4]
        code = _text(pixel_format.to_bytes(4, "little")).strip()
        for size in _entries(handle, ioctl, _LIST_SIZES, _SIZE, pixel_format):
            kind, widths_and_heights = size[2], size[3:]
            is_range = kind != _DISCRETE
            width, height = widths_and_heights[1::3] if is_range else widths_and_heights[:2]
            rates = {
                Fraction(denominator, numerator)
                for rate in _entries(handle, ioctl, _LIST_RATES, _RATE, pixel_format, width, height)
                # Of a range the shortest interval, which is the highest rate, comes first.
                for numerator, denominator in [rate[5:7]]
                if numerator and denominator
            }
            yield Mode(
                size_wh=(width, height),
                rates_hz=tuple(sorted(rates, reverse=True)),
                code=code,
                is_range=is_range,
            )


def _entries(
    handle: int, ioctl: Ioctl, request: int, layout: str, *asked: int
) -> Iterator[tuple[Any, ...]]:
    """Yield the entries of a list until the driver says that there are no more."""
    for index in range(_MAX_ENTRIES):
        entry = bytearray(struct.calcsize(layout))
        struct.pack_into(f"={1 + len(asked)}I", entry, 0, index, *asked)
        try:
            ioctl(handle, request, entry)
        except OSError:
            return
        yield struct.unpack(layout, entry)


def _text(told: bytes) -> str:
    return told.partition(b"\0")[0].decode("utf-8", "replace")
