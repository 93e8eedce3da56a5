"""How far parts of the hand reach into each other, which motions must keep small."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from samples.anatomy import HandBody, HandGeometry, HandPose, build_hand

Array = npt.NDArray[np.float64]

_GIVE_CM: Final = 0.10
"""Flesh yields by this much before two phalanges count as overlapping."""
_GIVE_ROOT_CM: Final = 0.22
"""Neighbouring fingers share a web, so their first phalanges may overlap more."""
_GIVE_PALM_CM: Final = 0.35
"""The cones of the palm are larger than the flesh that a finger can press aside."""


def overlaps_cm(geometry: HandGeometry) -> Array:
    """Return by how much each pair of parts that should not meet overlaps.

    Args:
        geometry: The hand's cones.

    Returns:
        Overlaps in cm, >= 0, one per pair of cones of different parts that are not joined.
    """
    first, second, give = _pairs(geometry.part.tobytes(), geometry.segment.tobytes())
    start, axis = geometry.start, geometry.end - geometry.start
    u, v, w = axis[first], axis[second], start[first] - start[second]
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    uw, vw = (u * w).sum(1), (v * w).sum(1)
    # Closest points of two segments (Ericson, Real-Time Collision Detection, 5.1.9).
    s = np.clip((uv * vw - vv * uw) / np.maximum(uu * vv - uv * uv, 1e-9), 0.0, 1.0)
    t = (uv * s + vw) / vv
    s = np.where(t < 0.0, np.clip(-uw / uu, 0.0, 1.0), s)
    s = np.where(t > 1.0, np.clip((uv - uw) / uu, 0.0, 1.0), s)
    t = np.clip(t, 0.0, 1.0)
    gap = np.linalg.norm(w + u * s[:, None] - v * t[:, None], axis=1)
    r = geometry.radius
    reach = r[first, 0] + (r[first, 1] - r[first, 0]) * s
    reach += r[second, 0] + (r[second, 1] - r[second, 0]) * t
    overlaps: Array = np.maximum(reach - give - gap, 0.0)
    return overlaps


def deepest_overlap_cm(pose: HandPose, body: HandBody | None = None) -> float:
    """Return the largest overlap of a pose, cm; 0 when nothing passes through anything."""
    return float(overlaps_cm(build_hand(pose, body or HandBody())).max())


@cache
def _pairs(part_bytes: bytes, segment_bytes: bytes) -> tuple[Array, Array, Array]:
    part = np.frombuffer(part_bytes, dtype=np.int64)
    segment = np.frombuffer(segment_bytes, dtype=np.int64)
    first, second, give = [], [], []
    for i in range(len(part)):
        for j in range(i + 1, len(part)):
            joined = part[i] == part[j] or segment[i] < 0 or (part[i] == 0 and segment[j] == 1)
            if joined:
                continue
            first.append(i)
            second.append(j)
            roots = segment[i] == 1 and segment[j] == 1
            give.append(_GIVE_PALM_CM if part[i] == 0 else _GIVE_ROOT_CM if roots else _GIVE_CM)
    return np.array(first), np.array(second), np.array(give)
