"""The window, with real key presses.

OpenCV's toolkit keeps its connection to a display for as long as the process lives, so every test
runs a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from stream.screens.window import key_name
from tests.conftest import ROOT
from tests.stream.displays import Display
from tests.waits import PROCESS_S, WAIT_S, until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="X servers without a screen are of the Unix world"
)


class Program:
    """A program with a window, told line by line what to do; it answers each line with one."""

    def __init__(self, display: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            cwd=ROOT,
            env={**os.environ, "DISPLAY": display},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, expression: str) -> object:
        """Return what ``expression`` is in there, where ``window`` is the window."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(expression + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the program died"
        result: object = eval(answer, {"__builtins__": {}})
        return result

    def show_until(self, is_so: Callable[[], bool], what: str, picture: str = "red") -> None:
        """Show a picture, at least once, until ``is_so()``."""
        self.tell(f"window.show({picture}, 0.1)")
        until(is_so, what, between=lambda: self.tell(f"window.show({picture}, 0.1)"))

    def end(self) -> int:
        """End the program; return its exit status."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            return self._process.wait(PROCESS_S)
        finally:
            self._process.kill()
            assert self._process.stdout is not None
            self._process.stdout.close()


_PROGRAM = f"""
import sys
import cv2
import numpy as np
from stream.screens.window import Window

codes = []  # what the toolkit says of every wait: a key's code, or -1
wait_key = cv2.waitKeyEx
def wait_and_note(delay_ms):
    codes.append(wait_key(delay_ms))
    return codes[-1]
cv2.waitKeyEx = wait_and_note

def name_of_first_key():
    for _ in range({WAIT_S:.0f}):
        if (name := window.show(red, 1)) is not None:
            return name

def names_of_one_key():
    names = [window.show(red, 1)]
    while codes[-1] == -1 and len(names) < {WAIT_S:.0f}:
        names.append(window.show(red, 1))
    return names if codes[-1] != -1 else "no key came"

red = np.zeros((360, 640, 3), np.uint8)
red[:, :, 0] = 255
blue = np.zeros((360, 640, 3), np.uint8)
blue[:, :, 2] = 255
with Window() as window:
    for line in sys.stdin:
        print(repr(eval(line)), flush=True)
"""


@pytest.fixture
def display() -> Iterator[Display]:
    with Display() as display:
        yield display


@pytest.fixture
def program(display: Display) -> Iterator[Program]:
    """The program, its window open and red to the eye: only then do keys and questions reach it."""
    program = Program(display.name)
    try:
        program.show_until(
            lambda: display.colour(100, 100) == (255, 0, 0), "a red window on the screen"
        )
        yield program
    finally:
        assert program.end() == 0


@pytest.mark.needs_display
class TestOnADisplay:
    def test_red_is_red_on_the_screen(self, display: Display, program: Program) -> None:
        program.show_until(lambda: display.colour(100, 100) == (0, 0, 255), "blue", "blue")
        program.show_until(lambda: display.colour(100, 100) == (255, 0, 0), "red", "red")

    def test_a_window_that_is_announced_once_more_is_painted(
        self, display: Display, program: Program
    ) -> None:
        """A busy machine's toolkit may have missed that its window is there."""
        window = display.window("Signlight")
        assert window is not None
        display.wipe(window)
        assert display.colour(100, 100) == (0, 0, 0)
        assert program.tell("window._connection.announce_windows()") == 1
        until(
            lambda: display.colour(100, 100) == (255, 0, 0),
            "a window painted again",
            between=lambda: program.tell("cv2.waitKey(50)"),  # no picture is shown anew
        )

    def test_keys_have_the_names_of_the_contract(self, display: Display, program: Program) -> None:
        for pressed, name in [
            *((character, character) for character in "0123456789mahlctnkfsrq"),
            ("bracketleft", "["),
            ("bracketright", "]"),
            ("plus", "+"),
            ("minus", "-"),
            ("question", "?"),
            ("space", "space"),
            ("Escape", "escape"),
            ("Return", "enter"),
            ("KP_Add", "+"),
            ("Left", "left"),
            ("Right", "right"),
            ("KP_7", "7"),
            ("shift+q", "q"),
        ]:
            display.press(pressed)
            assert program.tell("name_of_first_key()") == name, pressed

    def test_arrows_are_no_letters(self, display: Display, program: Program) -> None:
        """Their codes end in those of Q, R, S and T."""
        for pressed in ("Up", "Down", "Home", "F1"):
            display.press(pressed)
            names = program.tell("names_of_one_key()")
            assert isinstance(names, list), f"{pressed}: {names}"
            assert set(names) == {None}, pressed

    def test_without_a_key_it_goes_on(self, program: Program) -> None:
        assert program.tell("[window.show(red, 0) for _ in range(3)]") == [None] * 3
        assert program.tell("window.is_open") is True

    def test_it_opens_in_the_picture_s_own_size_or_what_fits(
        self, display: Display, program: Program
    ) -> None:
        def has_size(width: int, height: int) -> bool:
            window = display.window("Signlight")
            return window is not None and display.size_of(window) == (width, height)

        program.show_until(
            lambda: has_size(853, 480), "a window of 853 x 480, for 640 x 360 is tiny"
        )
        tall = "np.zeros((2000, 1000, 3), np.uint8)"
        room_px = min(900, display.screenshot().shape[0] - 48)  # a title bar has its place, too
        least, most = room_px // 2 - 1, room_px // 2 + 1
        program.show_until(
            lambda: any(has_size(width, room_px) for width in range(least, most + 1)),
            f"a window of {room_px} px",
            tall,
        )

    def test_a_size_that_a_person_gave_it_stays_and_has_black_bars(
        self, display: Display, program: Program
    ) -> None:
        window = display.window("Signlight")
        assert window is not None
        display.resize(window, 500, 500)
        program.show_until(
            lambda: (
                display.colour(250, 20) == (0, 0, 0)
                and display.colour(250, 480) == (0, 0, 0)
                and display.colour(250, 250) == (255, 0, 0)
            ),
            "bars above and below a red picture",
        )
        tall = "np.full((400, 100, 3), 255, np.uint8)"
        program.show_until(
            lambda: (
                display.colour(20, 250) == (0, 0, 0) and display.colour(250, 250) == (255, 255, 255)
            ),
            "bars beside a white picture",
            tall,
        )
        assert display.size_of(window) == (500, 500)

    def test_f11_fills_the_screen_and_leaves_it_again(
        self, display: Display, program: Program
    ) -> None:
        window = display.window("Signlight")
        assert window is not None
        height, width = display.screenshot().shape[:2]
        for wanted_wh in ((width, height), (853, 480)):
            display.press("F11")
            program.show_until(
                lambda: display.size_of(window) == wanted_wh,  # noqa: B023 - called before the next
                f"a window of {wanted_wh}",
            )

    def test_tiny_pictures_are_enlarged(self, display: Display) -> None:
        program = Program(display.name)
        tiny = "np.full((60, 80, 3), 255, np.uint8)"

        def is_large() -> bool:
            window = display.window("Signlight")
            return window is not None and display.size_of(window) == (640, 480)

        program.show_until(is_large, "a window of 640 x 480", tiny)
        assert program.end() == 0

    @pytest.mark.parametrize(
        ("name", "areas"),
        [
            ("_NET_WORKAREA", (0, 40, 1000, 640)),
            ("_GTK_WORKAREAS_D0", (0, 0, 1280, 900, 1280, 40, 1000, 640)),
        ],
        ids=["panel", "two monitors"],
    )
    def test_it_opens_within_the_work_area(
        self, display: Display, name: str, areas: tuple[int, ...]
    ) -> None:
        display.tell_of(name, *areas)
        program = Program(display.name)
        large = "np.full((1080, 1920, 3), 255, np.uint8)"

        def fits() -> bool:
            window = display.window("Signlight")
            return window is not None and display.size_of(window) == (984, 554)

        program.show_until(fits, "a window of 984 x 554", large)
        assert program.end() == 0

    def test_closing_it_is_noticed_and_it_stays_closed(
        self, display: Display, program: Program
    ) -> None:
        assert program.tell("window.is_open") is True
        window = display.window("Signlight")
        assert window is not None
        display.ask_to_close(window)
        program.show_until(lambda: program.tell("window.is_open") is False, "a closed window")
        assert program.tell("window.show(red, 0.1)") is None
        assert program.tell("window.is_open") is False

    def test_closing_twice_is_harmless(self, program: Program) -> None:
        assert program.tell("[window.close(), window.close(), window.is_open]") == [
            None,
            None,
            False,
        ]


