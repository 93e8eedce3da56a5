"""The live loop: the newest frame with the newest maps, and never a wait for the model."""

from __future__ import annotations

import math
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace

from stream.channel import ChannelClosed
from stream.errors import SinkError
from stream.frames import Frame, RgbImage
from stream.geometry import HandRegion
from stream.keys import Key, actions_of
from stream.live_meter import LiveMeter
from stream.live_parts import LiveControls, LiveFiles, LiveReport
from stream.live_recordings import LiveRecordings
from stream.live_signal import LiveSignal
from stream.located_frames import LocatedFrames
from stream.pacing import Clock, MonotonicClock, Pacer
from stream.playback import Playback
from stream.protocols import HandFinder, LiveAttention, LiveRenderer, Screen, Seekable, Source
from stream.scene import Scene
from stream.stats import Stats
from stream.takes import RecordedFrame, Takes

__all__ = ["LiveLoop"]

FILL_S = 0.5
"""Longest wait for a supply before a recording plays: what is slower cannot be in time."""
SEEK_S = 5.0
"""How far an arrow key goes in a recording."""
STALL_S = 0.05
"""Longest wait for a frame before the keyboard gets its turn, should a camera stall."""
MAX_PAST_BYTES = 2**27
"""Pictures that are kept to step back to: a second and a half of 1280 x 720, one of 8K."""
NOTICE_S = 2.0
"""How long a notice ("saved ...") stays on the picture."""


