"""The name of a mark, while it is typed."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["MAX_LENGTH", "MarkName"]

MAX_LENGTH = 40
"""Characters of a name."""
_SPELT = {"space": " "}
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
"""Show nothing themselves; scripts and emoji need them."""


class MarkName:
    """What was typed so far of the name of a moment.

    Args:
        number: Of the mark, which is its name where none is typed.
        at_s: The moment, in seconds of the recording's source.
    """

    def __init__(self, number: int, at_s: Fraction) -> None:
        self.number = number
        """Of the mark."""
        self._unnamed = f"mark {number}"
        self._text = ""
        self._is_dropped = False
        self.is_late = False
        """Whether its recording has ended, with what was typed until then."""
        self.at_s = at_s
        """The moment."""

    @property
    def name(self) -> str | None:
        """What it is called; None where it was taken back."""
        return None if self._is_dropped else self._text.strip() or self._unnamed

    @property
    def words(self) -> str:
        """What to say of it meanwhile."""
        if self.is_late:
            return f"{self.name}   (the recording has ended: press Enter)"
        return f"{self._text or self._unnamed}_   name it, then Enter (Esc: no mark)"

    def write(self, text: str) -> None:
        """Take a whole name; what shows nothing, or turns the direction of writing, is left out."""
        shown = (each for each in text if each.isprintable() or each in _JOINERS)
        self._text = "".join(shown)[:MAX_LENGTH]

    def drop(self) -> None:
        """Take the mark back."""
        self._is_dropped = True

    def press(self, key: str) -> bool:
        """Take a key, as a screen names it; return whether that was the last one."""
        if self.is_late:
            pass  # but it has no other meaning
        elif key == "backspace":
            self._text = self._text[:-1]
        elif key == "escape":
            self.drop()
        elif len(character := _SPELT.get(key, key)) == 1 and len(self._text) < MAX_LENGTH:
            self._text += character
        return key in ("enter", "escape")
