"""The pages on concepts: bounds, tables and links are those of the code and of the other pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from msgspec.structs import replace

from ledger.adapters.dynamodb.codec import state_item
from ledger.application.commit import RELEASES_MAX
from ledger.cli.app import app
from ledger.contracts.commands import (
    ACTIONS_MAX,
    BULK_BYTES_MAX,
    BULK_COMMANDS_MAX,
    CLIENT_COMMANDS,
    SYSTEM_COMMANDS,
    MemberCommand,
)
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.events import EVENT_TYPES
from ledger.contracts.primitives import (
    ALERTS_MAX,
    AMOUNT_MINOR_MAX,
    BATCH_COMMANDS_MAX,
    COMMAND_BYTES_MAX,
    ID_LENGTH_MAX,
    METADATA_ENTRIES_MAX,
    METADATA_VALUE_LENGTH_MAX,
    OVER_CAPTURE_BPS_MAX,
    POSTINGS_MAX,
)
from ledger.contracts.rates import RATES_MAX, converted_minor
from ledger.contracts.reasons import BY_CODE, InvalidCommandError, Kind
from ledger.contracts.rounding import Rounding
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from ledger.contracts.templates import BPS_WHOLE, TEMPLATE_PARAMETERS_MAX
from ledger.contracts.velocity import (
    VELOCITY_COUNT_MAX,
    VELOCITY_HOURS_MAX,
    VELOCITY_LIMITS_MAX,
    VelocityLimit,
)
from ledger.domain.authorize_payment import HOLD_DEFAULT, HOLD_MAX
from ledger.domain.books import TEMPLATE_VERSIONS_MAX
from ledger.domain.effective_time import CLOSING_MARGIN, CURRENT_REACH, FUTURE_TOLERANCE
from ledger.domain.stamp import SKEW_MICROSECONDS_MAX
from ledger.domain.velocity import ROLLING_STEPS, VelocityCounter
from tests.support.builders import batching, paying, state
from tests.support.items import KIB, item_bytes
from tests.support.pages import CONCEPTS, DOCS, page

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
#: What a page says of a bound, in its words; lines may break anywhere in it.
BOUNDS: dict[str, tuple[str, ...]] = {
    "accounts.md": (
        f"Ids have 1 to {ID_LENGTH_MAX} characters",
        f"Up to {ALERTS_MAX} thresholds",
    ),
    "batches.md": (
        f"1 to {BATCH_COMMANDS_MAX}, and what fits one transaction",
        f"1 to {BULK_COMMANDS_MAX}",
        f"{COMMAND_BYTES_MAX:,} bytes, like any command",
        f"{BULK_BYTES_MAX // KIB**2} MiB, each command {COMMAND_BYTES_MAX:,} bytes",
        f"One transaction has {ACTIONS_MAX} actions",
        f"`POST {INDEPENDENT_PATH}`",
    ),
    "closing.md": (
        f"must lie **{CLOSING_MARGIN // MINUTE} minutes** back",
        f"CURRENT_REACH = {CURRENT_REACH // MINUTE} minutes",
        f"CLOSING_MARGIN = {CLOSING_MARGIN // MINUTE} minutes back",
        f"*e* ≥ *t* {MINUS} {CURRENT_REACH // MINUTE} min",
        f"*E* ≤ *c* {MINUS} {CLOSING_MARGIN // MINUTE} min",
        f"*t* < *c* {MINUS} {(CLOSING_MARGIN - CURRENT_REACH) // MINUTE} min",
        f"clocks differ by {2 * SKEW_MICROSECONDS_MAX // SECOND} s at most",
        f"more than {SKEW_MICROSECONDS_MAX // SECOND} s ahead of a worker's clock is refused",
    ),
    "effective-time.md": (
        f"at most {FUTURE_TOLERANCE // MINUTE} minutes, for senders' clocks",
        f"as far as {CURRENT_REACH // MINUTE} minutes back",
        f"more than {FUTURE_TOLERANCE // MINUTE} minutes ahead",
    ),
    "fx.md": (
        f"**1 to {POSTINGS_MAX} postings**",
        f"`rates`, up to {RATES_MAX} of them",
        "up to 12 digits before and 12 after the point",
    ),
    "holds.md": (
        f"`expires_at` is {HOLD_DEFAULT // DAY} days after",
        f"at most {HOLD_MAX // DAY} days ahead",
        f"up to {RELEASES_MAX} of them",
        f"`over_capture_bps` (0 to {OVER_CAPTURE_BPS_MAX:,} hundredths of a percent",
    ),
    "limits.md": (
        f"At most {VELOCITY_LIMITS_MAX} for an account",
        f"of a rolling window, 1 to {VELOCITY_HOURS_MAX} |",
        f"in steps of n {TIMES} {60 // ROLLING_STEPS} minutes",
        "counts the present step and the six before it",
    ),
    "metadata.md": (
        f"**At most {METADATA_ENTRIES_MAX} texts** of at most {METADATA_VALUE_LENGTH_MAX}",
        "Names are 1 to 40 of",
    ),
    "templates.md": (
        f"up to {TEMPLATE_VERSIONS_MAX:,}; a version never changes",
        f"At most {TEMPLATE_PARAMETERS_MAX}, each used",
        f"hundredths of a percent, 0 to {BPS_WHOLE:,}",
        f"amount {TIMES} bps ÷ {BPS_WHOLE:,}",
        f"an account that gets longer than {ID_LENGTH_MAX} characters",
    ),
}
ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| (.+?) \| (.*?) ?\| (.+) \|$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_are_those_of_the_code(name: str) -> None:
    """Each bound stands in the page as the code has it."""
    words = " ".join(page(name).split())
    assert [said for said in BOUNDS[name] if said not in words] == []


def test_every_command_has_its_row() -> None:
    """With its path, and the types of what it makes; all but batches, which have a table of their
    own."""
    listed = set()
    for name in CONCEPTS:
        for command, path, _, made in ROW.findall(page(name)):
            listed.add(command)
            expected = COMMAND_PATHS.get(command)
            assert path == (f"`POST {expected}`" if expected else "the ledger's own"), command
            assert set(re.findall("`([^`]+)`", made)) <= set(EVENT_TYPES), command
    assert listed == (CLIENT_COMMANDS | SYSTEM_COMMANDS) - {"batch.atomic", "payment.screen"}
    assert f"`POST {COMMAND_PATHS['batch.atomic']}`" in page("batches.md")


def test_every_verb_is_one() -> None:
    """What the tables call a command at the shell, `ledger` knows."""
    root = typer.main.get_command(app)
    for name in CONCEPTS:
        for command, _, verb, _ in ROW.findall(page(name)):
            if command not in SYSTEM_COMMANDS:
                assert is_verb(root, verb.strip("`").split()[1:]), f"{name}: {verb}"


def is_verb(group: object, words: list[str]) -> bool:
    """Whether words lead to a verb, from group to group."""
    if not words:
        return True
    commands: dict[str, object] = getattr(group, "commands", {})
    return words[0] in commands and is_verb(commands[words[0]], words[1:])


def refusals() -> Iterator[tuple[str, str, str]]:
    """Page, reason and what is said of it, for every row of the tables of refusals."""
    for name in CONCEPTS:
        _, found, rest = page(name).partition("\n## Refusals\n")
        table = rest.partition("\n## ")[0] if found else ""
        for codes, said in re.findall(r"^\| (`.+?`) \| (.+) \|$", table, re.MULTILINE):
            yield from ((name, code, said) for code in re.findall("`([^`]+)`", codes))


def test_every_refusal_is_one_of_ours_and_of_its_kind() -> None:
    """What is said to be malformed is not recorded, and what is not said to be, is."""
    for name, code, said in refusals():
        malformed = BY_CODE[code].kind is Kind.MALFORMED
        assert malformed == said.startswith("malformed:"), f"{name}: {code}"


def test_every_rejection_is_explained() -> None:
    """Each reason that is decided against what is stored has a place in a concept."""
    recorded = {code for code, reason in BY_CODE.items() if reason.kind is Kind.REJECTION}
    assert recorded - {code for _, code, _ in refusals()} == set()


def test_every_link_leads_somewhere() -> None:
    """From every document to a file, and to a heading that is there."""
    documents = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]
    lost = []
    for document in documents:
        for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
            file = (document.parent / target).resolve() if target else document
            if not file.exists() or (anchor and anchor not in anchors(file)):
                lost.append(f"{document.name}: {target}#{anchor}")
    assert lost == []


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_has_every_page() -> None:
    """Each once."""
    index = page("README.md")
    named = [target for target, _ in LINK.findall(index) if not target.startswith("..")]
    here = [path.name for path in DOCS.iterdir() if path.suffix in {".md", ".json"}]
    assert sorted(named) == sorted(set(here) - {"README.md"})


def test_the_table_of_roundings_is_right() -> None:
    """Both examples of every rounding, as the check of rates computes them."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", page("fx.md"), re.MULTILINE)
    assert [name for name, _, _ in rows] == list(Rounding.__args__)  # type: ignore[attr-defined]
    for name, first, second in rows:
        for amount_minor, shown in ((1000, first), (3000, second)):
            found = converted_minor(amount_minor, "EUR", "JPY", "163.45", name)
            assert found == int(shown), name
    assert "(EUR 2, JPY 0, KWD 3)" in page("fx.md")
    assert [MINOR_DIGITS[code] for code in ("EUR", "JPY", "KWD")] == [2, 0, 3]


