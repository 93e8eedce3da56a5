"""Recordings of a live view: what came, what was drawn, and what was changed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import Final, Protocol

from stream.closing import Closing
from stream.errors import SinkError
from stream.frames import RgbImage
from stream.keys import Setting
from stream.protocols import Sink

__all__ = [
    "MARK",
    "SIGNAL",
    "Event",
    "Part",
    "Past",
    "RecordedFrame",
    "Shapes",
    "TakeSink",
    "Takes",
    "shapes_of",
]

MARK: Final = "mark"
"""Setting of an event that is a mark; its value is the mark's name."""
SIGNAL: Final = "signal"
"""Setting of an event that tells of the source; its value is "lost" or "back"."""

Shapes = tuple[tuple[int, ...], tuple[int, ...]]
"""Of the arrays of a frame as it came, and of what was drawn of it."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordedFrame:
    """What there is to keep of one moment."""

    clean: RgbImage
    """The frame as it came."""
    overlay: RgbImage
    """What was drawn of it, without read-outs and notices."""
    settings: Sequence[Setting] = ()
    """What can be set, and what it was set to."""
    sound_s: Fraction | None = None
    """Moment of the file that is heard with it, in seconds; None: none is."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was set and heard from a time on."""

    time_s: Fraction
    """When that was, in seconds."""
    settings: Sequence[Setting]
    """What could be set, and what it was set to."""
    sound_delay_s: Fraction | None
    """So much later than in its file sound is heard, in seconds; None: none is."""

    @property
    def sound_s(self) -> Fraction | None:
        """Moment of the file that is heard then, in seconds; None: none is."""
        return None if self.sound_delay_s is None else self.time_s - self.sound_delay_s

    @classmethod
    def of(cls, frame: RecordedFrame, time_s: Fraction) -> Past:
        """Return what is set and heard with a frame of that time."""
        delay_s = None if frame.sound_s is None else time_s - frame.sound_s
        return cls(time_s, frame.settings, delay_s)

    def goes_on_from(self, before: Past) -> bool:
        """Return whether nothing has changed since then."""
        return (self.settings, self.sound_delay_s) == (before.settings, before.sound_delay_s)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person changed or marked, or that happened, during a recording."""

    time_s: float
    """When, in seconds since the recording's part began."""
    setting: str
    """What was set, or ``MARK`` or ``SIGNAL``."""
    value: str
    """What it was set to, what a mark is called, or what became of the source."""


class TakeSink(Sink, Protocol):
    """A file of one take."""

    def add_chapter(self, time_s: float, title: str) -> None:
        """Have a chapter begin at a time, in seconds since the first picture."""

    def turn_sound(self, time_s: Fraction, to_s: Fraction | None) -> None:
        """Have sound, from a time on, be that of its file from another moment on; None: silence."""


class Part(Protocol):
    """The files of one part: all of its pictures have one size."""

    @property
    def clean(self) -> TakeSink | None:
        """Keeps the frames as they came; None where nobody wants that."""

    @property
    def overlay(self) -> TakeSink:
        """Keeps what was drawn."""

    def keep_events(self, events: Iterable[Event]) -> None:
        """Write what was changed, if anyone wants that, in place of what was written before.

        Called at the end, and again where a mark of it gets its name only then.

        Raises:
            SinkError: It could not be written.
        """


@dataclass(frozen=True, slots=True)
class _Ended:
    """A part that was ended; a mark of its time may still be given its name."""

    part: Part
    first_s: Fraction
    newest_s: Fraction
    events: Sequence[Event]
    late: list[Event]
    ending: threading.Thread


