"""A parser of command lines that says in one line what is wrong."""

from __future__ import annotations

import argparse
from typing import NoReturn

__all__ = ["OneLineParser"]


class OneLineParser(argparse.ArgumentParser):
    """``argparse``'s, without the page of usage in front of what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Write the fault, and where all options are listed, to stderr; exit with 2."""
        self.exit(2, f"{self.prog}: error: {message} ({self.prog} --help tells more)\n")
