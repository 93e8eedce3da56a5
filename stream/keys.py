"""Keys and settings of the live view: what is pressed or set, and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Key", "Setting", "actions_of"]

Action = TypeVar("Action")


@dataclass(frozen=True, slots=True)
class Key(Generic[Action]):
    """A key, or several that do alike. What is said of keys anywhere is read from these."""

    presses: tuple[str, ...]
    """As a screen names them."""
    words: str
    """What it does."""
    action: Action
    """Does it."""
    caps: tuple[str, ...] = ()
    """What is written on the keys, an en dash for those between; empty: as they are named."""
    on_card: str = ""
    """What it does, in the fewer words of the card that is shown on the picture; empty: as ever."""

    @property
    def shown(self) -> tuple[str, ...]:
        """What is written on the keys."""
        return self.caps or self.presses

    def __str__(self) -> str:
        return " ".join(self.shown).replace(" \N{EN DASH} ", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What can be set to a value, by the press "NAME=VALUE"."""

    name: str
    """What it is called in presses."""
    words: str
    """What it is called for people."""
    value: str
    """What it is set to."""
    choices: tuple[str, ...] = ()
    """What it can be set to; empty where it is a number."""
    range: tuple[float, float, float] | None = None
    """Of a number: the least, the most, and a fitting step."""


def actions_of(keys: Iterable[Key[Action]]) -> Mapping[str, Action]:
    """Return what is done by what is pressed."""
    return {press: key.action for key in keys for press in key.presses}
