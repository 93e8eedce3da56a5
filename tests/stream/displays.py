"""A display of its own for a test, with somebody at its keyboard."""

from __future__ import annotations

import ctypes
import os
import subprocess
from types import TracebackType

import numpy as np

from stream.frames import RgbImage
from tests.waits import PROCESS_S, WAIT_S

__all__ = ["Display"]


class Display:
    """An X server that shows its screen to nobody, on a number of its own choosing.

    Args:
        options: Further options of Xvfb.
    """

    _size_wh = (1280, 900)

    def __init__(self, *options: str) -> None:
        reader, writer = os.pipe()
        self._server = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(writer),
                "-screen",
                "0",
                "{}x{}x24".format(*self._size_wh),
                *options,
            ],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        # The server writes its number once it answers; should it die, the pipe ends with it.
        with os.fdopen(reader) as answers:
            number = answers.readline().strip()
        assert number, "Xvfb did not start"
        self.name = f":{number}"
        self._xlib = _load_xlib()
        self._connection = ctypes.c_void_p(self._xlib.XOpenDisplay(self.name.encode()))

    def press(self, *keys: str) -> None:
        """Press keys, by their X11 names, in the window under the pointer, near the corner."""
        self._xdotool("mousemove", "40", "30", "key", "--delay", "0", *keys)

    def press_in(self, window: str, *keys: str) -> None:
        """Press keys in a window, wherever a window manager has put it."""
        self._xdotool("mousemove", "--window", window, "40", "30", "key", "--delay", "0", *keys)

    def window(self, title: str) -> str | None:
        """Return the id of the window of that title, or None while there is none to be seen."""
        found = self._xdotool("search", "--onlyvisible", "--name", f"^{title}$").split()
        return found[0] if found else None

    def size_of(self, window: str) -> tuple[int, int]:
        """Return the width and height of a window; 0 and 0 while the server does not know it."""
        lines = self._xdotool("getwindowgeometry", "--shell", window).splitlines()
        values = dict(line.split("=") for line in lines)
        return int(values.get("WIDTH", 0)), int(values.get("HEIGHT", 0))

    def resize(self, window: str, width: int, height: int) -> None:
        """Give a window another size, as a person who drags its edge does."""
        self._xdotool("windowsize", "--sync", window, f"{width}", f"{height}")

    def screenshot(self) -> RgbImage:
        """Return the screen, uint8 ``(H, W, 3)`` RGB."""
        width, height = self._size_wh
        root = ctypes.c_ulong(self._xlib.XDefaultRootWindow(self._connection))
        every_plane, whole_pixels = ctypes.c_ulong(0xFFFFFF), 2
        area = (0, 0, width, height)
        image = self._xlib.XGetImage(self._connection, root, *area, every_plane, whole_pixels)
        pixels = ctypes.string_at(image.contents.data, 4 * width * height)
        self._xlib.XDestroyImage(image)
        bgrx = np.frombuffer(pixels, np.uint8).reshape(height, width, 4)
        return np.ascontiguousarray(bgrx[:, :, 2::-1])

    def colour(self, x: int, y: int) -> tuple[int, ...]:
        """Return the colour of a pixel of the screen, RGB."""
        return tuple(self.screenshot()[y, x].tolist())

    def wipe(self, window: str) -> None:
        """Paint a window black, without a word to the program whose it is."""
        window_id = ctypes.c_ulong(int(window))
        self._xlib.XSetWindowBackground(self._connection, window_id, ctypes.c_ulong(0))
        self._xlib.XClearWindow(self._connection, window_id)
        self._xlib.XSync(self._connection, False)

    def tell_of(self, name: str, *numbers: int) -> None:
        """Set a property of the screen, as a window manager does (EWMH)."""
        xlib, connection = self._xlib, self._connection
        root = ctypes.c_ulong(xlib.XDefaultRootWindow(connection))
        atom = ctypes.c_ulong(xlib.XInternAtom(connection, name.encode(), False))
        values, cardinal, replace = (ctypes.c_long * len(numbers))(*numbers), ctypes.c_ulong(6), 0
        xlib.XChangeProperty(connection, root, atom, cardinal, 32, replace, values, len(numbers))
        xlib.XSync(connection, False)

    def ask_to_close(self, window: str) -> None:
        """Do what the close button of a window's title bar does (ICCCM, WM_DELETE_WINDOW)."""
        xlib, connection = self._xlib, self._connection
        event = _ClientMessage(
            type=33,
            window=int(window),
            message_type=xlib.XInternAtom(connection, b"WM_PROTOCOLS", False),
            format=32,
        )
        event.data[0] = xlib.XInternAtom(connection, b"WM_DELETE_WINDOW", False)
        xlib.XSendEvent(connection, ctypes.c_ulong(int(window)), False, 0, ctypes.byref(event))
        xlib.XFlush(connection)

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._connection:
            self._xlib.XCloseDisplay(self._connection)
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


def _load_xlib() -> ctypes.CDLL:
    xlib = ctypes.CDLL("libX11.so.6")
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XInternAtom.restype = ctypes.c_ulong
    xlib.XDefaultRootWindow.restype = ctypes.c_ulong
    xlib.XGetImage.restype = ctypes.POINTER(_Image)
    return xlib


class _Image(ctypes.Structure):
    """The beginning of Xlib's XImage."""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("xoffset", ctypes.c_int),
        ("format", ctypes.c_int),
        ("data", ctypes.c_void_p),
    )


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
