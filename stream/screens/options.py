"""What a person can ask of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stream.command_line.option import OptionGroup, UsageError, option
from stream.command_line.values import Integer

__all__ = ["PageOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions(OptionGroup):
    """Where the page is served, and to how many."""

    title = "page"

    port: int = option(
        8080, "port of the page; 0 takes a free one", metavar="N", values=Integer(0, 65535)
    )
    host: str = option(
        "127.0.0.1",
        "address to serve on; 0.0.0.0 lets other machines in, who need the token as well",
        metavar="ADDRESS",
    )
    cert: Path | None = option(
        None,
        "certificate (PEM), for HTTPS: other machines' browsers allow a camera then",
        metavar="FILE",
    )
    key: Path | None = option(None, "private key (PEM) of --cert", metavar="FILE")
    open_browser: bool = option(False, "open the page in the browser", flag="--open")
    max_viewers: int = option(
        16, "browsers that may watch at once", metavar="N", values=Integer(1, 1000)
    )

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if (self.cert is None) != (self.key is None):
            raise UsageError("--cert and --key go together: give both files")
