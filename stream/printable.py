"""Text of strangers made fit for a terminal: names of files and tensors may hold its commands."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""Return ``text`` with everything that shows nothing, or steers a terminal, as an escape.

    Letters of every script stay; control characters, and marks that turn the direction of writing,
    become ``\x1b`` or ``\u202e``.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
