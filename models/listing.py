"""``signlight models``: the table of models, and downloads."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from models.registry import MODELS, find_spec
from models.weights import fetch_weights, is_ready, weights_path
from stream.jobs.progress import download_bar, print_path, terminal

__all__ = ["list_or_fetch", "table_of_models"]


def list_or_fetch(name: str | None) -> int:
    """Print the table of models, or download the weights of one and print where they are.

    Returns:
        The exit code.

    Raises:
        SignlightError: They cannot be had.
    """
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
