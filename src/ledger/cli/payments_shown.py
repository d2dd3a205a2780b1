"""Payments for people: what a command did to one, and how one is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ledger.cli.explaining import causes_in_words, currencies_in
from ledger.cli.output import Output, Shown, fields, money, table
from ledger.cli.showing import accounts_after, in_words, outcome
from ledger.client.answers import Accepted

Body = Mapping[str, Any]

#: What the postings in the answer to a command are, by its status.
_MOVED: Final = {
    "posted": "posted",
    "authorized": "held",
    "captured": "posted",
    "increased": "held as well",
    "voided": "released",
    "reversed": "given back",
}
_FACTS: Final = (
    ("effective", "effective_at"),
    ("expires", "expires_at"),
    ("reference", "reference"),
    ("description", "description"),
    ("reason", "reason"),
    ("field", "field"),
    ("retry", "retry"),
)
#: What has become of a payment, each told if there is something of it.
_PROGRESS: Final = {
    "authorized": "authorized_minor",
    "captured": "captured_minor",
    "given back": "reversed_minor",
    "held still": "held_minor",
}


def show_command(output: Output, accepted: Accepted) -> None:
    """What a command did to a payment: what it moved, the payment and the accounts after it."""
    body = accepted.body
    after = body.get("payment", {})
    facts = [
        ("payment", str(after.get("id", body["id"]))),
        ("status", outcome(accepted, body["status"], again="nothing moved again")),
    ]
    if after:
        facts += [("payment now", _of_payment(after, body)), ("command", body["id"])]
    facts += [("recorded", body["recorded_at"]), *_facts(after | body)]
    shown: list[Shown] = [fields(facts)]
    if body["postings"]:
        shown += ["", _postings(_MOVED[body["status"]], body["postings"])]
    if body.get("released", body["postings"]) != body["postings"]:
        shown += ["", _postings("held no more", body["released"])]
    output.result(body, *shown, *accounts_after(body))


def show_payment(output: Output, body: Body) -> None:
    """A payment as it is, or why it was rejected."""
    facts = [("payment", body["id"]), ("status", body["status"].replace("_", " "))]
    facts += [("recorded", body["recorded_at"]), *_facts(body)]
    if body["status"] == "rejected":
        causes = list(causes_in_words(body, currencies_in(body["postings"])))
        facts += [("because", cause) for cause in causes]
        output.result(body, fields(facts), "", _postings("amount", body["postings"]))
        return
    if body["version"] > 1:
        facts += [("last changed", f"{body['changed_at']} by {body['event']}")]
    output.result(body, fields(facts), "", _progress(body), *accounts_after(body))


def _facts(body: Body) -> Iterator[tuple[str, str]]:
    for name, key in _FACTS:
        if key in body:
            yield name, str(body[key])
    if isinstance(body.get("template"), str):  # of a payment that was refused
        yield "template", f"{body['template']} {in_words(body['parameters'])}"
    elif body.get("template"):
        use = body["template"]
        yield "template", f"{use['name']} version {use['version']} {in_words(use['parameters'])}"
    for rate in body.get("rates", ()):
        pair = f"posting {rate['from_posting']} to {rate['to_posting']}"
        yield "rate", f"{rate['rate']}, {pair}, {rate['rounding']}"
    if body.get("metadata"):
        yield "metadata", in_words(body["metadata"])


def _of_payment(after: Body, body: Body) -> str:
    """How the payment is after a command: `partially captured: authorized 150.00 EUR, …`."""
    status = str(after["status"]).replace("_", " ")
    currencies = {posting["currency"] for posting in body["postings"]}
    currencies |= {account["currency"] for account in body["accounts"]}
    if len(currencies) != 1:  # of which posting which amount is, `ledger payment` says
        return status
    [currency] = currencies
    amounts = (
        f"{word} " + " + ".join(money(minor, currency) for minor in after[name])
        for word, name in _PROGRESS.items()
        if any(after.get(name, ()))
    )
    return ": ".join((status, *([", ".join(told)] if (told := list(amounts)) else [])))


def _postings(title: str, postings: Iterable[Body]) -> Shown:
    rows = (
        (p["source"], p["destination"], money(p["amount_minor"], p["currency"])) for p in postings
    )
    return table(("debited", "credited", title), rows, right=title)


def _progress(body: Body) -> Shown:
    """The postings of a payment, and what has become of each, if something has."""
    postings = body["postings"]
    told = {word: body[name] for word, name in _PROGRESS.items() if any(body[name])}
    if told.keys() == {"captured"}:  # posted at once: that is its amount
        told = {}
    columns = ("debited", "credited", "amount", *told)
    rows = (
        (
            posting["source"],
            posting["destination"],
            *(
                money(minor, posting["currency"])
                for minor in (posting["amount_minor"], *(each[place] for each in told.values()))
            ),
        )
        for place, posting in enumerate(postings)
    )
    made = table(columns, rows)
    for column in made.columns[2:]:
        column.justify = "right"
    return made
