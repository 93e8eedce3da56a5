"""The read-outs of a running loop, in the picture's top-left corner."""

from __future__ import annotations

from overlays.colours import INK, QUIET, RECORDING
from overlays.labels import line_height
from overlays.lettering import text_width
from overlays.paint import draw_dot, draw_plate, draw_text
from stream.frames import RgbImage
from stream.stats import Stats

__all__ = ["draw_readouts"]


def draw_readouts(room: RgbImage, stats: Stats, size_px: float, margin_px: int) -> int:
    """Draw rates, latency, drops and the recording dot; return the row below them.

    Numbers are bright, their units quiet; columns are wide enough not to move as numbers change.
    What does not fit beside each other goes on further lines; what does not fit at all is left out.
    """
    height, width = room.shape[:2]
    pad, gap = round(0.75 * size_px), round(1.1 * size_px)
    line = line_height(size_px)
    lines: list[list[tuple[str, str, int]]] = [[]]
    used = 0
    dot = round(1.1 * size_px) if stats.is_recording else 0
    if stats.is_recording:
        used = dot + text_width("REC", size_px) + gap
    head_px = used
    widest = 0
    for number, widest_number, unit in _items(stats):
        number_px = max(text_width(number, size_px), text_width(widest_number, size_px))
        item_px = number_px + round(0.3 * size_px) + text_width(unit, size_px)
        if lines[-1] and used + item_px > width - 2 * (margin_px + pad):
            lines.append([])
            used = 0
        lines[-1].append((number, unit, number_px))
        used += item_px + gap
        widest = max(widest, used - gap)
    rect = (
        margin_px,
        margin_px,
        margin_px + widest + 2 * pad,
        margin_px + len(lines) * line + round(0.5 * pad),
    )
    if rect[2] > width - margin_px or rect[3] > height // 3:
        return margin_px
    draw_plate(room, rect, pad)
    middle = margin_px + round(0.25 * pad) + line / 2
    for row, items in enumerate(lines):
        x = margin_px + pad
        if row == 0 and stats.is_recording:
            draw_dot(room, x + dot * 0.35, middle, 0.33 * size_px, RECORDING)
            draw_text(room, "REC", x + dot, middle, size_px, INK)
            x += head_px
        for number, unit, number_px in items:
            draw_text(room, number, x + number_px - text_width(number, size_px), middle, size_px)
            x += number_px + round(0.3 * size_px)
            x += draw_text(room, unit, x, middle, size_px, QUIET) + gap
        middle += line
    return rect[3]


def _items(stats: Stats) -> list[tuple[str, str, str]]:
    """Return number, the widest number to keep room for, and unit, the most telling first."""
    items = [
        (f"{stats.fps_shown:.1f}", "00.0", "fps"),
        (f"{stats.maps_per_s:.1f}", "00.0", "maps/s"),
        (f"{stats.latency_ms:.0f}", "00", "ms latency"),
        (f"{stats.compute_ms:.0f}", "000", "ms model"),
        (f"{stats.dropped_capture}", "0", "frames dropped"),
    ]
    if stats.dropped_record:
        items.append((f"{stats.dropped_record}", "0", "not recorded"))
    return items
