"""A recording that stands by: the last seconds before its key are kept, and it begins with them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from stream.closing import Closing
from stream.errors import SinkError
from stream.frames import RgbImage
from stream.takes import MARK, Past, RecordedFrame, Shapes, Takes, shapes_of

__all__ = ["OpenRecording", "PreRoll", "PreRolls", "Standby"]

MAX_MARKS = 100
"""Marks that are kept before a recording: those of the last seconds are meant."""


class PreRoll(Protocol):
    """The last seconds of one take."""

    @property
    def begin_s(self) -> Fraction:
        """When the first picture that is kept is shown, in seconds, as ``write`` was told."""

    def write(self, canvas: RgbImage, pts: int, time_base: Fraction) -> None:
        """Keep ``canvas`` for a while.

        Raises:
            SinkError: It cannot be.
        """


@dataclass(frozen=True, slots=True)
class PreRolls:
    """The last seconds of both takes, which begin at the same time."""

    clean: PreRoll
    """Of the frames as they came."""
    overlay: PreRoll
    """Of what was drawn."""


class OpenRecording(Protocol):
    """Opens new files for the record key."""

    def __call__(self, pre_rolls: PreRolls | None = None) -> tuple[Takes, str]:
        """Return them, and what to call them in a notice.

        Args:
            pre_rolls: What the takes begin with.

        Raises:
            SinkError: There can be none.
        """


class Standby(Closing):
    """Keeps the last seconds of both takes until a recording begins with them, then records.

    A ``stream.recorder.Keeper`` of recorded frames; written by one thread.

    Args:
        open_pre_roll: Returns what keeps the last seconds of a take.
    """

    def __init__(self, open_pre_roll: Callable[[], PreRoll]) -> None:
        self._open_pre_roll = open_pre_roll
        self._pre_rolls = PreRolls(open_pre_roll(), open_pre_roll())
        self._shapes: Shapes | None = None
        self._newest_s = Fraction(0)
        self._history: deque[Past] = deque()
        self._marks: list[tuple[str, Fraction, str]] = []
        self._takes: Takes | None = None
        self._is_told = self._is_closed = False
        self._guard = threading.Lock()

    def begin(self, open_recording: OpenRecording) -> tuple[str, Fraction | None]:
        """Have a recording begin, with what is kept; from any thread.

        Returns:
            What to call it, and when it begins, in seconds, as ``write`` was told; None: now.

        Raises:
            SinkError: It cannot be.
        """
        with self._guard:
            if self._is_closed:  # nobody would write its files, nor finish them
                raise SinkError("the last seconds could not be kept; press r again")
            is_empty = self._shapes is None
            takes, name = open_recording(None if is_empty else self._pre_rolls)
            begin_s = None if is_empty else self._pre_rolls.clean.begin_s
            for mark in self._marks:
                if begin_s is None or mark[1] >= begin_s:
                    takes.mark(*mark)
            self._takes, self._is_told = takes, is_empty
        return name, begin_s

    def mark(self, name: str, at_s: Fraction, setting: str = MARK) -> None:
        """Give a name to the moment of a time; from the thread that calls ``begin``."""
        if self._takes is not None:
            self._takes.mark(name, at_s, setting)
        else:
            self._marks = [*self._marks[-MAX_MARKS:], (name, at_s, setting)]

    def write(self, frame: RecordedFrame, pts: int, time_base: Fraction) -> None:
        """Keep a frame, as of ``pts * time_base`` seconds.

        Raises:
            SinkError: It could not be kept; what was recorded before stays good.
        """
        with self._guard:
            if self._takes is None:
                self._keep(frame, pts, time_base)
                return
        self._tell(self._takes)
        self._takes.write(frame, pts, time_base)

    def close(self) -> None:
        """Finish the recording, if one has begun; harmless when called again.

        Raises:
            SinkError: Not all could be kept; the rest is whole.
        """
        with self._guard:
            self._is_closed = True
        if self._takes is not None:
            self._tell(self._takes)
            self._takes.close()

    def _tell(self, takes: Takes) -> None:
        """Tell, once, what is kept of the time before the recording."""
        if self._is_told:
            return
        self._is_told = True
        assert self._shapes is not None  # else there is nothing to tell
        takes.begin(self._pre_rolls.clean.begin_s, self._newest_s, self._shapes, self._history)

    def _keep(self, frame: RecordedFrame, pts: int, time_base: Fraction) -> None:
        shapes = shapes_of(frame)
        if self._shapes not in (None, shapes):  # a file of video has one size
            self._pre_rolls = PreRolls(self._open_pre_roll(), self._open_pre_roll())
            self._history.clear()
        self._shapes = shapes
        self._pre_rolls.clean.write(frame.clean, pts, time_base)
        self._pre_rolls.overlay.write(frame.overlay, pts, time_base)
        self._newest_s = pts * time_base
        past = Past.of(frame, self._newest_s)
        if not self._history or not past.goes_on_from(self._history[-1]):
            self._history.append(past)
        begin_s = self._pre_rolls.clean.begin_s
        while len(self._history) > 1 and self._history[1].time_s <= begin_s:
            self._history.popleft()
