"""Recordings of a live view: what came, what was drawn, and what was changed meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import Protocol

from stream.closing import Closing
from stream.errors import SinkError
from stream.frames import RgbImage
from stream.keys import Setting
from stream.protocols import Sink

__all__ = [
    "Event",
    "Moment",
    "OpenRecording",
    "Part",
    "PreRolls",
    "TakePreRoll",
    "TakeSink",
    "Takes",
    "TwoPreRolls",
]


MAX_MARKS = 100
"""Marks that are kept before a recording: those of the last seconds are meant."""
_Shapes = tuple[tuple[int, ...], tuple[int, ...]]
_Past = tuple[Fraction, Sequence[Setting]]
"""From when on, in seconds, what was set."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What there is to keep of one moment."""

    clean: RgbImage
    """The frame as it came."""
    overlay: RgbImage
    """What was drawn of it, without read-outs and notices."""
    settings: Sequence[Setting] = ()
    """What can be set, and what it was set to."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person changed or marked, or that happened, during a recording."""

    time_s: float
    """When, in seconds since the recording's part began."""
    setting: str
    """What was set; "mark" for a mark, "signal" for a source that was lost or came back."""
    value: str
    """What it was set to, or the mark's name."""


class TakeSink(Sink, Protocol):
    """A file of one take."""

    def add_chapter(self, time_s: float, title: str) -> None:
        """Have a chapter begin at a time, in seconds since the first picture."""


class Part(Protocol):
    """The files of one part: all of its pictures have one size."""

    @property
    def clean(self) -> Sink | None:
        """Keeps the frames as they came; None where nobody wants that."""

    @property
    def overlay(self) -> TakeSink:
        """Keeps what was drawn."""

    def keep_events(self, events: Iterable[Event]) -> None:
        """Write what was changed, if anyone wants that; called once, at the end.

        Raises:
            SinkError: It could not be written.
        """


class TakePreRoll(Protocol):
    """The last seconds of one take."""

    @property
    def begin_s(self) -> Fraction:
        """When the first picture that is kept is shown, in seconds, as ``write`` was told."""

    def write(self, canvas: RgbImage, pts: int, time_base: Fraction) -> None:
        """Keep ``canvas`` for a while.

        Raises:
            SinkError: It cannot be.
        """


TwoPreRolls = tuple[TakePreRoll, TakePreRoll]
"""Of the frames as they came, and of what was drawn."""


class OpenRecording(Protocol):
    """Opens new files for the record key."""

    def __call__(self, pre_rolls: TwoPreRolls | None = None) -> tuple[Takes, str]:
        """Return them, and what to call them in a notice.

        Args:
            pre_rolls: What the takes begin with.

        Raises:
            SinkError: There can be none.
        """


