"""What a column of a table is: declared once, read for its schema, its rows and its description."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

__all__ = ["Column", "Dtype", "described"]

Row = TypeVar("Row")

Dtype = Literal["int64", "int32", "float32", "float64", "bool", "word"]
"""A word is one of a few texts, kept as a dictionary (a category, in pandas)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[Row]):
    """One column: what it is called, what it holds, and where a row has it from."""

    name: str
    """Name, with the unit where there is one."""
    dtype: Dtype
    """What a cell holds where it holds something."""
    unit: str = ""
    """Unit in words; empty for pure numbers and words."""
    definition: str
    """What it is, and when it is empty."""
    paper: str = ""
    """Where it was first defined."""
    read: Callable[[Row], Any]
    """Returns the cell of a row; where a row stands for several, an array of cells or one cell for
    all. None and NaN are an empty cell."""
    series: str = ""
    """Name of the columns that differ in a number or a word alone, for their description."""


def described(title: str, intro: str, columns: Sequence[Column[Any]]) -> str:
    """Return the columns of a table as a section of Markdown; of a series, one line."""
    lines = [
        f"## {title}",
        "",
        intro,
        "",
        "| column | type | unit | what it is |",
        "|---|---|---|---|",
    ]
    told = set()
    for column in columns:
        name = column.series or column.name
        if name not in told:
            told.add(name)
            paper = f" ({column.paper})" if column.paper else ""
            lines.append(
                f"| `{name}` | {column.dtype} | {column.unit} | {column.definition}{paper} |"
            )
    return "\n".join(lines) + "\n"
