"""What was meant by a word that nothing is called by."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

__all__ = ["did_you_mean", "nearest"]


def nearest(word: str, names: Sequence[str], *, cutoff: float = 0.6) -> str | None:
    """Return the name spelt most like ``word``, whatever its case, or None.

    Args:
        word: What somebody wrote.
        names: What there is, in lower case.
        cutoff: How alike they must be, 0 to 1; ``difflib``'s ratio.
    """
    return next(iter(get_close_matches(word.lower(), names, n=1, cutoff=cutoff)), None)


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """Return "did you mean NAME? there are ..." for an error's line, without what is not near."""
    near = nearest(word, names)
    question = f"did you mean {near}? " if near else ""
    return f"{question}there are {', '.join(names)}"
