"""Text of strangers made fit for a terminal: names of files and tensors may hold its commands."""

from __future__ import annotations

import logging
from types import TracebackType

__all__ = ["log_to_terminal", "printable"]


def printable(text: str) -> str:
    r"""Return ``text`` with everything that shows nothing, or steers a terminal, as an escape.

    Letters of every script stay; control characters, and marks that turn the direction of writing,
    become ``\x1b`` or ``\u202e``.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def log_to_terminal(level: int, form: str) -> None:
    """Have log messages printed on stderr, fit for a terminal; nothing where that was set before.

    Args:
        level: Least level to print.
        form: What a line looks like, as ``logging.Formatter`` takes it.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter(form))
    logging.basicConfig(level=level, handlers=[handler])


class _PrintableFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return printable(super().formatMessage(record))

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return "\n".join(map(printable, super().formatException(ei).split("\n")))