class Takes(Closing):
    """Keeps frames in one or two takes with the same times; written by one thread.

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
        self._shapes: Shapes | None = None
        self._first_s = self._newest_s = Fraction(0)
        self._before: Past | None = None
        self._events: list[Event] = []
        self._marks: list[tuple[Fraction, str, str]] = []
        self._guard = threading.Lock()
        self._ended: list[_Ended] = []
        self._failure: SinkError | None = None
        self._is_closed = False

    def begin(
        self, at_s: Fraction, newest_s: Fraction, shapes: Shapes, history: Iterable[Past]
    ) -> None:
        """Have time 0 before the first frame that is written: its files know what was then.

        Args:
            at_s: When, as ``write`` is told.
            newest_s: When the newest frame of before was.
            shapes: Of the pictures of then.
            history: What was set and heard, from no later than then on.
        """
        self._first_s, self._newest_s, self._shapes = at_s, newest_s, shapes
        for past in history:
            self._note(replace(past, time_s=max(at_s, past.time_s)))

    def mark(self, name: str, at_s: Fraction, setting: str = MARK) -> None:
        """Give a name to the moment of a time as ``write`` is told; from any thread."""
        with self._guard:
            self._marks.append((at_s, setting, name))

    def write(self, frame: RecordedFrame, pts: int, time_base: Fraction) -> None:
        """Keep a frame, as of ``pts * time_base`` seconds.

        Raises:
            SinkError: It could not be kept; what was kept before stays good.
        """
        clean = self._part.clean
        shapes = shapes_of(frame) if clean else ((), frame.overlay.shape)
        if self._shapes not in (None, shapes):
            part = self._open_part(self._num_parts + 1)  # without it this one is ended by ``close``
            self._add([], until_s=self._newest_s)
            self._end_in_background()
            self._num_parts += 1
            self._part, self._shapes = part, None
        if self._shapes is None:
            self._shapes = shapes
            self._first_s = pts * time_base
            self._before = None
        self._newest_s = pts * time_base
        shift = round(self._first_s / time_base)
        self._note(Past.of(frame, self._newest_s))
        if self._part.clean is not None:
            self._part.clean.write(frame.clean, pts - shift, time_base)
        self._part.overlay.write(frame.overlay, pts - shift, time_base)

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
        for ended in self._ended:
            ended.ending.join()
            if ended.late:
                self._keep_events(ended.part, (*ended.events, *ended.late))
        if self._failure is not None:
            raise self._failure

    def _note(self, now: Past) -> None:
        before, self._before = self._before, now
        time_s = now.time_s - self._first_s
        if before is None or now.sound_delay_s != before.sound_delay_s:
            for take in filter(None, (self._part.clean, self._part.overlay)):
                take.turn_sound(time_s, now.sound_s)
        known = {} if before is None else {each.name: each.value for each in before.settings}
        changed = [
            Event(float(time_s), setting.name, setting.value)
            for setting in now.settings
            if known.get(setting.name) != setting.value
        ]
        if before is None:  # what it begins with is no change
            self._events += changed
        else:
            self._add(changed, until_s=now.time_s)

    def _add(self, changes: Sequence[Event], *, until_s: Fraction | None) -> None:
        """Add changes, and marks before a time, to the events and the chapters."""
        with self._guard:
            due = [mark for mark in self._marks if until_s is None or mark[0] <= until_s]
            self._marks = [mark for mark in self._marks if mark not in due]
        marks: list[Event] = []
        for at_s, *what in due:
            of = next((ended for ended in self._ended if at_s <= ended.newest_s), None)
            first_s, told_to = (self._first_s, marks) if of is None else (of.first_s, of.late)
            told_to.append(Event(max(0.0, float(at_s - first_s)), *what))
        for time_s, events in groupby((*marks, *changes), key=lambda event: event.time_s):
            told = list(events)
            self._events += told
            self._part.overlay.add_chapter(time_s, ", ".join(map(_title_of, told)))

    def _end_in_background(self) -> None:
        """Finish a part while the next one goes on: a long file takes a while."""
        part, events, self._events = self._part, self._events, []
        thread = threading.Thread(target=self._end, args=(part, events), name="signlight-part")
        self._ended.append(_Ended(part, self._first_s, self._newest_s, events, [], thread))
        thread.start()

    def _end(self, part: Part, events: Sequence[Event]) -> None:
        if part.clean is not None:
            self._try(part.clean.close)
        self._try(part.overlay.close)
        self._keep_events(part, events)

    def _keep_events(self, part: Part, events: Sequence[Event]) -> None:
        in_order = sorted(events, key=lambda event: event.time_s)
        self._try(partial(part.keep_events, in_order))

    def _try(self, finish: Callable[[], None]) -> None:
        """Finish one file; the others are finished whatever becomes of it."""
        try:
            finish()
        except SinkError as error:
            self._failure = self._failure or error


def shapes_of(frame: RecordedFrame) -> Shapes:
    """Return the shapes of its pictures."""
    return frame.clean.shape, frame.overlay.shape


def _title_of(event: Event) -> str:
    return event.value if event.setting == MARK else f"{event.setting} {event.value}"
