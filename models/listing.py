"""The table of models as people see it."""

from __future__ import annotations

from rich import box
from rich.table import Table

from models.registry import MODELS
from models.weights import is_ready, weights_path

__all__ = ["table_of_models"]


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
