"""What the columns of all tables mean, as a page: ``python -m stream.tables.dictionary``."""

from __future__ import annotations

import inspect

from stream.tables import maps
from stream.tables.attention import ATTENTION_COLUMNS, ATTENTION_INTRO
from stream.tables.columns import described
from stream.tables.frames import FRAME_COLUMNS, FRAME_INTRO

__all__ = ["describe_columns"]

INTRO = """# Columns of the tables

`signlight annotate b.mp4` writes two tables, which pandas, R, DuckDB and everything else that reads
Parquet open; `--csv` writes the same rows as CSV. Units, definitions and papers are in the Parquet
files, too, as metadata of each column. An empty cell is a value that is not there; it is never
written as NaN or 0. The names of columns that differ in a number or a word alone stand in one line.

"""


def describe_columns() -> str:
    """Return the data dictionary, Markdown; it is also ``docs/columns.md``."""
    return INTRO + "\n".join(
        (
            described("`b.frames.parquet`", FRAME_INTRO, FRAME_COLUMNS),
            described("`b.attention.parquet`", ATTENTION_INTRO, ATTENTION_COLUMNS),
            f"## `b.maps.npz`\n\n{_in_markdown(maps.__doc__ or '')}\n",
        )
    )


def _in_markdown(docstring: str) -> str:
    return inspect.cleandoc(docstring).replace("``", "`").replace("::\n", ":\n")


if __name__ == "__main__":
    print(describe_columns(), end="")