@pytest.mark.needs_display
@pytest.mark.skipif(shutil.which("openbox") is None, reason="not installed: openbox")
def test_a_window_manager_fills_the_screen_and_keys_that_change_the_picture_leave_it_so() -> None:
    with Display() as display:
        manager = subprocess.Popen(
            ["openbox"], env={**os.environ, "DISPLAY": display.name}, stderr=subprocess.DEVNULL
        )
        program = Program(display.name)
        try:
            # One that finds a window when it starts does not give it the keyboard.
            until(
                lambda: program.tell("window._connection.has_window_manager") is True,
                "a window manager",
            )
            program.show_until(
                lambda: display.colour(640, 450) == (255, 0, 0), "a red window on the screen"
            )
            window = display.window("Signlight")
            assert window is not None
            screen_wh = display.screenshot().shape[1::-1]
            display.press_in(window, "F11")
            program.show_until(lambda: display.size_of(window) == screen_wh, "a full screen")
            program.show_until(
                lambda: (
                    display.colour(640, 450) == (255, 255, 255)
                    and display.colour(20, 450) == (0, 0, 0)
                ),
                "bars beside a white picture",
                "np.full((400, 100, 3), 255, np.uint8)",
            )
            assert display.size_of(window) == screen_wh
            display.press_in(window, "F11")
            program.show_until(lambda: display.size_of(window) == (853, 480), "a window again")
        finally:
            assert program.end() == 0
            manager.terminate()
            manager.wait(WAIT_S)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (-1, None),
        (0, None),
        (ord("q"), "q"),
        (ord("Q"), "Q"),
        (0xF6, chr(0xF6)),
        (0x10000 | ord("+"), "+"),  # GTK: shift held
        (0xFF1B, "escape"),
        (27, "escape"),
        (13, "enter"),
        (32, "space"),
        (0xFF51, "left"),  # of X11
        (0xFF54, None),  # down
        (0xFFE1, None),  # shift alone
        (0x250000, "left"),  # of Windows
        (0x280000, None),  # down
        (63234, "left"),  # of macOS
        (63233, None),  # down
        (0xFFB3, "3"),
        (0xFFAD, "-"),
    ],
)
def test_key_codes_of_the_toolkits(code: int, name: str | None) -> None:
    assert key_name(code) == name
