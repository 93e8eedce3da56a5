"""Tables as Parquet, and as CSV with the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.annotation.moments import Moment
from stream.tables.attention import ATTENTION_COLUMNS, attention_rows
from stream.tables.columns import Column
from stream.tables.frames import FRAME_COLUMNS, FrameRows
from stream.tables.moment_file import MomentFile
from stream.whole_files import WholeFile, told_of

if TYPE_CHECKING:
    import pyarrow

__all__ = ["TableFile", "attention_table", "frames_table"]

CELLS_PER_GROUP = 400_000
"""Cells written at a time, some 25 MB while they wait: half a minute of two hands and six heads."""


class TableFile(MomentFile):
    """A table that is written row by row, flat in memory.

    The same moments and the same version of pyarrow give the same bytes.

    Args:
        paths: Where it goes: as Parquet (zstd), or as CSV where the name ends so.
        columns: What a row holds.
        rows: Returns what the rows of a moment are made of; an array in a cell is as many rows.
        about: What is so of all rows, kept in the Parquet file's metadata.

    Raises:
        OutputError: Nothing can be written there.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        columns: Sequence[Column[Any]],
        rows: Callable[[Moment], Iterable[Any]],
        about: Mapping[str, str],
    ) -> None:
        super().__init__(paths)
        self._columns = columns
        self._rows = rows
        self._schema = _schema_of(columns, about)
        self._cells: list[list[Any]] = [[] for _ in columns]
        self._writers = [_writer_of(file, self._schema) for file in self._files]

    def write(self, moment: Moment) -> None:
        """Take the rows of the next moment.

        Raises:
            OutputError: They cannot be written.
        """
        for row in self._rows(moment):
            values = [column.read(row) for column in self._columns]
            num_rows = next((len(value) for value in values if isinstance(value, np.ndarray)), 1)
            for cells, value in zip(self._cells, values, strict=True):
                is_array = isinstance(value, np.ndarray)
                cells.extend(value.tolist() if is_array else repeat(value, num_rows))
        if len(self._cells) * len(self._cells[0]) >= CELLS_PER_GROUP:
            self._write_group()

    def _finish(self) -> None:
        self._write_group()
        self._release()

    def _release(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers = []

    def _write_group(self) -> None:
        import pyarrow

        arrays = [
            pyarrow.array(cells, field.type, from_pandas=True)
            for cells, field in zip(self._cells, self._schema, strict=True)
        ]
        group = pyarrow.Table.from_arrays(arrays, schema=self._schema)
        for cells in self._cells:
            cells.clear()
        if group.num_rows:
            for file, writer in zip(self._files, self._writers, strict=True):
                with told_of(file.path):
                    writer.write_table(group)


def frames_table(paths: Sequence[Path], about: Mapping[str, str]) -> TableFile:
    """Return the table of where the hands are, to be written to."""
    return TableFile(paths, FRAME_COLUMNS, FrameRows(), about)


def attention_table(paths: Sequence[Path], about: Mapping[str, str]) -> TableFile:
    """Return the table of where the maps look, to be written to."""
    return TableFile(paths, ATTENTION_COLUMNS, attention_rows, about)


def _schema_of(columns: Sequence[Column[Any]], about: Mapping[str, str]) -> pyarrow.Schema:
    import pyarrow

    types = {
        "int64": pyarrow.int64(),
        "int32": pyarrow.int32(),
        "float32": pyarrow.float32(),
        "float64": pyarrow.float64(),
        "bool": pyarrow.bool_(),
        "word": pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    }
    fields = [
        pyarrow.field(
            column.name,
            types[column.dtype],
            metadata={
                key: value
                for key in ("unit", "definition", "paper")
                if (value := getattr(column, key))
            },
        )
        for column in columns
    ]
    return pyarrow.schema(fields, metadata=dict(about))


def _writer_of(file: WholeFile, schema: pyarrow.Schema) -> Any:  # noqa: ANN401
    if file.path.suffix == ".csv":
        import pyarrow.csv

        return _CsvWriter(file, schema)
    import pyarrow.parquet

    words = [field.name for field in schema if pyarrow.types.is_dictionary(field.type)]
    return pyarrow.parquet.ParquetWriter(
        file.file, schema, compression="zstd", use_dictionary=words
    )


class _CsvWriter:
    """Writes words as they are read."""

    def __init__(self, file: WholeFile, schema: pyarrow.Schema) -> None:
        import pyarrow
        import pyarrow.csv

        fields = [
            pyarrow.field(field.name, pyarrow.string())
            if pyarrow.types.is_dictionary(field.type)
            else field
            for field in schema
        ]
        self._schema = pyarrow.schema(fields)
        self._writer = pyarrow.csv.CSVWriter(file.file, self._schema)

    def write_table(self, group: pyarrow.Table) -> None:
        self._writer.write_table(group.cast(self._schema))

    def close(self) -> None:
        self._writer.close()
