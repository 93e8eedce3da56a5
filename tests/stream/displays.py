"""A display of its own for a test, with somebody at its keyboard."""

from __future__ import annotations

import ctypes
import os
import subprocess
from types import TracebackType

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
        with os.fdopen(reader) as answers:
            # Ends with the server's exit at the latest.
            self.name = f":{answers.readline().strip()}"

    def press(self, *keys: str) -> None:
        """Press keys, by their X11 names, in the window under the pointer."""
        self._xdotool("mousemove", "60", "60", "key", "--delay", "0", *keys)

    def window(self, title: str) -> str:
        """Return the id of the window of that title."""
        return self._xdotool("search", "--onlyvisible", "--name", f"^{title}$").split()[0]

    def size_of(self, window: str) -> tuple[int, int]:
        """Return the width and height of a window."""
        lines = self._xdotool("getwindowgeometry", "--shell", window).splitlines()
        values = dict(line.split("=") for line in lines)
        return int(values["WIDTH"]), int(values["HEIGHT"])

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
        self._server.wait(10)

    def _xdotool(self, *words: str) -> str:
        return subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self.name},
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
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
