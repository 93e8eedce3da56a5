"""The list of cameras, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from stream.command_line.options import Options
from stream.errors import SourceNotFoundError
from stream.printable import printable
from stream.sources.camera_list import list_cameras
from stream.sources.v4l2 import Camera, Mode

__all__ = ["Cameras", "lines_of"]


@dataclass(frozen=True, slots=True)
class Cameras:
    """Prints each camera with what it can send."""

    options: Options
    """Those that every command takes."""

    def run(self) -> int:
        """Print them; return the exit code.

        Raises:
            SourceNotFoundError: There is none.
        """
        cameras = list_cameras()
        if not cameras:
            raise SourceNotFoundError(
                "no camera answers; connect one, or allow its use in the system's settings"
            )
        for line in lines_of(cameras):
            print(printable(line))
        return 0


def lines_of(cameras: Iterable[Camera]) -> Iterator[str]:
    """Yield number and name of each camera, then its sizes with their rates, the largest first."""
    for camera in cameras:
        yield f"{camera.number}  {camera.name or '(the system does not tell its name)'}"
        if camera.fault:
            yield f"   {camera.fault}"
        ordered = sorted(camera.modes, key=_size, reverse=True)
        for _, modes in groupby(ordered, key=_size):
            yield f"   {_words(list(modes))}"


def _size(mode: Mode) -> tuple[int, tuple[int, int], bool]:
    width, height = mode.size_wh
    return width * height, mode.size_wh, mode.is_range


def _words(modes: list[Mode]) -> str:
    """Return one size and, format by format, its rates: "1280 x 720   30, 15 fps MJPG"."""
    width, height = modes[0].size_wh
    size = f"{'up to ' if modes[0].is_range else ''}{width} x {height}"
    rates = "; ".join(filter(None, map(_rates, modes)))
    return f"{size:12}  {rates}".rstrip()


def _rates(mode: Mode) -> str:
    numbers = ", ".join(f"{float(rate):.4g}" for rate in mode.rates_hz)
    return " ".join(filter(None, (numbers, numbers and "fps", mode.code)))
