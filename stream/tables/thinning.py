"""Curves of any length in a bounded number of bins, of which no peak is lost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["ThinnedCurve"]

FIRST_BIN_S = 1 / 64
"""Shorter than a frame; doubled as often as the length asks."""


class ThinnedCurve:
    """Least and most of a number in bins of equal time, however long it goes on.

    Memory is that of ``max_bins`` bins: where they are full, neighbours become one.

    Args:
        max_bins: How many bins there are at most, even.
    """

    def __init__(self, max_bins: int) -> None:
        self.bin_s = FIRST_BIN_S
        """Length of a bin in seconds."""
        self._least = np.full(max_bins, np.nan, np.float32)
        self._most = np.full(max_bins, np.nan, np.float32)
        self._is_met = np.zeros(max_bins, bool)
        self._num_bins = 0

    def put(self, time_s: float, value: float) -> None:
        """Take the number of the frame at ``time_s`` >= 0; NaN: there is none in this frame."""
        while (at := int(time_s / self.bin_s)) >= len(self._is_met):
            self._double()
        self._num_bins = max(self._num_bins, at + 1)
        self._is_met[at] = True
        self._least[at] = np.fmin(self._least[at], value)
        self._most[at] = np.fmax(self._most[at], value)

    def bins(self) -> npt.NDArray[np.float32]:
        """Return least and most of each bin, (bins, 2).

        NaN where no frame has a number, infinity where no frame falls into the bin.
        """
        num = self._num_bins
        pairs = np.stack([self._least[:num], self._most[:num]], 1)
        return np.where(self._is_met[:num, None], pairs, np.float32(np.inf))

    def _double(self) -> None:
        half = len(self._is_met) // 2
        for numbers, merge in ((self._least, np.fmin), (self._most, np.fmax)):
            numbers[:half] = merge(numbers[0::2], numbers[1::2])
            numbers[half:] = np.nan
        self._is_met[:half] = self._is_met[0::2] | self._is_met[1::2]
        self._is_met[half:] = False
        self._num_bins = (self._num_bins + 1) // 2
        self.bin_s *= 2