class LiveLoop:
    """Shows every captured frame with the newest maps there are, each carried by its hand.

    The calling thread composes and shows. A capture thread reads the source: of a live one the
    newest frame wins, a recording waits and plays at its own speed. A hands thread finds hands in
    the next frame while this one is drawn. An attention thread turns the newest crops into maps.
    Record threads write what is shown. A part that fails ends the loop with its error. The parts
    stay open, source and sinks apart: who made them closes them.

    The loop's own keys are ``KEYS``; what is recorded by key goes to a file of its own, beside
    ``save_to``. Every other key goes to ``controls``.

    Args:
        source: Where frames come from; read on the capture thread, closed at the end.
        finder: Finds hands; called on the hands thread.
        attention: Cuts crops on the calling thread and makes their maps on its own, which is
            running: a model may then get ready while the other parts are made.
        renderer: Draws; called on the calling thread.
        screen: Window and keyboard, or None to run without.
        controls: Reacts to the other keys.
        files: Makes the files of the loop's keys.
        save_to: Keeps the whole run; closed at its end. None keeps nothing.
        stop: Set it, from any thread or a signal handler, to end.
        stays: The last picture of a recording stays on the screen until a person quits.
        player: The source, where it can go back and on.
        greeting: Notice on the first picture.
        names_marks: A mark's name is typed after its key: the screen is in front of a keyboard.
        max_past_bytes: Pictures that are kept to step back to.
        clock: The passing of time.
    """

    def __init__(
        self,
        *,
        source: Source,
        finder: HandFinder,
        attention: LiveAttention,
        renderer: LiveRenderer,
        screen: Screen | None,
        controls: LiveControls,
        files: LiveFiles,
        save_to: Takes | None,
        stop: threading.Event,
        stays: bool = False,
        player: Seekable | None = None,
        greeting: str = "",
        names_marks: bool = False,
        max_past_bytes: int = MAX_PAST_BYTES,
        clock: Clock | None = None,
    ) -> None:
        self._renderer = renderer
        self._screen = screen
        self._controls = controls
        self._files = files
        self._stop = stop
        self._stays = stays and screen is not None
        self._greeting = greeting
        self._clock = clock or MonotonicClock()
        self._is_live = source.info.is_live
        self._pacer = None if self._is_live else Pacer(self._clock)
        self._frames = LocatedFrames(
            source,
            finder,
            stop=stop,
            pacer=self._pacer,
            leaves_out=screen is not None,
            clock=self._clock,
        )
        self._playback = Playback(
            self._frames,
            self._clock,
            pacer=self._pacer,
            player=player,
            max_past_bytes=max_past_bytes,
        )
        self._newest_maps = attention
        self._save_to = save_to
        self._recordings = LiveRecordings(
            files.open_recording,
            open_standby=files.open_standby,
            keep="latest" if self._is_live or screen is not None else "all",
            say=self._say,
            now_ns=self._clock.now_ns,
            is_watched=screen is not None,
            names_marks=names_marks,
        )
        self._signal = LiveSignal(self._clock.now_ns, lambda: self._recordings.tell_signal("lost"))
        self._scene: Scene | None = None
        self._canvas: RgbImage | None = None
        self._fills_until_ns: int | None = None
        self._notice = ("", 0)
        self._meter = LiveMeter()

    def run(self) -> LiveReport:
        """Run until the source ends, a person quits, ``stop`` is set or a part fails.

        Raises:
            WorkerError: A part failed on its thread; what it raised is the cause.
            SignlightError: A part failed on the calling thread.
        """
        with ExitStack() as stack:
            stack.callback(self._recordings.close)
            if self._save_to is not None:
                self._recordings.begin_whole(self._save_to)
            stack.enter_context(self._frames)
            self._frames.start()
            self._play()
            while self._is_wanted and self._stays and not self._is_live and self._scene:
                self._stay()
                if self._is_wanted:
                    self._frames.start_again()
                    self._play()
        return LiveReport(
            num_captured=self._meter.num_shown + self._frames.num_unshown,
            num_shown=self._meter.num_shown,
            dropped_capture=self._frames.num_dropped,
            dropped_record=self._recordings.dropped,
            num_maps=self._newest_maps.num_batches,
            late_p95_ms=self._meter.late_p95_ms,
            age_p95_ms=self._meter.age_p95_ms,
            faults=tuple(self._recordings.faults),
        )

    @property
    def _is_wanted(self) -> bool:
        return not self._stop.is_set() and (self._screen is None or self._screen.is_open)

    def _play(self) -> None:
        """Show what the source gives until it ends, or nobody wants more."""
        with suppress(ChannelClosed):  # the source has ended
            while self._is_wanted:
                if not self._playback.wants_next:
                    self._hold()
                elif self._fills_until_ns is not None:
                    self._fill(self._fills_until_ns)
                elif (located := self._frames.get(STALL_S)) is not None:
                    self._show(*located)
                else:
                    self._wait()
        self._newest_maps.check()
        if not self._stop.is_set():
            self._frames.check()

    def _show(self, frame: Frame, hands: tuple[HandRegion, ...]) -> None:
        is_back = self._signal.receive(frame)
        due_ns = self._pacer.due_ns(frame.time_s) if self._pacer else frame.captured_ns
        self._newest_maps.submit(frame, hands)
        self._playback.keep((frame, hands))
        if not self._meter.num_shown:
            self._say(self._greeting)
        self._scene = Scene(
            frame=frame, hands=hands, maps=self._newest_maps.at(frame, hands), stats=self._stats()
        )
        self._canvas = canvas = self._renderer.draw(self._scene)
        if self._pacer:
            self._clock.sleep_until(due_ns)
        self._present(canvas, 0.0)
        shown_ns = self._clock.now_ns()
        if self._pacer and not self._meter.num_shown:
            # The first picture opens the window: it has no time to be there.
            self._fills_until_ns = shown_ns + round(FILL_S * 1e9)
            self._pacer.restart()
            due_ns = shown_ns
        ages_s = [entry.age_s for entry in self._scene.maps.values()]
        self._meter.count(shown_ns, due_ns=due_ns, ages_s=ages_s)
        self._record(frame)
        if is_back:
            self._recordings.tell_signal("back")
        self._recordings.settle_ended()

    def _wait(self) -> None:
        """Listen to the keyboard while no frame comes; say so when that lasts."""
        if self._canvas is None or self._scene is None:
            return
        self._recordings.settle_ended()
        if self._is_live and self._signal.has_news():
            self._scene = replace(self._scene, hands=(), maps={}, stats=self._stats())
            self._canvas = self._renderer.draw(self._scene)
        self._present(self._canvas, 0.0)

    def _stay(self) -> None:
        """Hold the last picture until it is played again; recordings ended with the source."""
        self._say(self._playback.end())
        if self._playback.is_ended:
            self._recordings.finish()
        while self._playback.is_ended and self._is_wanted:
            self._hold()
        self._meter.forget_rate()

    def _fill(self, until_ns: int) -> None:
        """Let a recording play once frames wait behind its first picture.

        To find the first hands takes longer than a frame lasts: played at once, frames would come
        late until a supply has built up.
        """
        assert self._pacer is not None
        assert self._scene is not None
        assert self._canvas is not None
        self._newest_maps.check()
        if self._frames.wait_full(STALL_S) or self._clock.now_ns() >= until_ns:
            self._fills_until_ns = None
            self._pacer.begin(self._scene.frame.time_s)
            self._meter.forget_rate()
        else:
            self._present(self._canvas, 0.0)

    def _hold(self) -> None:
        """Show the frozen frame again, with the look, the maps and the notices of the moment."""
        assert self._scene is not None  # freezing needs a picture
        frame, hands = self._playback.current
        self._recordings.settle_ended()
        self._newest_maps.check()
        self._scene = Scene(
            frame=frame, hands=hands, maps=self._newest_maps.at(frame, hands), stats=self._stats()
        )
        self._canvas = self._renderer.draw(self._scene)
        if not self._playback.is_ended:
            self._record(frame)
        if self._present(self._canvas, STALL_S):
            self._newest_maps.submit(frame, hands)  # the key may have asked for another layer

    def _record(self, frame: Frame) -> None:
        """Record what was drawn of a frame, as of when it is shown."""
        heard_s = None if self._playback.is_frozen else frame.file_s
        view, controls = self._renderer, self._controls
        self._recordings.record(
            lambda: RecordedFrame(frame.image, view.kept, controls.settings, heard_s),
            frame.pts + round(self._playback.later_s / frame.time_base),
            frame.time_base,
        )

    def _present(self, canvas: RgbImage, wait_s: float) -> bool:
        """Show ``canvas`` and react to a key; return whether one was pressed."""
        key = self._screen.show(canvas, wait_s) if self._screen is not None else None
        if key is None:
            return False
        action = key.lower() if len(key) == 1 else key  # only names have capitals
        if self._recordings.hear(key):
            pass  # of a mark
        elif own := self._actions.get(action):
            own(self)
        else:
            self._say(self._controls.press(action))
        return True

    def _quit(self) -> None:
        self._stop.set()

    def _escape(self) -> None:
        if not self._controls.dismiss():
            self._stop.set()

    def _toggle_freeze(self) -> None:
        if self._playback.is_ended:
            self._seek_by(-math.inf)
        elif self._playback.is_frozen:
            self._playback.go_on()
            self._signal.wait_anew()
        else:
            self._freeze()

    def _freeze(self) -> None:
        self._playback.freeze()
        assert self._scene is not None  # a key is pressed on a picture
        # Its own map is to come.
        self._newest_maps.submit(self._scene.frame, self._scene.hands)

    def _step_on(self) -> None:
        """Show the next frame, and go on holding."""
        if self._playback.is_held:
            self._playback.step_on()
        else:
            self._freeze()

    def _step_back(self) -> None:
        """Show the frame before, as far back as they are kept."""
        if not self._playback.is_held:
            self._freeze()
        self._playback.step_back()

    def _seek_back(self) -> None:
        self._seek_by(-SEEK_S)

    def _seek_on(self) -> None:
        self._seek_by(SEEK_S)

    def _seek_by(self, by_s: float) -> None:
        self._say(self._playback.seek(by_s))

    def _toggle_recording(self) -> None:
        if self._playback.is_ended:
            self._say("it has ended: play it again, then record")
        else:
            self._recordings.toggle()

    def _mark(self) -> None:
        self._recordings.press_mark()

    def _leave_to_the_window(self) -> None:
        """Do nothing: a window reacts by itself."""

    def _keep_canvas(self) -> None:
        assert self._canvas is not None  # a key is pressed on a picture
        try:
            self._say(self._files.save_snapshot(self._renderer.kept))
        except SinkError as error:
            self._say(f"{error}")

    def _say(self, notice: str | None) -> None:
        if notice:
            self._notice = (notice, self._clock.now_ns() + round(NOTICE_S * 1e9))

    def _stats(self) -> Stats:
        self._say(self._controls.news())
        notice, until_ns = self._notice
        now_ns = self._clock.now_ns()
        return Stats(
            fps_shown=self._meter.per_s(now_ns),
            maps_per_s=self._newest_maps.per_s,
            dropped_capture=self._frames.num_dropped,
            dropped_crops=self._newest_maps.dropped,
            dropped_record=self._recordings.dropped_now,
            latency_ms=self._meter.late_ms,
            compute_ms=self._newest_maps.compute_ms,
            recording_s=self._recordings.length_s,
            is_frozen=self._playback.is_frozen,
            is_ended=self._playback.is_ended,
            lost_s=self._signal.lost_s if self._is_live and not self._playback.is_frozen else None,
            notice=self._recordings.words or (notice if now_ns < until_ns else ""),
        )

    WINDOW_KEYS = (
        Key(("f11",), "full screen", _leave_to_the_window, caps=("F11",)),
        Key(("q",), "quit", _quit),
        Key(("escape",), "close this card, or quit", _escape, caps=("Esc",)),
    )
    """Keys that the loop itself knows, of whoever started it."""
    KEYS = (
        Key(("space",), "freeze, or play again", _toggle_freeze, on_card="freeze"),
        Key((".",), "one frame on, of what is frozen", _step_on, on_card="one frame on"),
        Key((",",), "one frame back", _step_back),
        Key(("s",), "snapshot (PNG, in the working folder)", _keep_canvas, on_card="snapshot"),
        Key(("b",), "mark this moment of the recording", _mark, on_card="mark"),
        Key(("r",), "record (MP4, in the working folder)", _toggle_recording, on_card="record"),
        Key(
            ("left",),
            f"{SEEK_S:.0f} s back in a recording",
            _seek_back,
            caps=("\N{LEFTWARDS ARROW}",),
        ),
        Key(("right",), f"{SEEK_S:.0f} s on", _seek_on, caps=("\N{RIGHTWARDS ARROW}",)),
        *WINDOW_KEYS,
    )
    """Keys that the loop itself knows."""
    _actions = actions_of(KEYS)
