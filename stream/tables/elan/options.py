"""What a person may choose about tiers, and what tiers are called."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import get_args

from stream.annotation.moments import TierKind
from stream.command_line.option import OptionGroup, UsageError, option
from stream.geometry import Handedness
from stream.takes import MARK, SIGNAL

__all__ = ["OF_EVENTS", "PRESETS", "ElanOptions", "TierNames", "TierTemplate", "kinds_of_tiers"]

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
_FAULT = (
    'is no template for names of tiers: write one like "{hand}-{tier}", with one of {hand}, {H}, '
    f"{{h}}, {{side}} and one of {{tier}}, {{Tier}}; or take one of {', '.join(PRESETS)}"
)
OF_EVENTS: tuple[TierKind, ...] = (MARK, "setting", SIGNAL)
"""Tiers that are there only where a live recording tells of such (stream.annotation.events)."""
_OF_BOTH: tuple[TierKind, ...] = ("number of hands", "dominant hand", *OF_EVENTS)
_OF_PICTURE: tuple[TierKind, ...] = ("most focused head",)


class TierTemplate:
    """How tiers are to be called; a ``stream.command_line.values.Values``."""

    def read(self, text: str) -> str:
        """Return the template; see ``Values``."""
        if fault := self.fault_of(text):
            raise argparse.ArgumentTypeError(f"{text!r} {fault}")
        return text

    def fault_of(self, value: object) -> str | None:
        """See ``Values``."""
        template = PRESETS.get(str(value), str(value))
        try:
            parts = list(Formatter().parse(template))
            fields = {field for _, field, _, _ in parts if field is not None}
            is_good = (
                fields <= _HAND_FIELDS | _TIER_FIELDS
                and bool(fields & _HAND_FIELDS and fields & _TIER_FIELDS)
                and not any(form or how for _, _, form, how in parts)
                and TierNames(template).are_good
            )
        except ValueError:
            is_good = False
        return None if is_good else _FAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class ElanOptions(OptionGroup):
    """What a person asks of the ELAN package."""

    title = "ELAN"

    tiers: str = option(
        "plain",
        f"names of the tiers: {', '.join(PRESETS)}, or a template with one of {{hand}} (RH, LH, "
        "BH), {H} (R, L, B), {h} (r, l, b), {side} (right, left, both) and one of {tier} (not "
        "seen), {Tier} (NotSeen)",
        metavar="NAMES",
        values=TierTemplate(),
    )
    into: Path | None = option(
        None, "add tiers and curves to a copy of this .eaf of yours", metavar="MINE.eaf"
    )
    by: str | None = option(
        None,
        "with --into: sum the measures up for each annotation of this tier of yours",
        metavar="TIER",
    )

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if self.by is not None and self.into is None:
            raise UsageError("--by names a tier of your own .eaf: give that with --into MINE.eaf")


def kinds_of_tiers(*, picture: bool) -> list[tuple[TierKind, Handedness | None]]:
    """Return every tier there can be, in the order of the file.

    Args:
        picture: The maps are of the whole picture, not of hands.
    """
    if picture:
        return [(kind, None) for kind in (*_OF_PICTURE, *OF_EVENTS)]
    hands: tuple[Handedness, ...] = ("right", "left")
    return [
        *((kind, hand) for hand in hands for kind in get_args(TierKind) if kind not in _OF_BOTH),
        *((kind, None) for kind in _OF_BOTH),
    ]


class TierNames:
    """What the tiers are called.

    Args:
        template: As ``ElanOptions.tiers``.
    """

    def __init__(self, template: str) -> None:
        self._template = PRESETS.get(template, template)

    def of(self, kind: TierKind, hand: Handedness | None) -> str:
        """Return the name of a tier."""
        camel = "".join(word.capitalize() for word in kind.split())
        return self._template.format(tier=kind, Tier=camel, **_HAND_WORDS[hand])

    @property
    def are_good(self) -> bool:
        """Whether no two are the same, and each can be read."""
        names = [self.of(*kind) for kind in kinds_of_tiers(picture=False)]
        return len(set(names)) == len(names) and all(name.isprintable() for name in names)
