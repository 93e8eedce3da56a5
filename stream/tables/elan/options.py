"""What a person may choose about tiers, and what tiers are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import get_args

from stream.annotation.moments import TierKind
from stream.errors import OptionError
from stream.geometry import Handedness

__all__ = ["PRESETS", "ElanOptions", "TierNames", "kinds_of_tiers"]

PRESETS = {
    "plain": "{hand}-{tier}",
    "bsl": "{hand}-{Tier}",
    "dgs": "{Tier}_{h}_A",
    "ngt": "{Tier}{H} S1",
}
"""Templates by name: Signlight's own, and in the manner of the BSL and Auslan corpora (RH-IDgloss),
the DGS-Korpus (Lexem_Gebärde_r_A) and the Corpus NGT (GlossR S1)."""

_HAND_WORDS: dict[Handedness | None, dict[str, str]] = {
    "right": {"hand": "RH", "H": "R", "h": "r", "side": "right"},
    "left": {"hand": "LH", "H": "L", "h": "l", "side": "left"},
    None: {"hand": "BH", "H": "B", "h": "b", "side": "both"},
}
_HAND_FIELDS = frozenset(_HAND_WORDS[None])
_TIER_FIELDS = frozenset({"tier", "Tier"})
_OF_BOTH: tuple[TierKind, ...] = ("number of hands", "dominant hand")
_OF_PICTURE: tuple[TierKind, ...] = ("most focused head",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElanOptions:
    """What a person asked of the ELAN package."""

    tiers: str = "plain"
    """What tiers are called: a name in ``PRESETS``, or a template with one of {hand} (RH, LH, BH),
    {H} (R, L, B), {h} (r, l, b), {side} (right, left, both) and one of {tier} (not seen), {Tier}
    (NotSeen)."""
    into: Path | None = None
    """An .eaf of theirs: tiers and curves are added to a copy of it."""
    by: str | None = None
    """A tier of ``into``: the measures are summed up for each of its annotations."""


def kinds_of_tiers(*, picture: bool) -> list[tuple[TierKind, Handedness | None]]:
    """Return every tier there can be, in the order of the file.

    Args:
        picture: The maps are of the whole picture, not of hands.
    """
    if picture:
        return [(kind, None) for kind in _OF_PICTURE]
    hands: tuple[Handedness, ...] = ("right", "left")
    return [
        *((kind, hand) for hand in hands for kind in get_args(TierKind) if kind not in _OF_BOTH),
        *((kind, None) for kind in _OF_BOTH),
    ]


class TierNames:
    """What the tiers are called.

    Args:
        template: As ``ElanOptions.tiers``.

    Raises:
        OptionError: It is no template, or makes one name of two tiers.
    """

    def __init__(self, template: str) -> None:
        self._template = PRESETS.get(template, template)
        way_out = (
            'write one like "{hand}-{tier}", with one of {hand}, {H}, {h}, {side} and one of '
            f"{{tier}}, {{Tier}}; or take one of {', '.join(PRESETS)}"
        )
        try:
            fields = {
                field
                for _, field, form, how in Formatter().parse(self._template)
                if field is not None
                if not (form or how)
            }
            is_good = (
                fields <= _HAND_FIELDS | _TIER_FIELDS
                and fields & _HAND_FIELDS
                and fields & _TIER_FIELDS
            )
            names = [self.of(*kind) for kind in kinds_of_tiers(picture=False)] if is_good else []
        except (ValueError, KeyError, IndexError):
            is_good, names = False, []
        if not is_good:
            raise OptionError(f"{template!r} is no template for names of tiers: {way_out}")
        if len(set(names)) < len(names) or not all(name.isprintable() for name in names):
            raise OptionError(f"{template!r} gives no good names of tiers: {way_out}")

    def of(self, kind: TierKind, hand: Handedness | None) -> str:
        """Return the name of a tier."""
        camel = "".join(word.capitalize() for word in kind.split())
        return self._template.format(tier=kind, Tier=camel, **_HAND_WORDS[hand])
