"""A display of its own for a test, with somebody at its keyboard."""

from __future__ import annotations

import ctypes
import os
import subprocess
from types import TracebackType

from tests.waits import PROCESS_S, WAIT_S

__all__ = ["Display"]


class Display:
    """An X server that shows its screen to nobody, on a number of its own choosing.

    Args:
        options: Further options of Xvfb.
    """

    def __init__(self, *options: str) -> None:
        reader, writer = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24", *options],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        # The server writes its number once it answers; should it die, the pipe ends with it.
        with os.fdopen(reader) as answers:
            number = answers.readline().strip()
        assert number, "Xvfb did not start"
        self.name = f":{number}"

    def press(self, *keys: str) -> None:
        """Press keys, by their X11 names, in the window under the pointer."""
        self._xdotool("mousemove", "60", "60", "key", "--delay", "0", *keys)

    def window(self, title: str) -> str | None:
        """Return the id of the window of that title, or None while there is none to be seen."""
        found = self._xdotool("search", "--onlyvisible", "--name", f"^{title}$").split()
        return found[0] if found else None

    def size_of(self, window: str) -> tuple[int, int]:
        """Return the width and height of a window; 0 and 0 while the server does not know it."""
        lines = self._xdotool("getwindowgeometry", "--shell", window).splitlines()
        values = dict(line.split("=") for line in lines)
        return int(values.get("WIDTH", 0)), int(values.get("HEIGHT", 0))

    def pixel(self, x: int, y: int) -> tuple[int, ...]:
        """Return the colour of a pixel of the screen, RGB."""
        grab = f"-f x11grab -video_size 32x32 -grab_x {x} -grab_y {y} -i {self.name}"
        command = f"ffmpeg -v error {grab} -frames:v 1 -f rawvideo -pix_fmt rgb24 -"
        run = subprocess.run(command.split(), check=True, capture_output=True, timeout=PROCESS_S)
        return tuple(run.stdout[:3])

    def ask_to_close(self, window: str) -> None:
        """Do what the close button of a window's title bar does (ICCCM, WM_DELETE_WINDOW)."""
        xlib = ctypes.CDLL("libX11.so.6")
        xlib.XOpenDisplay.restype = ctypes.c_void_p
        xlib.XInternAtom.restype = ctypes.c_ulong
        connection = ctypes.c_void_p(xlib.XOpenDisplay(self.name.encode()))
        event = _ClientMessage(
            type=33,
            window=int(window),
            message_type=xlib.XInternAtom(connection, b"WM_PROTOCOLS", False),
            format=32,
        )
        event.data[0] = xlib.XInternAtom(connection, b"WM_DELETE_WINDOW", False)
        xlib.XSendEvent(connection, ctypes.c_ulong(int(window)), False, 0, ctypes.byref(event))
        xlib.XCloseDisplay(connection)

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.terminate()
        self._server.wait(WAIT_S)

    def _xdotool(self, *words: str) -> str:
        return subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self.name},
            check=False,  # a search that finds nothing yet is no failure
            capture_output=True,
            text=True,
            timeout=PROCESS_S,
        ).stdout


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent of Xlib, which is one member of the union XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest_of_union", ctypes.c_long * 24),
    )
