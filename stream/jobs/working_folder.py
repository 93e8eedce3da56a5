"""Where the live view's recordings and snapshots go: the working folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stream.frames import RgbImage
from stream.naming import CLEAN, EVENTS, OVERLAY, fresh_path
from stream.standby import PreRoll, PreRolls, Standby
from stream.takes import Event, Part, Takes
from stream.whole_files import told_of, written_whole

if TYPE_CHECKING:
    from stream.sinks.mp4 import Mp4Sink

__all__ = ["WorkingFolder"]


class WorkingFolder:
    """Makes the files of a live view; a ``stream.live_parts.LiveFiles``.

    What is recorded by key goes to the working folder under a fresh name: ``NAME.overlay.mp4``,
    ``NAME.clean.mp4`` and ``NAME.events.csv``. Further parts, where the picture's size changes, are
    called ``NAME-2`` and so on.

    Args:
        open_sink: Opens a file of video, which may be given a ``pre_roll`` to begin with.
        open_pre_roll: Returns what keeps the last seconds of a take for that; None keeps none.
    """

    def __init__(
        self,
        open_sink: Callable[..., Mp4Sink],
        open_pre_roll: Callable[[], PreRoll] | None = None,
    ) -> None:
        self._open_sink = open_sink
        self._open_pre_roll = open_pre_roll
        self._sinks: list[Mp4Sink] = []

    @property
    def warnings(self) -> list[str]:
        """What is not in the recordings as it should be."""
        # Both takes have the same sound, and may say the same of it.
        lines = list(dict.fromkeys(line for sink in self._sinks for line in sink.warnings))
        cut = [sink.written_path for sink in self._sinks if not sink.is_whole]
        return lines + [f"{path} plays up to where it broke off" for path in cut if path.exists()]

    @property
    def recordings(self) -> list[Path]:
        """Files of video that were recorded, and are whole."""
        return [sink.written_path for sink in self._sinks if sink.is_whole]

    @property
    def open_standby(self) -> Callable[[], Standby] | None:
        """Returns a recording that stands by; None where nobody asked for the last seconds."""
        return None if self._open_pre_roll is None else partial(Standby, self._open_pre_roll)

    def open_recording(self, pre_rolls: PreRolls | None = None) -> tuple[Takes, str]:
        """Return what keeps both takes and the events, and the name of what was drawn."""
        stem = fresh_path(f"{OVERLAY}.mp4", now=datetime.now()).name.removesuffix(f"{OVERLAY}.mp4")

        def open_part(number: int) -> Part:
            name = stem if number == 1 else f"{stem}-{number}"
            kept = pre_rolls if number == 1 else None
            return _Part(
                overlay=self._open(
                    Path(f"{name}{OVERLAY}.mp4"), pre_roll=kept.overlay if kept else None
                ),
                clean=self._open(Path(f"{name}{CLEAN}.mp4"), pre_roll=kept.clean if kept else None),
                events=Path(f"{name}{EVENTS}"),
            )

        return Takes(open_part), f"{stem}{OVERLAY}.mp4"

    def open_whole(self, output: Path) -> Takes:
        """Return what keeps all that is drawn in ``output``; further parts beside it."""

        def open_part(number: int) -> Part:
            path = output if number == 1 else output.with_stem(f"{output.stem}-{number}")
            return _Part(overlay=self._open(path))

        return Takes(open_part)

    def _open(self, path: Path, pre_roll: PreRoll | None = None) -> Mp4Sink:
        self._sinks.append(self._open_sink(path, pre_roll=pre_roll))
        return self._sinks[-1]

    def save_snapshot(self, canvas: RgbImage) -> str:
        """Write a PNG; return a notice."""
        from stream.sinks.png import write_png

        path = fresh_path(".png", now=datetime.now())
        write_png(path, canvas)
        return f"saved {path.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A ``stream.takes.Part``."""

    overlay: Mp4Sink
    clean: Mp4Sink | None = None
    events: Path | None = None

    def keep_events(self, events: Iterable[Event]) -> None:
        """Write a row for each event, if a file was asked for and there is a video to go with."""
        if self.events is None or not self.overlay.written_path.exists():
            return
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(("time_s", "setting", "value"))
        rows.writerows((f"{event.time_s:.3f}", event.setting, event.value) for event in events)
        with told_of(self.events), written_whole(self.events) as unfinished:
            unfinished.write_text(text.getvalue(), encoding="utf-8", newline="")
