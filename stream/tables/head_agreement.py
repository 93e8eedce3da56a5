"""How differently the heads look, over a whole recording."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import Stretch
from stream.measures import jensen_shannon_bits

__all__ = ["HeadAgreement"]


class HeadAgreement:
    """How differently heads look, two by two, on average over all maps."""

    def __init__(self) -> None:
        self._sum = np.zeros((0, 0))
        self._num = np.zeros((0, 0), int)
        self._num_maps = 0

    def put(self, weights: npt.NDArray[np.float32]) -> None:
        """Take the maps of a hand, (heads, rows, columns)."""
        num_heads = len(weights)
        if len(self._sum) != num_heads:  # the first
            self._sum = np.zeros((num_heads, num_heads))
            self._num = np.zeros((num_heads, num_heads), int)
        self._num_maps += 1
        pairs = list(combinations(range(num_heads), 2))
        if pairs:
            first, second = (list(side) for side in zip(*pairs, strict=True))
            divergences = jensen_shannon_bits(weights[first], weights[second])
            is_known = np.isfinite(divergences)
            self._sum[first, second] += np.where(is_known, divergences, 0)
            self._num[first, second] += is_known

    def told(self, stretches: Sequence[Stretch]) -> dict[str, Any] | None:
        """Return the matrix, and how long each head was the most focused; None without heads."""
        if len(self._sum) < 2:
            return None
        total, num = self._sum + self._sum.T, self._num + self._num.T
        matrix = [
            [round(total[a, b] / num[a, b], 4) if num[a, b] else None for b in range(len(total))]
            for a in range(len(total))
        ]
        longest = {str(head): 0.0 for head in range(len(total))}
        for one in stretches:
            if one.tier == "most focused head" and one.value in longest:
                longest[one.value] += float(one.end_s - one.start_s)
        shares = [[name, round(seconds, 2)] for name, seconds in longest.items()]
        return {
            "matrix": matrix,
            "num": self._num_maps,
            "shares": shares if any(longest.values()) else [],
        }
