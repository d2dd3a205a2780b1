"""The report's tables are written where they belong, and nowhere else."""

from __future__ import annotations

import pytest

from bench.results import median_and_spread
from bench.tables import REPORT, put

TEXT = "before\n<!-- one -->\n| old |\n<!-- end of one -->\nafter\n"


def test_a_table_takes_the_place_of_the_last_one() -> None:
    """Only what stands between the comments changes, and writing twice is writing once."""
    once = put(TEXT, "one", ["| a |", "| b |"])
    assert once == "before\n<!-- one -->\n| a |\n| b |\n<!-- end of one -->\nafter\n"
    assert put(once, "one", ["| a |", "| b |"]) == once


@pytest.mark.parametrize("text", ["nothing", TEXT + TEXT])
def test_a_place_is_there_once(text: str) -> None:
    """A report without the place, or with two of them, is not written."""
    with pytest.raises(ValueError, match="one place"):
        put(text, "one", [])


def test_the_report_has_a_place_for_each_table() -> None:
    """Every comment that begins a table of the report is ended, once."""
    text = REPORT.read_text()
    begun = [line[5:-4] for line in text.splitlines() if line.startswith("<!-- ")]
    names = [name for name in begun if not name.startswith("end of ")]
    assert names
    for name in names:
        put(text, name, [])


def test_a_median_has_its_spread() -> None:
    """The median of an even number of values is between the middle two; the order is no matter."""
    assert median_and_spread([4, 1, 3, 2]) == {"median": 2.5, "min": 1, "max": 4}
    assert median_and_spread([0.12345], digits=2) == {"median": 0.12, "min": 0.12, "max": 0.12}