def payments(kind: int, count: int) -> tuple[MemberCommand, ...]:
    """So many payments: between the same two, from one payer, or between others each time."""
    names = [
        [("a", "b") for _ in range(count)],
        [("a", f"b{number}") for number in range(count)],
        [(f"a{number}", f"b{number}") for number in range(count)],
    ][kind]
    return tuple(paying(f"p{number}", (*pair, 1)) for number, pair in enumerate(names))


def test_the_table_of_batches_is_right() -> None:
    """As many payments as it says fit, and one more does not."""
    most = [int(figure) for figure in re.findall(r"\| 1 \+ n[^|]*\| (\d+) \|", page("batches.md"))]
    assert len(most) == 3
    for kind, count in enumerate(most):
        batching("batch", *payments(kind, count))
        with pytest.raises(InvalidCommandError, match="transaction_too_large"):
            batching("batch", *payments(kind, count + 1))


LONGEST = VelocityLimit(
    name="n" * 32,
    window="rolling",
    hours=VELOCITY_HOURS_MAX,
    direction="credits",
    currency="EUR",
    max_amount_minor=AMOUNT_MINOR_MAX,
    max_count=VELOCITY_COUNT_MAX,
)
USUAL = replace(LONGEST, name="n" * 12, max_amount_minor=10**9, max_count=1_000)


@pytest.mark.parametrize(
    ("limit", "count", "step_minor", "kib"),
    [
        (LONGEST, 2, AMOUNT_MINOR_MAX, 1),
        (USUAL, VELOCITY_LIMITS_MAX, 10**8, 2),
        (LONGEST, VELOCITY_LIMITS_MAX, AMOUNT_MINOR_MAX, 3),
    ],
    ids=["two", "usual", "longest"],
)
def test_limits_weigh_what_the_page_says(
    limit: VelocityLimit, count: int, step_minor: int, kib: int
) -> None:
    """With every step of them in use, in an account with ids of 36 characters."""
    said = " ".join(page("limits.md").split())
    assert "it takes 1 KiB (2 write units) with one or two limits, 2 KiB (4 units) with 8" in said
    assert "(names up to 12 characters, up to a million euros a step), and 3 KiB" in said
    steps = ROLLING_STEPS + 1
    counter = VelocityCounter(10**6, (step_minor,) * steps, (100,) * steps)
    account = replace(
        state("a" * 36, version=10**6, debits=10**12, credits=10**12),
        last_event="e" * 36,
        velocity=(limit,) * count,
        counters=(counter,) * count,
    )
    assert item_bytes(state_item(account)) <= kib * KIB
