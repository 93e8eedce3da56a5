"""``signlight models``: the table of models, and downloads."""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from models.options import FetchOptions
from models.registry import MODELS, find_spec
from models.weights import fetch_weights, is_ready, weights_path
from stream.command_line.options import Options
from stream.jobs.progress import download_bar, print_path, terminal

__all__ = ["Models", "table_of_models"]


@dataclass(frozen=True, slots=True)
class Models:
    """Prints the table of models, or downloads the weights of one and prints where they are."""

    options: Options
    """What was asked for."""

    def run(self) -> int:
        """Do it; return the exit code.

        Raises:
            SignlightError: The weights cannot be had.
        """
        name = self.options[FetchOptions].model
        if name is None:
            Console().print(table_of_models())
            print("signlight models fetch NAME downloads what is published; so does the first use.")
            return 0
        with download_bar(terminal()) as progress:
            found = fetch_weights(find_spec(name), progress=progress)
        print_path(found.path)
        return 0


def table_of_models() -> Table:
    """Return every model with its size and licence, and where its weights are or would be."""
    table = Table(box=box.SIMPLE)
    for title in ("name", "size", "licence", "ready"):
        table.add_column(title, no_wrap=True)
    table.add_column("weights", overflow="fold")
    for spec in MODELS.values():
        is_gated = spec.origin == "gated"
        table.add_row(
            spec.name,
            f"{spec.size_bytes / 1e6:.0f} MB",
            spec.licence,
            "yes" if is_ready(spec) else "no",
            f"--weights PATH; ask at {spec.url}" if is_gated else f"{weights_path(spec)}",
        )
    return table
