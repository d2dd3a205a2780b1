"""What the importers of published data sets share: finding the file, and reading it strictly."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from ledger.importers.instructions import SourceError


def file_in(directory: Path, names: Sequence[str]) -> Path:
    """The first of `names` that `directory` holds. Raises SourceError."""
    if not directory.is_dir():
        raise SourceError(directory, None, "no such directory")
    for name in names:
        if (path := directory / name).is_file():
            return path
    raise SourceError(directory, None, f"holds neither {' nor '.join(names)}")


def rows_of(
    path: Path, columns: Sequence[str], *, rows_max: int
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file, gzipped or not, by column, each with the number of its line.

    Raises SourceError, which names the line, for other columns or a row of another width, for more
    rows than `rows_max`, and for what cannot be read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    line = 0
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if tuple(header) != tuple(columns):
                raise SourceError(path, 1, f"the columns must be {','.join(columns)}")
            line = reader.line_num
            for count, values in enumerate(reader, start=1):
                line = reader.line_num
                if count > rows_max:
                    raise SourceError(path, line, f"more than {rows_max:,} rows")
                if len(values) != len(columns):
                    raise SourceError(path, line, f"{len(values)} values instead of {len(columns)}")
                yield line, dict(zip(columns, values, strict=True))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(path, line + 1, f"cannot be read: {error}") from error


def midnight(day: date) -> str:
    """The instant at which a day begins in UTC, in the stored form."""
    return f"{day.isoformat()}T00:00:00.000000Z"