class Takes(Closing):
    """Keeps moments in one or two takes with the same times; written by one thread.

    Where the size of a picture changes, another part begins, whose times begin at 0 again; a file
    of video has one size.

    Args:
        open_part: Returns the files of a part, counted from 1; may raise a ``SinkError``.
    """

    def __init__(self, open_part: Callable[[int], Part]) -> None:
        self._open_part = open_part
        self._num_parts = 1
        # The first is opened at once: whoever asks for a recording is told if there can be none.
        self._part = open_part(1)
        self._shapes: _Shapes | None = None
        self._first_s = self._newest_s = Fraction(0)
        self._settings: dict[str, str] = {}
        self._events: list[Event] = []
        self._marks: list[tuple[Fraction, str, str]] = []
        self._guard = threading.Lock()
        self._ending: list[threading.Thread] = []
        self._failure: SinkError | None = None
        self._is_closed = False

    def begin(self, at_s: Fraction, shapes: _Shapes, history: Iterable[_Past]) -> None:
        """Have time 0 before the first moment that is written: its files know what was then.

        Args:
            at_s: When, as ``write`` is told.
            shapes: Of the pictures of then.
            history: When what was set, from no later than then on.
        """
        self._first_s, self._shapes = at_s, shapes
        for time_s, settings in history:
            self._note(settings, max(at_s, time_s))

    def mark(self, name: str, at_s: Fraction, setting: str = "mark") -> None:
        """Give a name to the moment of a time as ``write`` is told; from any thread."""
        with self._guard:
            self._marks.append((at_s, setting, name))

    def write(self, moment: Moment, pts: int, time_base: Fraction) -> None:
        """Keep a moment, as of ``pts * time_base`` seconds.

        Raises:
            SinkError: It could not be kept; what was kept before stays good.
        """
        clean = self._part.clean
        shapes = _shapes_of(moment) if clean else ((), moment.overlay.shape)
        if self._shapes not in (None, shapes):
            part = self._open_part(self._num_parts + 1)  # without it this one is ended by ``close``
            self._add([], until_s=self._newest_s)
            self._end_in_background()
            self._num_parts += 1
            self._part, self._shapes = part, None
        if self._shapes is None:
            self._shapes = shapes
            self._first_s = pts * time_base
            self._settings = {}
        self._newest_s = pts * time_base
        shift = round(self._first_s / time_base)
        self._note(moment.settings, pts * time_base)
        if self._part.clean is not None:
            self._part.clean.write(moment.clean, pts - shift, time_base)
        self._part.overlay.write(moment.overlay, pts - shift, time_base)

    def close(self) -> None:
        """Finish all files; harmless when called again.

        Raises:
            SinkError: Not all could be kept; the rest is whole.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._add([], until_s=None)  # what was marked in the last moment
        self._end(self._part, self._events)
        for thread in self._ending:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _note(self, listed: Sequence[Setting], now_s: Fraction) -> None:
        settings = {setting.name: setting.value for setting in listed}
        time_s = float(now_s - self._first_s)
        changed = [
            Event(time_s, name, value)
            for name, value in settings.items()
            if self._settings.get(name) != value
        ]
        if self._settings:
            self._add(changed, until_s=now_s)
        else:  # what it begins with is no change
            self._events += changed
        self._settings = settings

    def _add(self, changes: Sequence[Event], *, until_s: Fraction | None) -> None:
        """Add changes, and marks before a time, to the events and the chapters."""
        with self._guard:
            due = [mark for mark in self._marks if until_s is None or mark[0] <= until_s]
            self._marks = [mark for mark in self._marks if mark not in due]
        marks = [Event(max(0.0, float(at_s - self._first_s)), *told) for at_s, *told in due]
        for time_s, events in groupby((*marks, *changes), key=lambda event: event.time_s):
            told = list(events)
            self._events += told
            self._part.overlay.add_chapter(time_s, ", ".join(map(_title_of, told)))

    def _end_in_background(self) -> None:
        """Finish a part while the next one goes on: a long file takes a while."""
        part, events, self._events = self._part, self._events, []
        thread = threading.Thread(target=self._end, args=(part, events), name="signlight-part")
        self._ending.append(thread)
        thread.start()

    def _end(self, part: Part, events: Sequence[Event]) -> None:
        if part.clean is not None:
            self._try(part.clean.close)
        self._try(part.overlay.close)
        in_order = sorted(events, key=lambda event: event.time_s)
        self._try(partial(part.keep_events, in_order))

    def _try(self, finish: Callable[[], None]) -> None:
        """Finish one file; the others are finished whatever becomes of it."""
        try:
            finish()
        except SinkError as error:
            self._failure = self._failure or error


class PreRolls(Closing):
    """Keeps the last seconds of both takes until a recording begins with them, then records.

    A ``stream.recorder.Keeper`` of moments; written by one thread.

    Args:
        open_pre_roll: Returns what keeps the last seconds of a take.
    """

    def __init__(self, open_pre_roll: Callable[[], TakePreRoll]) -> None:
        self._open_pre_roll = open_pre_roll
        self._pre_rolls = open_pre_roll(), open_pre_roll()
        self._shapes: _Shapes | None = None
        self._history: deque[_Past] = deque()
        self._marks: list[tuple[str, Fraction, str]] = []
        self._takes: Takes | None = None
        self._is_told = False
        self._guard = threading.Lock()

    def begin(self, open_recording: OpenRecording) -> tuple[str, Fraction | None]:
        """Have a recording begin, with what is kept; from any thread.

        Returns:
            What to call it, and when it begins, in seconds, as ``write`` was told; None: now.

        Raises:
            SinkError: It cannot be.
        """
        with self._guard:
            is_empty = self._shapes is None
            takes, name = open_recording(None if is_empty else self._pre_rolls)
            begin_s = None if is_empty else self._pre_rolls[0].begin_s
            for mark in self._marks:
                if begin_s is not None and mark[1] >= begin_s:
                    takes.mark(*mark)
            self._takes, self._is_told = takes, is_empty
        return name, begin_s

    def mark(self, name: str, at_s: Fraction, setting: str = "mark") -> None:
        """Give a name to the moment of a time; from the thread that calls ``begin``."""
        if self._takes is not None:
            self._takes.mark(name, at_s, setting)
        else:
            self._marks = [*self._marks[-MAX_MARKS:], (name, at_s, setting)]

    def write(self, moment: Moment, pts: int, time_base: Fraction) -> None:
        """Keep a moment, as of ``pts * time_base`` seconds.

        Raises:
            SinkError: It could not be kept; what was recorded before stays good.
        """
        with self._guard:
            if self._takes is None:
                self._keep(moment, pts, time_base)
                return
        self._tell(self._takes)
        self._takes.write(moment, pts, time_base)

    def close(self) -> None:
        """Finish the recording, if one has begun; harmless when called again.

        Raises:
            SinkError: Not all could be kept; the rest is whole.
        """
        if self._takes is not None:
            self._tell(self._takes)
            self._takes.close()

    def _tell(self, takes: Takes) -> None:
        """Tell, once, what is kept of the time before the recording."""
        if self._is_told:
            return
        self._is_told = True
        assert self._shapes is not None  # else there is nothing to tell
        takes.begin(self._pre_rolls[0].begin_s, self._shapes, self._history)

    def _keep(self, moment: Moment, pts: int, time_base: Fraction) -> None:
        shapes = _shapes_of(moment)
        if self._shapes not in (None, shapes):  # a file of video has one size
            self._pre_rolls = self._open_pre_roll(), self._open_pre_roll()
            self._history.clear()
        self._shapes = shapes
        for pre_roll, image in zip(self._pre_rolls, (moment.clean, moment.overlay), strict=True):
            pre_roll.write(image, pts, time_base)
        if not self._history or self._history[-1][1] != moment.settings:
            self._history.append((pts * time_base, moment.settings))
        begin_s = self._pre_rolls[0].begin_s
        while len(self._history) > 1 and self._history[1][0] <= begin_s:
            self._history.popleft()


def _shapes_of(moment: Moment) -> _Shapes:
    return moment.clean.shape, moment.overlay.shape


def _title_of(event: Event) -> str:
    return event.value if event.setting == "mark" else f"{event.setting} {event.value}"
