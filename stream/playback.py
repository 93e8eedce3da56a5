"""Where a live view is in its source: it plays, is frozen, stepped through, or at the end."""

from __future__ import annotations

import math
from fractions import Fraction

from stream.located_frames import LocatedFrames
from stream.pacing import Clock, Pacer
from stream.past_frames import Located, PastFrames
from stream.protocols import Seekable

__all__ = ["Playback"]


class Playback:
    """Frames of a source as a person plays them; used by the loop's thread.

    Args:
        frames: Reads them.
        clock: The passing of time.
        pacer: When a recording's frames are due; None for a live source.
        player: The source, where it can go back and on, even from its end.
        max_past_bytes: Pictures that are kept to step back to.

    Attributes:
        is_frozen: Whether a person has stopped it.
        is_ended: Whether the source has ended, and its last picture stays.
    """

    def __init__(
        self,
        frames: LocatedFrames,
        clock: Clock,
        *,
        pacer: Pacer | None,
        player: Seekable | None,
        max_past_bytes: int,
    ) -> None:
        self._frames = frames
        self._now_ns = clock.now_ns
        self._pacer = pacer
        self._player = player
        self._past = PastFrames(max_past_bytes)
        self._held_s = Fraction(0)
        self._frozen_ns = 0
        self._is_stepping = False
        self.is_frozen = self.is_ended = False

    @property
    def is_held(self) -> bool:
        """Whether one picture stays."""
        return self.is_frozen or self.is_ended

    @property
    def current(self) -> Located:
        """The frame that is looked at; there is one once one was kept."""
        return self._past.current

    @property
    def later_s(self) -> Fraction:
        """So much later than its own time a frame that is shown now is shown, in seconds."""
        return self._held_s + (self._frozen_s if self.is_frozen else 0)

    @property
    def _frozen_s(self) -> Fraction:
        return Fraction(self._now_ns() - self._frozen_ns, 10**9)

    @property
    def wants_next(self) -> bool:
        """Whether the source's next frame is to be shown."""
        return not self.is_frozen or self._is_stepping

    def keep(self, located: Located) -> None:
        """Keep a frame that is shown, to step back to."""
        self._past.keep(located)
        if self._is_stepping:
            self._is_stepping = False
            self._count_held()
            if self._pacer:
                self._pacer.restart()  # those that follow are not late while it is held

    def freeze(self) -> None:
        """Stay at the frame on show."""
        self.is_frozen = True
        self._frozen_ns = self._now_ns()
        self._frames.hold()
        if self._pacer:
            self._pacer.restart()

    def go_on(self) -> None:
        """Play on from what is frozen."""
        self._count_held()
        self.is_frozen = self._is_stepping = False
        self._past.look_at_newest()
        self._frames.go_on()

    def step_back(self) -> None:
        """Look at the frame before, as far back as they are kept."""
        self._past.step_back()

    def step_on(self) -> None:
        """Look at the frame after; where none is kept, the source's next one is wanted."""
        self._is_stepping = not self._past.step_on() and self.is_frozen

    def end(self) -> str:
        """Stay at the last frame, unless the source is to go on from elsewhere; return a notice."""
        if self.is_frozen:
            self.go_on()
        self.is_ended = self._player is None or not self._player.is_sought
        return "space plays it again" if self._player and self.is_ended else ""

    def seek(self, by_s: float) -> str:
        """Play on from so many seconds later, minus infinity: from the beginning; return a notice.

        From its end a source goes back only.
        """
        if self._player is None:
            return "only a file goes back and on"
        if self.is_ended and by_s > 0:
            return "it has ended"
        if self.is_frozen:
            self.go_on()
        if self.is_ended:
            self.is_ended = False
            self._past.look_at_newest()
            if self._pacer:
                self._pacer.restart()
        self._player.seek(by_s)
        return f"{by_s:+.0f} s" if math.isfinite(by_s) else "from the beginning"

    def _count_held(self) -> None:
        if self._pacer:  # a live source's own time went on
            self._held_s += self._frozen_s
        self._frozen_ns = self._now_ns()
