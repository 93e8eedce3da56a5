"""What is told of cameras, by a driver that answers as the kernel's do."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import run_live
from stream import sources
from stream.errors import SourceFormatError, SourceNotFoundError
from stream.jobs import cameras as job
from stream.jobs.cameras import lines_of
from stream.sources import camera, camera_list
from stream.sources.camera_list import list_cameras, number_of
from stream.sources.v4l2 import Camera, Mode, describe_camera
from tests.clips import patches
from tests.stream.captures import ScriptedCapture

U32 = ctypes.c_uint32
CAPTURE, OUTPUT, HAS_DEVICE_CAPS = 0x1, 0x2, 0x80000000


class Capability(ctypes.Structure):
    """``struct v4l2_capability`` of linux/videodev2.h; the others likewise."""

    _fields_ = (
        ("driver", ctypes.c_char * 16), ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32), ("version", U32), ("capabilities", U32),
        ("device_caps", U32), ("reserved", U32 * 3),
    )  # fmt: skip


class Format(ctypes.Structure):
    _fields_ = (
        ("index", U32), ("type", U32), ("flags", U32), ("description", ctypes.c_char * 32),
        ("pixelformat", ctypes.c_char * 4), ("mbus_code", U32), ("reserved", U32 * 3),
    )  # fmt: skip


class Size(ctypes.Structure):
    _fields_ = (
        ("index", U32), ("pixel_format", ctypes.c_char * 4), ("type", U32),
        ("sides", U32 * 6), ("reserved", U32 * 2),
    )  # fmt: skip


class Rate(ctypes.Structure):
    _fields_ = (
        ("index", U32), ("pixel_format", ctypes.c_char * 4), ("width", U32), ("height", U32),
        ("type", U32), ("fractions", U32 * 6), ("reserved", U32 * 2),
    )  # fmt: skip


class Driver:
    """Answers the four ioctls by their numbers, as printed by a C program on x86-64 Linux."""

    def __init__(
        self, name: str, modes: dict[bytes, dict[tuple[int, ...], list[tuple[int, ...]]]]
    ) -> None:
        self.name, self.modes = name, modes
        self.capabilities, self.device_caps = CAPTURE | OUTPUT | HAS_DEVICE_CAPS, CAPTURE

    def __call__(self, handle: int, request: int, told: bytearray) -> int:
        {
            0x80685600: self._capability,
            0xC0405602: self._format,
            0xC02C564A: self._size,
            0xC034564B: self._rate,
        }[request](told)
        return 0

    def _capability(self, told: bytearray) -> None:
        answer = Capability.from_buffer(told)
        answer.driver, answer.card = b"uvcvideo", self.name.encode()
        answer.capabilities, answer.device_caps = self.capabilities, self.device_caps

    def _format(self, told: bytearray) -> None:
        answer = Format.from_buffer(told)
        assert answer.type == 1
        answer.pixelformat = self._entry(list(self.modes), answer.index)
        answer.description = b"a description"

    def _size(self, told: bytearray) -> None:
        answer = Size.from_buffer(told)
        sides = self._entry(list(self.modes[answer.pixel_format]), answer.index)
        answer.type = 1 if len(sides) == 2 else 3
        answer.sides[: len(sides)] = sides

    def _rate(self, told: bytearray) -> None:
        answer = Rate.from_buffer(told)
        sizes = self.modes[answer.pixel_format]
        (size,) = (each for each in sizes if _largest(each) == (answer.width, answer.height))
        fractions = self._entry(sizes[size], answer.index)
        answer.type = 1 if len(fractions) == 2 else 3
        answer.fractions[: len(fractions)] = fractions

    @staticmethod
    def _entry(entries: list[Any], index: int) -> Any:  # noqa: ANN401
        if index >= len(entries):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return entries[index]


def _largest(sides: tuple[int, ...]) -> tuple[int, ...]:
    """Return width and height, of a range (least, most and step of each) the most."""
    return sides if len(sides) == 2 else (sides[1], sides[4])


WEBCAM = Driver(
    "HD Webcam C920",
    {
        b"MJPG": {(640, 480): [(1, 30), (1, 15)], (1920, 1080): [(1, 30), (1001, 24000)]},
        b"YUYV": {(640, 480): [(1, 30)], (1280, 720): [(1, 10)]},
    },
)
RANGED = Driver("Ranged", {b"NV12": {(16, 4096, 2, 16, 2160, 2): [(1, 60, 1, 1, 1, 60)]}})


def ask(driver: Driver, number: int = 0) -> Camera | None:
    return describe_camera(
        number, ioctl=driver, open_device=lambda path, flags: os.open(os.devnull, os.O_RDONLY)
    )


def test_name_sizes_and_rates_are_those_of_the_driver() -> None:
    found = ask(WEBCAM)
    assert found is not None
    assert (found.number, found.name, found.fault) == (0, "HD Webcam C920", "")
    assert len(found.modes) == 4
    assert found.modes[1] == Mode(
        size_wh=(1920, 1080), rates_hz=(Fraction(30), Fraction(24000, 1001)), code="MJPG"
    )


def test_a_range_of_sizes_is_told_by_its_largest() -> None:
    found = ask(RANGED)
    assert found is not None
    assert found.modes == (
        Mode(size_wh=(4096, 2160), rates_hz=(Fraction(60),), code="NV12", is_range=True),
    )


def test_a_device_that_gives_no_pictures_is_no_camera() -> None:
    driver = Driver("metadata", {})
    driver.device_caps = OUTPUT
    assert ask(driver) is None


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "you may not open /dev/video3; add"),
        (OSError(errno.EBUSY, "Device or resource busy"), "/dev/video3 cannot be opened (Device"),
    ],
)
def test_a_camera_that_cannot_be_asked_is_listed_with_the_reason(
    failure: OSError, words: str
) -> None:
    def refuse(path: str, flags: int) -> int:
        raise failure

    found = describe_camera(3, ioctl=WEBCAM, open_device=refuse)
    assert found is not None
    assert words in found.fault
    assert list(lines_of([found]))[1].strip() == found.fault


def test_sizes_are_listed_once_the_largest_first() -> None:
    found = ask(WEBCAM, 2)
    assert found is not None
    assert list(lines_of([found])) == [
        "2  HD Webcam C920",
        "   1920 x 1080   30, 23.98 fps MJPG",
        "   1280 x 720    10 fps YUYV",
        "   640 x 480     30, 15 fps MJPG; 30 fps YUYV",
    ]


@pytest.fixture
def two_webcams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    names = {0: "HD Webcam C920", 4: "Logitech BRIO"}
    monkeypatch.setattr(camera_list, "camera_numbers", lambda: [0, 4])
    monkeypatch.setattr(
        camera_list, "describe_camera", lambda number: Camera(number=number, name=names[number])
    )


@pytest.mark.usefixtures("two_webcams")
def test_a_part_of_a_name_finds_its_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    assert number_of("logitech") == 4
    assert number_of("clip.mp4") is None
    opened: list[int] = []

    def open_capture(number: int) -> ScriptedCapture:
        opened.append(number)
        return ScriptedCapture([patches()])

    monkeypatch.setitem(
        camera.CameraSource.__init__.__kwdefaults__ or {}, "open_capture", open_capture
    )
    with sources.open_source("logitech") as source:
        assert source.info.name == "camera 4"
    assert opened == [4]


@pytest.mark.usefixtures("two_webcams")
def test_a_part_that_several_names_have_is_asked_about() -> None:
    with pytest.raises(SourceNotFoundError, match=r"0 \(HD Webcam C920\), 4 \(Logitech BRIO\)"):
        number_of("c")


@pytest.mark.usefixtures("two_webcams")
def test_a_file_comes_before_a_camera_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brio").mkdir()
    with pytest.raises(SourceFormatError, match="brio has no picture"):
        sources.open_source("brio")


def test_elsewhere_is_told_what_each_camera_is_set_to(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to = {3: 1280.0, 4: 720.0, 5: 30.0}  # OpenCV's numbers of width, height and rate
    there = [ScriptedCapture([], settings=set_to), ScriptedCapture([], is_there=False)]
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(camera, "open_capture", lambda number: there[number])
    assert list(lines_of(list_cameras())) == [
        "0  (the system does not tell its name)",
        "   1280 x 720    30 fps",
    ]
    assert [each.num_released for each in there] == [1, 1]
    assert number_of("webcam") is None


def test_no_camera_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "list_cameras", list)
    assert run_live.main(["cameras"]) == 1
    assert capsys.readouterr().err.startswith("signlight: no camera answers; connect one")
