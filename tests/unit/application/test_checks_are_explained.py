"""docs/operations.md says of every check of `ledger verify` when it holds."""

import re
from pathlib import Path

from ledger.application.verification import CHECKS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


def test_every_check_is_explained_in_its_order_and_no_other() -> None:
    """The table follows the order in which a report lists them."""
    table = PAGE.read_text(encoding="utf-8").partition("| check | holds when |")[2]
    first_cells = [line.split("|")[1] for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)] == list(CHECKS)
