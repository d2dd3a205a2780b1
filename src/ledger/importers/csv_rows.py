"""CSV files row by row: UTF-8 (a byte order mark is fine), commas, a header, RFC 4180 quotes.

Nothing is kept but the row at hand, and no line, row or file is without a bound.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from ledger.importers.faults import FILE_TOO_LARGE, WRONG_COLUMNS, WRONG_NUMBER_OF_VALUES
from ledger.importers.instructions import Fault, SourceError

LINE_CHARACTERS_MAX: Final = 65_536  # as long as the longest command: no row of ours needs more
ROWS_MAX: Final = 500_000  # their ids are kept to find those that occur twice: some 100 MB


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row, counted as a spreadsheet does: the header is row 1. Empty values are left out."""

    number: int
    values: dict[str, str]

    @property
    def place(self) -> str:
        """How a fault says where it is."""
        return f"row {self.number}"


def csv_rows(
    path: Path, *, required: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[CsvRow | Fault]:
    """The rows of the file; one with more or fewer values than columns is a Fault.

    The columns may stand in any order; `required` ones must be there, and none but these two
    kinds. Raises SourceError for what is wrong with the file as a whole.
    """
    line = 0
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(path, file), strict=True)
            header = next(reader, [])
            _judge_header(path, header, required, optional)
            line = reader.line_num
            for number, values in enumerate(reader, start=2):
                line = reader.line_num
                if number > ROWS_MAX + 1:
                    why = f"more than {ROWS_MAX:,} rows: split it"
                    raise SourceError(path, line, why, reason=FILE_TOO_LARGE)
                if not values:
                    continue
                if len(values) != len(header):
                    why = f"{len(values)} values for {len(header)} columns"
                    yield Fault(f"row {number}", "", WRONG_NUMBER_OF_VALUES, why)
                    continue
                pairs = zip(header, values, strict=True)
                yield CsvRow(number, {name: value for name, value in pairs if value})
    except UnicodeDecodeError as error:
        raise SourceError(path, line + 1, "is not UTF-8") from error
    except csv.Error as error:
        raise SourceError(path, line + 1, f"is not CSV: {error}") from error
    except OSError as error:
        raise SourceError(path, None, f"cannot be read: {error.strerror}") from error


def _lines(path: Path, file: TextIOWrapper) -> Iterator[str]:
    number = 1
    while line := file.readline(LINE_CHARACTERS_MAX + 1):
        if len(line) > LINE_CHARACTERS_MAX:
            why = f"is longer than {LINE_CHARACTERS_MAX:,} characters"
            raise SourceError(path, number, why, reason=FILE_TOO_LARGE)
        yield line
        number += 1


def _judge_header(
    path: Path, header: list[str], required: Sequence[str], optional: Sequence[str]
) -> None:
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in {*required, *optional}]
    repeated = sorted({name for name in header if header.count(name) > 1})
    wrong = [
        f"{what} {', '.join(map(repr, names))}"
        for what, names in (
            ("without", missing),
            ("with unknown", unknown),
            ("with twice", repeated),
        )
        if names
    ]
    if wrong:
        known = f"{', '.join(required)}" + (f"; may be {', '.join(optional)}" if optional else "")
        why = f"the columns are {'; '.join(wrong)}; must be {known}; comma-separated"
        raise SourceError(path, 1, why, reason=WRONG_COLUMNS)
