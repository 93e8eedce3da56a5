"""A window on the screen, and the keys pressed in it."""

from __future__ import annotations

import ctypes
import math
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from stream.closing import Closing
from stream.errors import DisplayError
from stream.frames import RgbImage, frozen_rgb
from stream.screens.x11 import XConnection

__all__ = ["Window", "key_name"]

_MAX_FIRST_WH = (1600, 900)
"""A window opens no larger than this, in pixels; the person may make it larger."""
_LEAST_FIRST_PX = 480
"""Shorter side to which a tiny picture is enlarged."""
_FRAME_WH = (16, 48)
"""What a window manager's frame takes of the screen, at most, as they come."""
_FULL_SCREEN = "f11"
_NO_BAR = 0.01
"""Bars of so little of the picture come from rounding, and are left out."""
_ROUNDED_PX = 2
"""What a window's size may differ from what it was given."""
_ASK_AGAIN_S = 0.2
"""Time from one question for the window's size to the next."""
_NUM_ANNOUNCEMENTS = 5
"""How often the toolkit is told that its window is there."""
_WAY_OUT = "run with --no-window --save FILE instead"
_NAMES = {
    "\r": "enter",
    "\n": "enter",
    "\x1b": "escape",
    " ": "space",
    "\t": "tab",
    "\b": "backspace",
    "\x7f": "delete",
}
_KEYSYM_NAMES = {
    0xFF08: "backspace",
    0xFF09: "tab",
    0xFF0D: "enter",
    0xFF1B: "escape",
    0xFF8D: "enter",
    0xFF51: "left",
    0xFF53: "right",
    0xF702: "left",
    0xF703: "right",
    0xFFC8: "f11",
    0xFFFF: "delete",
}
_WINDOWS_NAMES = {0x250000: "left", 0x270000: "right"}
_KEYSYM_KEYPAD = range(0xFFAA, 0xFFBA)
"""Keys of the number pad, ``*`` to ``9``, in the order of ASCII (X11 keysymdef.h)."""


class Window(Closing):
    """One window of OpenCV's, which keeps the picture's proportions; used from the main thread.

    It opens with the first picture, within the screen's work area, and is not opened again once the
    person has closed it. A picture of other proportions reshapes it, unless the person has given it
    a size, maximised it or made it fill the screen (F11): then it has black bars.

    Args:
        title: Text of the title bar.

    Raises:
        DisplayError: There is no screen, it does not answer, or OpenCV was built without windows.
    """

    def __init__(self, title: str = "Signlight") -> None:
        self._connection = _connect()
        self._title = title
        self._aspect_wh: tuple[int, int] | None = None
        self._given_wh = (0, 0)
        self._window_wh: tuple[int, int] | None = None
        self._before_wh: tuple[int, int] | None = None
        self._asked_s = -math.inf
        self._is_closed = False
        self._announcements_left = _NUM_ANNOUNCEMENTS

    @property
    def is_open(self) -> bool:
        """False once the person, or :meth:`close`, has closed the window."""
        if self._is_closed:
            return False
        if self._aspect_wh is not None and not _is_visible(self._title):
            self._is_closed = True
        return not self._is_closed

    def show(self, canvas: RgbImage, wait_s: float) -> str | None:
        """Show ``canvas``, uint8 ``(H, W, 3)`` RGB, then wait up to ``wait_s`` for a key.

        Returns at once when the window is closed.

        Args:
            canvas: The picture; it may be written to again afterwards.
            wait_s: Longest wait in seconds; with 0 only a key already pressed is reported.

        Returns:
            The character of the key in lower case, "space", "enter", "escape", "tab",
            "backspace", "delete", "left", "right", or None; F11 is the window's own.

        Raises:
            DisplayError: The window could not be opened.
        """
        canvas = frozen_rgb(canvas)
        if not self.is_open:
            return None
        try:
            self._fit(canvas.shape[1], canvas.shape[0])
            cv2.imshow(self._title, self._with_bars(cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR)))
            if self._connection is not None and self._announcements_left:
                self._announcements_left -= min(1, self._connection.announce_windows())
            code = cv2.waitKeyEx(max(1, round(wait_s * 1000)))
        except cv2.error as exc:
            raise DisplayError(f"no window can be shown ({exc.err}); {_WAY_OUT}") from exc
        key = key_name(code)
        if key != _FULL_SCREEN:
            return key
        self._toggle_full_screen()
        return None

    def close(self) -> None:
        """Close the window; harmless when called again."""
        if self.is_open and self._aspect_wh is not None:
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)  # the toolkit closes it only now
        self._is_closed = True
        if self._connection is not None:
            self._connection.close()

    def _fit(self, width: int, height: int) -> None:
        """Open the window, or reshape it when the picture's proportions change."""
        if self._aspect_wh is None:
            flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(self._title, flags)
        elif self._aspect_wh[0] * height == self._aspect_wh[1] * width:
            return
        is_the_person_s = self._aspect_wh is not None and self._has_another_size()
        self._aspect_wh = (width, height)
        if is_the_person_s:
            return
        room_w, room_h = self._room_wh()
        least = max(1.0, _LEAST_FIRST_PX / min(width, height))
        scale = min(least, room_w / width, room_h / height)
        self._given_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
        cv2.resizeWindow(self._title, *self._given_wh)

    def _room_wh(self) -> tuple[int, int]:
        """Return the largest size that a window opens with."""
        area = self._connection.work_area_wh() if self._connection is not None else None
        if area is None:
            return _MAX_FIRST_WH
        return (
            min(_MAX_FIRST_WH[0], max(1, area[0] - _FRAME_WH[0])),
            min(_MAX_FIRST_WH[1], max(1, area[1] - _FRAME_WH[1])),
        )

    def _has_another_size(self) -> bool:
        """Return whether the person has given the window a size."""
        if cv2.getWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN) > 0:
            return True
        found = self._size_wh()
        return found is not None and any(
            abs(side - given) > _ROUNDED_PX
            for side, given in zip(found, self._given_wh, strict=True)
        )

    def _size_wh(self) -> tuple[int, int] | None:
        """Return the window's size without its frame; None where it is not known."""
        # Qt's own answer is of the picture's place as it was some time ago.
        return self._connection.window_wh() if self._connection is not None else None

    def _with_bars(self, picture: RgbImage) -> RgbImage:
        """Return the picture with black bars, so that it has the window's proportions."""
        now_s = time.monotonic()
        if now_s - self._asked_s > _ASK_AGAIN_S:
            self._asked_s, self._window_wh = now_s, self._size_wh()
        if self._window_wh is None or min(self._window_wh) < 1:
            return picture
        height, width = picture.shape[:2]
        across = max(0, round(height * self._window_wh[0] / self._window_wh[1]) - width)
        along = max(0, round(width * self._window_wh[1] / self._window_wh[0]) - height)
        if max(across / width, along / height) < _NO_BAR:
            return picture
        left, top = across // 2, along // 2
        with_bars = cv2.copyMakeBorder(
            picture, top, along - top, left, across - left, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        return np.asarray(with_bars, np.uint8)

    def _toggle_full_screen(self) -> None:
        if self._connection is not None and not self._connection.has_window_manager:
            self._fill_screen()
            return
        is_full = cv2.getWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN) > 0
        wanted = cv2.WINDOW_NORMAL if is_full else cv2.WINDOW_FULLSCREEN
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, wanted)

    def _fill_screen(self) -> None:
        """Fill the screen, or leave it again, where no window manager does it."""
        assert self._connection is not None
        screen_wh, now_wh = self._connection.work_area_wh(), self._size_wh()
        if screen_wh is None or now_wh is None:
            return
        wanted_wh = self._before_wh or screen_wh
        self._before_wh = None if self._before_wh else now_wh
        cv2.resizeWindow(self._title, *wanted_wh)
        cv2.moveWindow(self._title, 0, 0)


