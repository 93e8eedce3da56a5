"""The recordings of a live view: the whole run's, and those begun and ended by key."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from fractions import Fraction

from stream.channel import Keep
from stream.errors import SinkError, WorkerError
from stream.mark_name import MarkName
from stream.naming import without_folders
from stream.recorder import Recorder
from stream.standby import OpenRecording, Standby
from stream.takes import MARK, SIGNAL, RecordedFrame, Takes

__all__ = ["LiveRecordings"]


class LiveRecordings:
    """Keeps frames in what is being recorded; used by the loop's thread.

    Args:
        open_recording: Returns new files for the record key.
        open_standby: Returns a recording that stands by for the key; None keeps no last seconds.
        keep: What survives where an encoder is too slow.
        say: Shows a notice.
        now_ns: The clock.
        is_watched: Somebody sees notices: a recording that fails is one. Else it ends the loop.
        names_marks: A mark's name is typed after its key.
    """

    def __init__(
        self,
        open_recording: OpenRecording,
        *,
        open_standby: Callable[[], Standby] | None,
        keep: Keep,
        say: Callable[[str], None],
        now_ns: Callable[[], int],
        is_watched: bool,
        names_marks: bool = False,
    ) -> None:
        self._open_recording = open_recording
        self._open_standby = open_standby
        self._keep: Keep = keep
        self._say = say
        self._now_ns = now_ns
        self._is_watched = is_watched
        self._names_marks = names_marks
        self._naming: MarkName | None = None
        self._named_elsewhere: dict[str, MarkName] = {}
        self._whole: Recorder[RecordedFrame] | None = None
        self._part: Recorder[RecordedFrame] | None = None
        self._standby: Recorder[RecordedFrame] | None = None
        self._ending: list[Recorder[RecordedFrame]] = []
        self._let_go: list[Recorder[RecordedFrame]] = []  # failed and told of, or not wanted
        self._dropped = self._dropped_before = self._began_ns = self._whole_began_ns = (
            self._num_marks
        ) = 0
        self._newest_s = Fraction(-1)
        self.faults: list[str] = []
        """What ended recordings before their time, a line each."""

    @property
    def length_s(self) -> float | None:
        """How long the newest recording that is going on has been; None where none is."""
        if not self._current:
            return None
        began_ns = self._whole_began_ns if self._part is None else self._began_ns
        return (self._now_ns() - began_ns) / 1e9

    @property
    def dropped(self) -> int:
        """Frames that were not recorded because the encoder was too slow."""
        return self._dropped + sum(each.dropped for each in (*self._current, *self._ending))

    @property
    def dropped_now(self) -> int:
        """The same, of the recordings that are going on."""
        return sum(each.dropped for each in self._current) - self._dropped_before

    def begin_whole(self, takes: Takes) -> None:
        """Record all of the run from now on."""
        self._whole = self._begin(takes, "the view")
        self._whole_began_ns = self._began_ns

    def toggle(self) -> None:
        """Begin a recording, or end the one that is going on; say which."""
        if self._part is not None:
            self._end_naming_elsewhere()
            self._finish(self._part)
            return
        try:
            self._part = self._go_on() if self._standby is not None else self._begin_part()
        except SinkError as error:  # a folder that cannot be written is no reason to end
            self._say(f"{error}")
            return
        self._say(f"recording to {self._part.name}")

    def press_mark(self) -> None:
        """Mark this moment: by what is typed next, where somebody can type, or by a number."""
        mark = self._begin_mark()
        if self._names_marks:
            self._naming = mark
        elif mark is not None:
            self._settle_mark(mark)

    def _begin_mark(self) -> MarkName | None:
        if not self._marked:
            self._say("marks are set in a recording: press r first")
            return None
        self._num_marks += 1
        return MarkName(self._num_marks, self._newest_s)

    def tell_signal(self, state: str) -> None:
        """Keep that the source was lost, or is back, with the newest moment there is."""
        self._keep_event(state, self._newest_s, SIGNAL)

    @property
    def words(self) -> str:
        """What to say meanwhile; else nothing."""
        return self._naming.words if self._naming is not None else ""

    def hear(self, press: str) -> bool:
        """Take a key of a mark's name that is typed, or what is said of one named elsewhere.

        Many may name marks at a time, each under a word of its own: "mark WORD" marks the moment,
        "mark WORD~NAME" tells what is typed so far, "mark WORD=NAME" the name, "no mark WORD" takes
        it back. Where a recording ends meanwhile, its marks are called what was typed until then.

        Args:
            press: As a screen tells it.

        Returns:
            Whether it is of a mark; else it has another meaning.
        """
        if self._naming is not None:
            if self._naming.press(press):
                self._end_naming()
                self._naming = None
        elif press.startswith(("mark ", "no mark ")):
            self._hear_from_elsewhere(*press.partition("mark "))
        else:
            return False
        return True

    def _hear_from_elsewhere(self, no: str, _: str, said: str) -> None:
        who = re.split("[=~]", said, maxsplit=1)[0]
        how, name = said[len(who) : len(who) + 1], said[len(who) + 1 :]
        if not no and not how:
            if mark := self._begin_mark():
                self._named_elsewhere[who] = mark
        elif (named := self._named_elsewhere.get(who)) is not None:  # else its recording has ended
            if no:
                named.drop()
            else:
                named.write(name)
            if how != "~":
                del self._named_elsewhere[who]
                self._settle_mark(named)

    def _end_naming(self) -> None:
        if self._naming is not None and not self._naming.is_late:
            self._naming.is_late = True
            self._settle_mark(self._naming)

    def _end_naming_elsewhere(self) -> None:
        marks, self._named_elsewhere = self._named_elsewhere, {}
        for mark in marks.values():
            self._settle_mark(mark)

    def _settle_mark(self, mark: MarkName) -> None:
        if mark.name is None or not self._marked:
            if mark.number == self._num_marks:
                self._num_marks -= 1
            self._say("no mark")
        else:
            self._keep_event(mark.name, mark.at_s, MARK)
            self._say(mark.name)

    def _keep_event(self, value: str, at_s: Fraction, setting: str) -> None:
        for recorder in self._marked:
            assert isinstance(recorder.sink, Takes | Standby)
            recorder.sink.mark(value, at_s, setting)

    def record(
        self, make_frame: Callable[[], RecordedFrame], pts: int, time_base: Fraction
    ) -> None:
        """Record a frame, unless a later one was recorded: a frame may have been held for longer.

        Raises:
            WorkerError: It cannot be kept, and there is nobody to tell.
        """
        if self._standby is None and self._part is None:
            self._stand_by()
        recorders = self._marked
        if not recorders or pts * time_base <= self._newest_s:
            return
        self._newest_s, frame = pts * time_base, make_frame()
        for recorder in recorders:
            self._record(recorder, frame, pts, time_base)

    def _stand_by(self) -> None:
        """Keep the last seconds from now on, if that is wanted and can be."""
        if self._open_standby is None:
            return
        try:
            standby = self._open_standby()
        except SinkError as error:
            self._open_standby = None
            self._tell_fault(error)
            return
        self._standby = Recorder(standby, "the last seconds", keep=self._keep)

    def settle_ended(self) -> None:
        """Say what has become of recordings that ended."""
        for recorder in [each for each in self._ending if each.is_finished]:
            self._ending.remove(recorder)
            self._settle(recorder)
        self._let_go = [each for each in self._let_go if not each.is_finished]

    def finish(self) -> None:
        """Have every recording end, in its own time: ``settle_ended`` says what came of it."""
        self._end_naming()
        self._end_naming_elsewhere()
        standby, self._standby = self._standby, None
        for recorder in self._current:
            self._finish(recorder)
        if standby is not None:  # nobody wanted the last seconds
            standby.finish()
            self._let_go.append(standby)

    def close(self) -> None:
        """Finish every recording, whatever becomes of the others; harmless when called again.

        Raises:
            WorkerError: One could not be finished.
        """
        with ExitStack() as stack:
            stack.callback(self._await)
            self.finish()

    def _await(self) -> None:
        """Wait for what is being finished."""
        ending, self._ending = self._ending, []
        with ExitStack() as stack:
            for recorder in ending:
                stack.callback(self._settle, recorder)
            for recorder in self._let_go:
                with suppress(WorkerError):
                    recorder.close()

    def _finish(self, recorder: Recorder[RecordedFrame]) -> None:
        """Let a recording end: a long file is rewritten, which takes a while, on its own thread."""
        recorder.finish()
        self._ending.append(recorder)
        self._forget(recorder)

    @property
    def _marked(self) -> list[Recorder[RecordedFrame]]:
        return [*self._current, *([self._standby] if self._standby else [])]

    @property
    def _current(self) -> list[Recorder[RecordedFrame]]:
        return [recorder for recorder in (self._whole, self._part) if recorder is not None]

    def _forget(self, recorder: Recorder[RecordedFrame]) -> None:
        if recorder is self._whole:
            self._whole = None
        elif recorder is self._part:
            self._part, self._dropped_before = None, 0

    def _begin_part(self) -> Recorder[RecordedFrame]:
        takes, name = self._open_recording()
        return self._begin(takes, name)

    def _go_on(self) -> Recorder[RecordedFrame]:
        """Return what stood by, which now records; something new where that has failed."""
        recorder = self._standby
        assert recorder is not None
        if recorder.is_finished:  # and no frame has come since, which would have found out
            try:
                recorder.close()
            except WorkerError as error:
                self._give_up(recorder, error)
            return self._begin_part()
        assert isinstance(recorder.sink, Standby)
        recorder.name, begin_s = recorder.sink.begin(self._open_recording)
        length_s = 0 if begin_s is None else self._newest_s - begin_s
        self._began_ns = self._now_ns() - round(length_s * 10**9)
        self._dropped_before = recorder.dropped  # it was no recording yet
        self._dropped -= self._dropped_before
        self._standby = None
        return recorder

    def _begin(self, takes: Takes, name: str) -> Recorder[RecordedFrame]:
        self._began_ns = self._now_ns()
        return Recorder(takes, name, keep=self._keep)

    def _record(
        self, recorder: Recorder[RecordedFrame], frame: RecordedFrame, pts: int, time_base: Fraction
    ) -> None:
        try:
            recorder.record(frame, pts, time_base)
        except WorkerError as error:
            if not self._is_watched:
                raise
            self._give_up(recorder, error)

    def _give_up(self, recorder: Recorder[RecordedFrame], error: WorkerError) -> None:
        """Go on without a recording that failed, and is being closed: the demo is worth more."""
        self._let_go.append(recorder)
        self._forget(recorder)
        if recorder is self._standby:
            self._standby = self._open_standby = None
        else:
            self._dropped += recorder.dropped
        self._tell_fault(error.__cause__)

    def _settle(self, recorder: Recorder[RecordedFrame]) -> None:
        try:
            recorder.close()
        except WorkerError as error:
            if not self._is_watched:
                raise
            self._tell_fault(error.__cause__)
            return
        finally:
            self._dropped += recorder.dropped
        self._say(f"saved {recorder.name}" if recorder.num_recorded else "nothing was recorded")

    def _tell_fault(self, fault: BaseException | None) -> None:
        self.faults.append(f"{fault}")
        self._say(f"recording stopped: {without_folders(str(fault))}")
