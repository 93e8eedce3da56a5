"""When the annotations of an .eaf are, those without a time of their own among them."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np

from stream.tables.elan.tiers import Annotation

__all__ = ["Times"]

Element = Any
Span = tuple[int, int]


class Times:
    """When the annotations of a document are. Reads its XML, and knows nothing of how to parse it.

    Args:
        root: Of the .eaf.
    """

    def __init__(self, root: Element) -> None:
        self._tiers = {tier.get("TIER_ID"): tier for tier in root.iterfind("TIER")}
        self._slots_ms: dict[str, int | None] = {}
        for slot in root.iterfind("TIME_ORDER/TIME_SLOT"):
            value = slot.get("TIME_VALUE")
            self._slots_ms[slot.get("TIME_SLOT_ID")] = None if value is None else int(value)
        self._tier_of = {
            each.get("ANNOTATION_ID"): name
            for name, tier in self._tiers.items()
            for each in tier.iterfind("ANNOTATION/*")
        }
        self._spans: dict[str, dict[str, Span]] = {}

    def annotations_of(self, tier: str) -> list[Annotation]:
        """Return what is on a tier, in order of time; what lasts no millisecond is left out.

        Raises:
            LookupError: An annotation, or what it refers to, has no time.
            ValueError: A time is no number.
            RecursionError: It refers to itself.
        """
        spans = self._spans_of(tier)
        found = []
        for element in self._tiers[tier].iterfind("ANNOTATION/*"):
            annotation_id = element.get("ANNOTATION_ID")
            start_ms, end_ms = spans[annotation_id]
            value = element.findtext("ANNOTATION_VALUE") or ""
            if start_ms < end_ms:
                found.append(
                    Annotation(start_ms=start_ms, end_ms=end_ms, value=value, id=annotation_id)
                )
        return sorted(found, key=lambda each: (each.start_ms, each.end_ms))

    def _spans_of(self, tier: str) -> dict[str, Span]:
        if tier not in self._spans:
            elements = list(self._tiers[tier].iterfind("ANNOTATION/*"))
            aligned = [each for each in elements if each.tag == "ALIGNABLE_ANNOTATION"]
            self._spans[tier] = self._aligned(aligned) | self._referring(
                [each for each in elements if each.tag == "REF_ANNOTATION"]
            )
        return self._spans[tier]

    def _aligned(self, elements: list[Element]) -> dict[str, Span]:
        """Return spans between slots; those without a value lie evenly between those with one."""
        chain: list[str] = []
        for element in elements:
            for slot in (element.get("TIME_SLOT_REF1"), element.get("TIME_SLOT_REF2")):
                if chain[-1:] != [slot]:
                    chain.append(slot)
        if not chain:
            return {}
        values_ms = [self._slots_ms[slot] for slot in chain]
        known = {place: ms for place, ms in enumerate(values_ms) if ms is not None}
        if 0 not in known or len(chain) - 1 not in known:
            raise LookupError("a chain of annotations begins or ends at no time")
        times_ms = np.interp(range(len(chain)), list(known), list(known.values()))
        by_slot = dict(zip(chain, times_ms.round().astype(int).tolist(), strict=True))
        return {
            each.get("ANNOTATION_ID"): (
                by_slot[each.get("TIME_SLOT_REF1")],
                by_slot[each.get("TIME_SLOT_REF2")],
            )
            for each in elements
        }

    def _referring(self, elements: list[Element]) -> dict[str, Span]:
        """Return spans that share out evenly that of the annotation which they refer to."""
        siblings: dict[str, list[str]] = defaultdict(list)
        for element in elements:
            siblings[element.get("ANNOTATION_REF")].append(element.get("ANNOTATION_ID"))
        spans: dict[str, Span] = {}
        for parent, children in siblings.items():
            start_ms, end_ms = self._spans_of(self._tier_of[parent])[parent]
            edges = np.linspace(start_ms, end_ms, len(children) + 1).round().astype(int).tolist()
            spans.update(zip(children, pairwise(edges), strict=True))
        return spans
