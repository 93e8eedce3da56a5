"""What a live view shows, measured."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from stream.stats import RateMeter, percentile

__all__ = ["MEASURED_FRAMES", "LiveMeter"]

MEASURED_FRAMES = 20_000
"""Frames the closing report looks back on: eleven minutes at 30 a second, so memory stays flat."""


class LiveMeter:
    """Counts frames as they are shown, and measures how late they and their maps are."""

    def __init__(self) -> None:
        self.num_shown = 0
        """Frames shown so far."""
        self._rate = RateMeter()
        self._late_ms: deque[float] = deque(maxlen=MEASURED_FRAMES)
        self._age_ms: deque[float] = deque(maxlen=MEASURED_FRAMES)

    def count(self, shown_ns: int, *, due_ns: int, ages_s: Iterable[float]) -> None:
        """Count a frame.

        Args:
            shown_ns: When it was shown.
            due_ns: When it was due, on the same clock.
            ages_s: Ages of the maps on it, in seconds.
        """
        self.num_shown += 1
        self._rate.tick(shown_ns)
        self._late_ms.append((shown_ns - due_ns) / 1e6)
        self._age_ms.extend(age_s * 1e3 for age_s in ages_s)

    def forget_rate(self) -> None:
        """Measure the rate anew: what passed since the last frame was no time between two."""
        self._rate = RateMeter()

    def per_s(self, now_ns: int) -> float:
        """Return frames shown a second, of late."""
        return self._rate.per_s(now_ns)

    @property
    def late_ms(self) -> float:
        """How late the last frame was, in ms; 0 before the first."""
        return self._late_ms[-1] if self._late_ms else 0.0

    @property
    def late_p95_ms(self) -> float | None:
        """95th percentile of that over the last ``MEASURED_FRAMES``; None before the first."""
        return percentile(self._late_ms, 0.95) if self._late_ms else None

    @property
    def age_p95_ms(self) -> float | None:
        """Likewise of the ages of maps, in ms; None where none was shown."""
        return percentile(self._age_ms, 0.95) if self._age_ms else None
