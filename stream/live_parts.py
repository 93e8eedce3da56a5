"""What the live loop needs beside frames and maps, and what it tells at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from stream.frames import RgbImage
from stream.keys import Setting
from stream.standby import PreRolls, Standby
from stream.takes import Takes

__all__ = ["LiveControls", "LiveFiles", "LiveReport"]


class LiveControls(Protocol):
    """What keys change that the loop itself does not know."""

    def news(self) -> str | None:
        """Return, once, a notice of what has come of an earlier key, if anything has."""

    def press(self, key: str) -> str | None:
        """React to a key that is not the loop's own; return a notice to show, if any."""

    def dismiss(self) -> bool:
        """Take away what covers the picture; return whether anything did."""

    @property
    def settings(self) -> Sequence[Setting]:
        """What can be set, and what it is set to."""


class LiveFiles(Protocol):
    """Makes the files that a person asks for by key."""

    @property
    def open_standby(self) -> Callable[[], Standby] | None:
        """Returns a recording that stands by for its key; None where nobody wants that."""

    def open_recording(self, pre_rolls: PreRolls | None = None) -> tuple[Takes, str]:
        """Return new files for the record key, and what to call them in a notice.

        Args:
            pre_rolls: What they begin with.

        Raises:
            SinkError: It cannot be; shown as a notice.
        """

    def save_snapshot(self, canvas: RgbImage) -> str:
        """Keep ``canvas`` as a picture; return a notice.

        Raises:
            SinkError: It cannot be kept; shown as a notice.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReport:
    """What a live run came to; times are of its last frames, eleven minutes at 30 a second."""

    num_captured: int
    """Frames taken from the source."""
    num_shown: int
    """Frames shown (or composed, where there is no window)."""
    dropped_capture: int
    """Frames that newer ones replaced before they were shown."""
    dropped_record: int
    """Frames that were not recorded in time."""
    num_maps: int
    """Batches of maps the model finished."""
    late_p95_ms: float | None
    """95th percentile of shown minus due (a recording) or minus captured (a camera), in ms; None
    where nothing was shown."""
    age_p95_ms: float | None
    """95th percentile of the age of the maps on show, in ms; None where no map was shown."""
    faults: tuple[str, ...] = ()
    """What ended recordings before their time, a line each."""

    def __str__(self) -> str:
        words = [f"{self.num_shown} frames shown, {self.dropped_capture} dropped"]
        if self.late_p95_ms is not None:
            words.append(f"95 % within {self.late_p95_ms:.0f} ms")
        if self.age_p95_ms is None:
            words.append("no map")
        else:
            words.append(f"{self.num_maps} maps, 95 % younger than {self.age_p95_ms:.0f} ms")
        if self.dropped_record:
            words.append(f"{self.dropped_record} frames not recorded")
        return "; ".join(words)
