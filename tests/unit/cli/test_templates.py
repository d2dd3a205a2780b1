"""The verbs for templates: defined from a file, shown, and posted by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

SALE = """
template = "card_sale"
description = "a sale, less the fee"
parameters = [
  { name = "amount", kind = "amount" },
  { name = "fee_bps", kind = "bps" },
  { name = "merchant", kind = "account" },
  { name = "currency", kind = "currency" },
]

[[postings]]
source = "a"
destination = "fees"
currency = "{currency}"
amount = { of = "amount", bps = "fee_bps", rounding = "half_up" }

[[postings]]
source = "a"
destination = "merchants:{merchant}"
currency = "{currency}"
amount = { of = "amount", remainder = true }
"""


@pytest.fixture
def sale(run: Run, tmp_path: Path) -> Path:
    """The template in a file, and the accounts that it names."""
    for arguments in (("a", "EUR", "--unbounded"), ("fees", "EUR"), ("merchants:7", "EUR")):
        assert run("open", *arguments).code == 0
    path = tmp_path / "card_sale.toml"
    path.write_text(SALE)
    return path


def test_a_template_is_defined_shown_and_posted(run: Run, sale: Path) -> None:
    """Amounts as integers, parts of accounts as text though they be digits; to the last unit."""
    defined = run("templates", "define", sale)
    assert defined.code == 0
    for text in ("card_sale", "defined", "fee_bps (bps) of amount, half_up", "what is left of"):
        assert text in defined.out
    assert "a sale, less the fee" in run("templates", "show", "card_sale").out
    arguments = ("amount=10050", "fee_bps=100", "merchant=7", "currency=EUR")
    paid = run("pay-template", "card_sale", *arguments, "--id", "p", "--metadata", "till=3")
    assert paid.code == 0
    for text in ("1.01 EUR", "99.49 EUR", "card_sale version 1", "merchant=7", "till=3"):
        assert text in paid.out
        assert text in run("payment", "p").out
    again = run("pay-template", "card_sale", *arguments, "--id", "p", "--metadata", "till=3")
    assert "posted before: nothing moved again" in again.out


def test_versions_are_named_or_the_newest(run: Run, sale: Path) -> None:
    """A definition makes the next; the one before can still be shown and posted."""
    run("templates", "define", sale)
    other = sale.with_name("other.json")
    rule = {"of": "amount"}
    posting = {"source": "a", "destination": "fees", "currency": "EUR", "amount": rule}
    other.write_text(
        json.dumps(
            {
                "template": "card_sale",
                "parameters": [{"name": "amount", "kind": "amount"}],
                "postings": [posting],
            }
        )
    )
    assert run("templates", "define", other, "--json").value["version"] == 2
    assert "fee_bps" in run("templates", "show", "card_sale", "--version", 1).out
    assert "fee_bps" not in run("templates", "show", "card_sale").out
    old = run(
        "pay-template", "card_sale", "amount=100", "fee_bps=0", "merchant=7", "currency=EUR",
        "--version", 1,
    )  # fmt: skip
    assert "1.00 EUR" in old.out
    assert run("pay-template", "card_sale", "amount=100").code == 0


REFUSALS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "missing": (("amount=1", "fee_bps=0", "currency=EUR"), "missing_parameter", "merchant"),
    "unknown": (("tip=5",), "unknown_parameter", "tip"),
    "out of range": (
        ("amount=1", "fee_bps=10001", "merchant=7", "currency=EUR"),
        "invalid_parameter",
        "fee_bps",
    ),
}


@pytest.mark.parametrize(("arguments", "reason", "name"), REFUSALS.values(), ids=REFUSALS)
def test_a_parameter_at_fault_is_named(
    run: Run, sale: Path, arguments: tuple[str, ...], reason: str, name: str
) -> None:
    """By the ledger, and recorded."""
    run("templates", "define", sale)
    refused = run("pay-template", "card_sale", *arguments, "--id", "p", "--json")
    assert refused.value["reason"] == reason
    assert refused.value["field"] == f"parameters.{name}"
    shown = run("payment", "p")
    assert "rejected" in shown.out
    assert f"card_sale {arguments[0]}" in shown.out


def test_a_template_that_is_not_there(run: Run) -> None:
    """Shown: not found. Posted: refused by the ledger, for ever under that id."""
    assert run("templates", "show", "nothing", "--json").value["reason"] == "template_not_found"
    refused = run("pay-template", "nothing", "amount=1", "--id", "p", "--json")
    assert (refused.code, refused.value["reason"]) == (1, "template_unknown")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("t.yaml", "a: 1", "neither in .json nor in .toml"),
        ("t.toml", "a = ", ""),
        ("t.json", "[]", "is not an object"),
        ("t.json", "{", ""),
        ("t.json", " " * 70_000, "characters"),
        (None, "", "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    run: Run, local: LocalLedger, tmp_path: Path, *, name: str | None, text: str, why: str
) -> None:
    """Exit code 2, with the path; nothing is sent."""
    path = tmp_path / (name or "absent.toml")
    if name:
        path.write_text(text)
    refused = run("templates", "define", path, "--json")
    assert (refused.code, refused.value["reason"]) == (2, "unreadable_source")
    assert path.name in refused.value["title"]
    assert why in refused.value["title"]
    assert local.requests == []


def test_a_template_at_fault_is_refused_before_it_is_sent(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """By the contracts, at the field."""
    path = tmp_path / "t.toml"
    path.write_text(SALE.replace("remainder = true", "remainder = true, bps = 5"))
    refused = run("templates", "define", path, "--json")
    assert (refused.code, refused.value["reason"]) == (1, "invalid_template")
    assert refused.value["field"] == "postings[1].amount.bps"
    assert local.requests == []


@pytest.mark.parametrize("value", ["5.00", "1e3", ""])
def test_what_is_no_integer_is_no_amount(
    run: Run, local: LocalLedger, sale: Path, value: str
) -> None:
    """5.00 EUR must never be taken for 0.05 EUR, nor for text."""
    run("templates", "define", sale)
    before = len(list(local.store.events()))
    wrong = run("pay-template", "card_sale", f"amount={value}", "--json")
    assert (wrong.code, wrong.value["reason"]) == (2, "usage")
    assert len(list(local.store.events())) == before
