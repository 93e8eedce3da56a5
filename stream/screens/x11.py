"""A connection of our own to the X server, beside the one of OpenCV's toolkit."""

from __future__ import annotations

import ctypes
import os
import struct

__all__ = ["XConnection"]

_MAP_NOTIFY = 19
_STRUCTURE_NOTIFY = 1 << 17
_IS_VIEWABLE = 2
_ANY_TYPE = 0


class XConnection:
    """A connection made with libxcb, whose errors are answers, not the end of the process.

    Raises:
        OSError: The library is not installed.
    """

    def __init__(self) -> None:
        self._xcb = _load_xcb()
        self._libc = ctypes.CDLL(None)
        self._handle: int | None = self._xcb.xcb_connect(None, None)

    @property
    def is_good(self) -> bool:
        """Whether the server answered and let us in."""
        fault: int = self._xcb.xcb_connection_has_error(ctypes.c_void_p(self._handle))
        return fault == 0

    def announce_windows(self) -> int:
        """Tell this process once more of each window of its that the server shows.

        On a busy machine Qt 5 loses events while it opens a window (seen with 5.15.16: about one
        time in eight), the one that says that it is there among them; it would then paint nothing
        for as long as the window lives. To hear of it twice does no harm.

        Returns:
            How many windows there were to tell of.
        """
        windows = [window for window in self._windows() if self._is_ours_and_shown(window)]
        for window in windows:
            event = struct.pack("=BxHIIB19x", _MAP_NOTIFY, 0, window, window, 0)
            self._xcb.xcb_send_event(
                ctypes.c_void_p(self._handle),
                ctypes.c_uint8(0),
                ctypes.c_uint32(window),
                ctypes.c_uint32(_STRUCTURE_NOTIFY),
                event,
            )
        self._xcb.xcb_flush(ctypes.c_void_p(self._handle))
        return len(windows)

    def window_wh(self) -> tuple[int, int] | None:
        """Return the size of this process's window without its frame; None while none is shown."""
        for window in self._windows():
            if self._is_ours_and_shown(window):
                handle = ctypes.c_void_p(self._handle)
                cookie = self._xcb.xcb_get_geometry(handle, ctypes.c_uint32(window))
                reply = self._xcb.xcb_get_geometry_reply(handle, cookie, None)
                if not reply:
                    return None
                # Of the reply: eight bytes, the root, x and y; then two 16-bit sides.
                width, height = struct.unpack("=HH", ctypes.string_at(reply, 20)[16:])
                self._libc.free(ctypes.c_void_p(reply))
                return width, height
        return None

    def work_area_wh(self) -> tuple[int, int] | None:
        """Return the size of the screen without panels and docks; None where it is not told.

        Of several monitors it is what fits on each, where the window manager tells of them
        (GNOME's does); others tell of all together.
        """
        screen = self._screen()
        for name in (b"_GTK_WORKAREAS_D0", b"_NET_WORKAREA"):
            # Of each monitor, or of each desktop: x, y, width, height.
            numbers = self._property(screen.contents.value, name, max_num=64)
            if len(numbers) >= 4:
                return min(numbers[2::4]), min(numbers[3::4])
        # Of xcb_screen_t: root, colormap, two pixels, the mask of events; then two 16-bit sides.
        width, height = struct.unpack("=HH", ctypes.string_at(screen, 24)[20:24])
        return (width, height) if width and height else None

    @property
    def has_window_manager(self) -> bool:
        """Whether somebody answers for what windows ask: to fill the screen, say (EWMH)."""
        root = self._screen().contents.value
        return bool(self._property(root, b"_NET_SUPPORTING_WM_CHECK", max_num=1))

    def close(self) -> None:
        """Leave the server; harmless when called again."""
        if self._handle is not None:
            self._xcb.xcb_disconnect(ctypes.c_void_p(self._handle))
            self._handle = None

    def _screen(self) -> ctypes._Pointer[ctypes.c_uint32]:
        """Return the first screen's xcb_screen_t, of which the first member is the root window."""
        setup = ctypes.c_void_p(self._xcb.xcb_get_setup(ctypes.c_void_p(self._handle)))
        screen: ctypes._Pointer[ctypes.c_uint32] = self._xcb.xcb_setup_roots_iterator(setup).screen
        return screen

    def _windows(self) -> list[int]:
        """Return what a window manager lists (EWMH), or without one the root's children."""
        handle = ctypes.c_void_p(self._handle)
        root = self._screen().contents.value
        listed = self._property(root, b"_NET_CLIENT_LIST", max_num=1024)
        if listed:
            return listed
        cookie = self._xcb.xcb_query_tree(handle, ctypes.c_uint32(root))
        reply = self._xcb.xcb_query_tree_reply(handle, cookie, None)
        if not reply:
            return []
        children = self._xcb.xcb_query_tree_children(ctypes.c_void_p(reply))
        number = self._xcb.xcb_query_tree_children_length(ctypes.c_void_p(reply))
        windows: list[int] = children[:number]
        self._libc.free(ctypes.c_void_p(reply))
        return windows

    def _is_ours_and_shown(self, window: int) -> bool:
        if self._property(window, b"_NET_WM_PID") != [os.getpid()]:
            return False
        handle = ctypes.c_void_p(self._handle)
        cookie = self._xcb.xcb_get_window_attributes(handle, ctypes.c_uint32(window))
        reply = self._xcb.xcb_get_window_attributes_reply(handle, cookie, None)
        if not reply:
            return False
        map_state = ctypes.string_at(reply, 27)[26]
        self._libc.free(ctypes.c_void_p(reply))
        return map_state == _IS_VIEWABLE

    def _property(self, window: int, name: bytes, max_num: int = 1) -> list[int]:
        """Return the 32-bit values of a window's property; empty where there are none."""
        handle = ctypes.c_void_p(self._handle)
        cookie = self._xcb.xcb_intern_atom(
            handle, ctypes.c_uint8(0), ctypes.c_uint16(len(name)), name
        )
        reply = self._xcb.xcb_intern_atom_reply(handle, cookie, None)
        if not reply:
            return []
        atom = struct.unpack("=I", ctypes.string_at(reply, 12)[8:])[0]
        self._libc.free(ctypes.c_void_p(reply))
        cookie = self._xcb.xcb_get_property(
            handle,
            ctypes.c_uint8(0),
            ctypes.c_uint32(window),
            ctypes.c_uint32(atom),
            ctypes.c_uint32(_ANY_TYPE),
            ctypes.c_uint32(0),
            ctypes.c_uint32(max_num),
        )
        reply = self._xcb.xcb_get_property_reply(handle, cookie, None)
        if not reply:
            return []
        length = self._xcb.xcb_get_property_value_length(ctypes.c_void_p(reply))
        value = ctypes.string_at(
            self._xcb.xcb_get_property_value(ctypes.c_void_p(reply)), length // 4 * 4
        )
        self._libc.free(ctypes.c_void_p(reply))
        return list(struct.unpack(f"={length // 4}I", value))


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _ScreenIterator(ctypes.Structure):
    _fields_ = (
        ("screen", ctypes.POINTER(ctypes.c_uint32)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


def _load_xcb() -> ctypes.CDLL:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_setup_roots_iterator.restype = _ScreenIterator
    xcb.xcb_query_tree_children.restype = ctypes.POINTER(ctypes.c_uint32)
    xcb.xcb_get_property_value.restype = ctypes.c_void_p
    for name in (
        "query_tree",
        "get_window_attributes",
        "get_geometry",
        "intern_atom",
        "get_property",
    ):
        getattr(xcb, f"xcb_{name}").restype = _Cookie
        reply = getattr(xcb, f"xcb_{name}_reply")
        reply.restype = ctypes.c_void_p
        reply.argtypes = (ctypes.c_void_p, _Cookie, ctypes.c_void_p)
    return xcb