def _is_visible(title: str) -> bool:
    try:
        return cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:
        return False


def key_name(code: int) -> str | None:
    """Return the name of a key from ``cv2.waitKeyEx``, whose codes differ between toolkits."""
    if code in _WINDOWS_NAMES:
        return _WINDOWS_NAMES[code]
    symbol = code & 0xFFFF  # GTK puts the modifiers above
    if code < 0 or symbol == 0:
        return None
    if symbol in _KEYSYM_NAMES:
        return _KEYSYM_NAMES[symbol]
    if symbol in _KEYSYM_KEYPAD:
        symbol = ord("*") + symbol - _KEYSYM_KEYPAD.start
    if symbol > 0xFF:  # below, X11 and Windows name letters as Latin-1 does
        return None
    character = chr(symbol)
    return _NAMES.get(character) or (character if character.isprintable() else None)


def _connect() -> XConnection | None:
    """Raise before OpenCV's toolkit would end the whole process, which is what Qt does.

    Returns:
        A connection to the X server, where there is one. It is kept: a server without a person in
        front of it (Xvfb) starts anew when its last client leaves, and would miss the next.
    """
    toolkit = cv2.currentUIFramework()
    if not toolkit:
        raise DisplayError(
            f"this OpenCV was built without windows; install opencv-python, or {_WAY_OUT}"
        )
    is_qt = toolkit.startswith("QT")
    if sys.platform != "linux" or (not is_qt and "WAYLAND_DISPLAY" in os.environ):
        return None
    display = os.environ.get("DISPLAY")
    if not display:
        raise DisplayError(f"there is no display to open a window on; {_WAY_OUT}")
    try:
        if is_qt:
            _prepare_qt()
        connection = XConnection()
    except OSError as exc:
        raise DisplayError(f"a library for windows is missing ({exc}); {_WAY_OUT}") from exc
    if not connection.is_good:
        connection.close()
        raise DisplayError(f"the display {display} does not answer or refuses access; {_WAY_OUT}")
    return connection


def _prepare_qt() -> None:
    # The wheels carry the X11 plugin only; a desktop may ask for Wayland's, and Qt would abort.
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    plugins = Path(cv2.__file__).parent / "qt" / "plugins" / "platforms"
    for plugin in plugins.glob("libqxcb.so"):
        ctypes.CDLL(str(plugin))
