"""The read-outs, in the picture's top-left corner: of a running loop, or of a frame in a file."""

from __future__ import annotations

from overlays.colours import INK, QUIET, RECORDING
from overlays.labels import line_height
from overlays.lettering import text_width
from overlays.paint import draw_dot, draw_plate, draw_text
from overlays.panes import Rect
from stream.frames import RgbImage
from stream.stats import Stats

__all__ = ["Readouts"]

_MAX_SHARE = 1 / 8
"""Of the picture's height that lines may take, apart from the first."""


class Readouts:
    """Rates, latency, drops, and the signs for recording and pause, laid out for a picture.

    Numbers are bright, their units quiet. What does not fit on one line goes on the next, as long
    as the lines leave most of the picture free; the rest is left out, the least telling first.

    Args:
        stats: What to show; None where no loop runs for somebody to watch: the time is shown.
        signs_only: Show whether it is paused and recorded, and nothing else.
        room_wh: Width and height of the picture in pixels.
        size_px: Text size.
        margin_px: Distance from the picture's edges.
        time_s: Presentation time of the frame in its source, in seconds.
    """

    def __init__(
        self,
        stats: Stats | None,
        room_wh: tuple[int, int],
        size_px: float,
        margin_px: int,
        *,
        time_s: float = 0.0,
        signs_only: bool = False,
    ) -> None:
        self._size_px = size_px
        self._pad = round(0.75 * size_px)
        self._is_recording = stats is not None and stats.recording_s is not None
        self._sign = _sign_of(stats) if stats else ""
        dot_px = round(1.1 * size_px) if self._is_recording else 0
        self._sign_left = self._pad + dot_px
        sign_px = dot_px + text_width(self._sign, size_px) if self._sign else 0
        gap = round(1.1 * size_px)
        right_edge = room_wh[0] - 2 * (margin_px + self._pad)
        # Each item: number, unit, and where they begin.
        self._lines: list[list[tuple[str, str, int, int]]] = [[]]
        x = sign_px + gap if self._sign else 0
        widest = sign_px
        max_lines = max(1, int(_MAX_SHARE * room_wh[1] / line_height(size_px)))
        items = _items(stats) if stats else [(_clock(time_s), "into the recording")]
        for number, unit in () if signs_only else items:
            number_px = text_width(number, size_px) + round(0.3 * size_px)
            item_px = number_px + text_width(unit, size_px)
            if x > 0 and x + item_px > right_edge:
                if len(self._lines) == max_lines:
                    break
                self._lines.append([])
                x = 0
            self._lines[-1].append((number, unit, x, x + number_px))
            widest = max(widest, x + item_px)
            x += item_px + gap
        height = len(self._lines) * line_height(size_px) + round(0.5 * self._pad)
        fits = 0 < widest <= right_edge and height <= room_wh[1] // 4
        right = margin_px + widest + 2 * self._pad
        self.rect: Rect | None = (margin_px, margin_px, right, margin_px + height) if fits else None
        """Where they are drawn; None where there is no room."""

    def draw(self, canvas: RgbImage) -> None:
        """Draw them into the picture, in place."""
        if self.rect is None:
            return
        size_px, left = self._size_px, self.rect[0] + self._pad
        draw_plate(canvas, self.rect, self._pad)
        middle = self.rect[1] + 0.25 * self._pad + line_height(size_px) / 2
        if self._is_recording:
            draw_dot(canvas, left + 0.38 * size_px, middle, 0.33 * size_px, RECORDING)
        if self._sign:
            draw_text(canvas, self._sign, self.rect[0] + self._sign_left, middle, size_px, INK)
        for line in self._lines:
            for number, unit, number_x, unit_x in line:
                draw_text(canvas, number, left + number_x, middle, size_px, INK)
                draw_text(canvas, unit, left + unit_x, middle, size_px, QUIET)
            middle += line_height(size_px)


def _sign_of(stats: Stats) -> str:
    """Return what must be seen even where read-outs are hidden."""
    signs = []
    if stats.recording_s is not None:
        minutes, seconds = divmod(int(stats.recording_s), 60)
        signs.append(f"REC {minutes}:{seconds:02d}")
    if stats.is_frozen or stats.is_ended:
        signs.append("paused" if stats.is_frozen else "the end")
    return " \N{MIDDLE DOT} ".join(signs)


def _items(stats: Stats) -> list[tuple[str, str]]:
    """Return number and unit of what is shown, the most telling first."""
    items = [
        (f"{stats.fps_shown:.1f}", "frames/s"),
        (f"{stats.maps_per_s:.1f}", "maps/s"),
        (f"{stats.latency_ms:.0f}", "ms late"),
        _frames(stats.dropped_capture, "not shown"),
        (f"{stats.compute_ms:.0f}", "ms per map"),
    ]
    if stats.dropped_crops:
        items.append(_frames(stats.dropped_crops, "not mapped"))
    if stats.dropped_record:  # first: a recording with gaps is worth nothing until one knows
        items.insert(0, _frames(stats.dropped_record, "not recorded"))
    return items


def _frames(count: int, fate: str) -> tuple[str, str]:
    return f"{count}", f"frame{'' if count == 1 else 's'} {fate}"


def _clock(time_s: float) -> str:
    """Return a time as players and annotation tools write it: 0:01:02.345."""
    minutes, milliseconds = divmod(round(1000 * time_s), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{milliseconds / 1000:06.3f}"
