"""What heads look at: the part of the hand that each keeps to, and which look at the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from stream.annotation.moments import PARTS
from stream.measures import Floats, jensen_shannon_bits

__all__ = ["PLACES", "Group", "Role", "group_heads", "role_of"]

PLACES: Final = (*PARTS, "elsewhere")
"""What a head can look at: parts of the hand, and all that is no hand."""
_KEEPS_ROLE: Final = 0.6
"""Share of signs in which a head must favour one place to be named after it."""
_MOST_COMPARED: Final = 100
"""Signs that are compared with each other, spread over all; their pairs grow with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The place that a head, or a group of heads, favours."""

    place: str
    """That with the most of its map for its area in most signs."""
    share: float
    """In how many signs, 0 to 1."""

    @property
    def name(self) -> str:
        """The place where that is often enough to be called by it, else ""."""
        return self.place if self.share >= _KEEPS_ROLE else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Heads that look at the same."""

    heads: tuple[int, ...]
    """Their numbers, rising."""
    role: Role
    """What they favour together."""


def role_of(lifts: Floats) -> Role | None:
    """Return what is favoured; None where no sign shows a hand.

    Args:
        lifts: Share of a map on each of ``PLACES`` over its share of the area, (signs, 7); NaN
            where it does not show.
    """
    seen = lifts[np.isfinite(lifts).any(1)]
    if not len(seen):
        return None
    favourites = np.where(np.isfinite(seen), seen, -1.0).argmax(1)
    counts = np.bincount(favourites, minlength=len(PLACES))
    best = int(counts.argmax())
    return Role(place=PLACES[best], share=float(counts[best] / len(seen)))


def group_heads(lifts: Floats) -> tuple[Group, ...]:
    """Return heads by what they look at; none where no sign shows a hand.

    A head's profile in a sign is its lifts, of which each place has a share. Two groups become one
    as long as they differ less in the same sign (Jensen-Shannon divergence of the profiles, mean
    over signs and pairs of heads: average linkage) than a head does from one sign to another.

    Args:
        lifts: As ``role_of`` takes them, (signs, heads, 7).
    """
    is_seen = np.asarray(np.isfinite(lifts).any(2)).all(1)
    if not is_seen.any():
        return ()
    profiles = np.nan_to_num(lifts[is_seen])[:, :, None]
    between = jensen_shannon_bits(profiles[:, :, None], profiles[:, None]).mean(0)
    some = profiles[:: -(-len(profiles) // _MOST_COMPARED)]
    first, second = np.triu_indices(len(some), 1)
    own = jensen_shannon_bits(some[first], some[second])
    least = float(own.mean()) if own.size else 0.0
    groups: list[tuple[int, ...]] = [(head,) for head in range(lifts.shape[1])]
    while len(groups) > 1:
        one, other = min(combinations(groups, 2), key=lambda pair: between[np.ix_(*pair)].mean())
        if not between[np.ix_(one, other)].mean() < least:
            break
        groups = sorted([*(each for each in groups if each not in (one, other)),
                         tuple(sorted(one + other))])  # fmt: skip
    found = []
    for heads in groups:
        role = role_of(lifts[is_seen][:, list(heads)].mean(1))
        assert role is not None, "a hand is seen"
        found.append(Group(heads=heads, role=role))
    return tuple(found)
