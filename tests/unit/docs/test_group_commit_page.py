"""The page on group commit: its bounds, its messages and its table are what the code does."""

from __future__ import annotations

import json
import re

import pytest

from ledger.application.commit import (
    ATTEMPTS_MAX,
    DECIDING_MILLISECONDS_MAX,
    GIVE_UP_AFTER_MICROSECONDS,
    Decided,
)
from ledger.application.group_commit import WHOLE_ATTEMPTS, Asked
from ledger.application.ports import KEYS_A_LOAD_MAX, Appended, Refused, Transaction
from ledger.contracts.commands import (
    ACTIONS_MAX,
    BULK_BYTES_MAX,
    BULK_COMMANDS_MAX,
    BULK_DETAIL_TYPE,
    bulk_in,
    decode_command,
    read_bulk,
)
from ledger.contracts.primitives import COMMAND_BYTES_MAX
from ledger.runtime.rest import BODY_BYTES_MAX
from tests.support.builders import opening, paying
from tests.support.grouping import group_on
from tests.support.items import KIB
from tests.support.pages import WeighingStore, page
from tests.support.worlds import commands_on, decided

PAGE = page("group-commit.md")
WORDS = " ".join(PAGE.split())
NUMBERS = {4: "four"}
ROW = re.compile(r"^\| (.+?) \| (\d+) \| (\d+) \| ([\d.]+) \|$", re.MULTILINE)


class CountingStore(WeighingStore):
    """The store in memory, what its transactions cost together, and how many actions they had."""

    def __init__(self) -> None:
        super().__init__()
        self.actions: list[int] = []
        self.units = 0

    def append(self, transaction: Transaction) -> Appended | Refused:
        result = super().append(transaction)
        if isinstance(result, Appended):
            self.actions.append(transaction.actions)
            self.units += self.write_units
        return result


def test_bounds_are_those_of_the_code() -> None:
    """Each stands in the page as the code has it."""
    said = (
        f"up to {BULK_COMMANDS_MAX} commands in one message",
        f"| 1 to {BULK_COMMANDS_MAX} | 1 to {BULK_COMMANDS_MAX} | 1 to {BULK_COMMANDS_MAX} |",
        f"{BULK_BYTES_MAX // KIB**2} MiB, each command {COMMAND_BYTES_MAX:,} bytes",
        f"an event of detail-type `{BULK_DETAIL_TYPE}`",
        f"One transaction has {ACTIONS_MAX} actions",
        f"for {GIVE_UP_AFTER_MICROSECONDS // 1_000_000} s and {ATTEMPTS_MAX} attempts at most",
        f"after {NUMBERS[WHOLE_ATTEMPTS]} at half the size",
        f"up to {KEYS_A_LOAD_MAX} states in a request",
        f"up to {KEYS_A_LOAD_MAX} at a time",
        f"when {DECIDING_MILLISECONDS_MAX // 1_000} s of the function's time were left",
        f"when the answers had grown to {BODY_BYTES_MAX // KIB**2} MB",
        f"with bulk messages up to {10 * BULK_COMMANDS_MAX:,} commands",
    )
    assert [one for one in said if one not in WORDS] == []


def test_the_messages_shown_are_taken() -> None:
    """The bare one, and the event with its detail type; every command in them is one."""
    bare, event = (block.encode() for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    found = bulk_in(bare)
    assert found is not None
    assert [decode_command(body).id for body in found] == ["open-44", "first-44"]
    envelope = json.loads(event)
    assert envelope["detail-type"] == BULK_DETAIL_TYPE
    (only,) = read_bulk(json.dumps(envelope["detail"]).encode())
    assert decode_command(only).id == "order-1001"


def payments(kind: int, count: int, name: str) -> list[Asked]:
    """So many payments, as a row of the table says."""
    sides = [
        [(f"a{number}", f"b{number}") for number in range(count)],
        [("a0", f"b{number}") for number in range(count)],
        [("a0", "b0") for _ in range(count)],
    ][kind]
    commands = [paying(f"{name}-{number}", (*pair, 1)) for number, pair in enumerate(sides)]
    return [Asked(command, "documents") for command in commands]


@pytest.mark.parametrize("kind", range(3))
def test_the_table_of_transactions_is_right(kind: int) -> None:
    """As many payments as it says commit in one transaction, of so many actions and for so many
    write units each; one more takes another."""
    _, *rows = ROW.findall(PAGE)
    assert len(rows) == 3
    count, actions, units = int(rows[kind][1]), int(rows[kind][2]), float(rows[kind][3])
    store = CountingStore()
    for number in range(count + 1):
        for side in "ab":
            decided(commands_on(store), opening(f"{side}{number}", min_balance_minor=None))
    store.actions, store.units = [], 0
    group = group_on(store)
    for asked, transactions in (
        (payments(kind, count, "p"), 1),
        (payments(kind, count + 1, "q"), 3),
    ):
        answers = group.handle(asked, lambda: True)
        assert all(isinstance(answer, Decided) and not answer.repeat for answer in answers)
        assert len(store.actions) == transactions
        if transactions == 1:
            assert store.actions == [actions]
            assert units - 0.1 < store.units / count <= units
