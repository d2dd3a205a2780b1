"""What `ledger up` says when it has done its work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.application.verification import Report
from ledger.cli import verification
from ledger.cli.feeding.outcomes import Outcomes
from ledger.cli.importing.report import faults_shown
from ledger.cli.output import fields, table
from ledger.cli.up.golden import Golden
from ledger.cli.up.recorded import Results
from ledger.cli.up.usage import Usage
from ledger.contracts.reasons import BY_CODE, IDEMPOTENCY_MISMATCH, Kind
from ledger.importers.instructions import EXPIRED, OPENED, POSTED, REPEAT, Fault

#: What else commands come to, in the order of a life.
_LATER: Final = {
    "authorized": "payments held",
    "increased": "holds increased",
    "captured": "captures",
    "voided": "holds voided",
    EXPIRED: "holds that expired by themselves",
    "reversed": "reversals",
    "committed": "atomic batches",
    "limits_set": "limits changed",
    "stripes_set": "stripes changed",
    "frozen": "accounts frozen",
    "unfrozen": "accounts unfrozen",
    "closed": "accounts closed",
    "metadata_set": "metadata set",
    "alerts_set": "alerts set",
    "template_defined": "templates defined",
    "book_opened": "books opened",
    "book_closed": "books closed through a day",
    "book_reopened": "books reopened",
}
_NAMED_MAX: Final = 20  # of the payments at fault: as many as a person looks up


@dataclass(slots=True)
class Summary:
    """All that was done and found. `seconds` is by stage, in the order of the stages."""

    source: str
    results: Results
    outcomes: Outcomes
    usage: Usage
    report: Report
    dead_letters: dict[str, int]
    seconds: dict[str, float]
    golden: Golden | None = None
    totals: list[str] | None = None  # differing from what the source comes to, if it says so
    lives: list[str] = field(default_factory=list)  # what did not end as the stories say
    refused_rows: tuple[Fault, ...] = ()
    stalled: str = ""
    checks: list[tuple[str, list[str]]] = field(init=False)

    def __post_init__(self) -> None:
        """Collects what must hold beyond `ledger verify`: each with what is wrong, if anything."""
        buried = {name: n for name, n in self.dead_letters.items() if n}
        screened = self.results.screened
        unscreened = sorted(screened.asked ^ screened.done)
        self.checks = [
            ("outcomes_foreseen", self.results.differing),
            ("lives_end_as_told", self.lives),
            ("consumers_done", [self.stalled] if self.stalled else []),
            ("every_payment_screened", unscreened[:_NAMED_MAX]),
            ("no_event_buried", [f"{name}: {n} messages" for name, n in buried.items()]),
        ]
        if self.golden is not None:
            self.checks += [
                ("bank_running_balances", self.golden.running),
                ("bank_final_balances", self.golden.final),
            ]
        if self.totals is not None:
            self.checks.append(("source_totals", self.totals))

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return self.report.ok and not any(wrong for _, wrong in self.checks)

    def as_value(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": self.ok,
            "source": self.source,
            "sent": {str(entry): count for entry, count in self.outcomes.sent.items()},
            "found": dict(self.results.found),
            "foreseen": dict(self.results.foreseen),
            "verdicts": dict(self.results.screened.verdicts),
            "refused_rows": [asdict(fault) for fault in self.refused_rows],
            "usage": {
                "invocations": self.usage.invocations,
                "requests": self.usage.requests,
                "write_units": self.usage.write_units,
                "decided": self.usage.decided,
                "causes_of_retries": dict(self.usage.causes),
            },
            "seconds": {stage: round(seconds, 1) for stage, seconds in self.seconds.items()},
            "checks": [{"check": name, "wrong": wrong} for name, wrong in self.checks],
            "verify": verification.as_value(self.report),
        }

    def as_shown(self) -> list[Any]:
        """For people."""
        found = table(("", "commands"), self._counts(), right="commands")
        wrong = [f"{name}: {each}" for name, every in self.checks for each in every]
        checks = table(
            ("check", "", "what holds"),
            (
                (name, "FAILED" if every else "ok", self._meaning(name))
                for name, every in self.checks
            ),
        )
        return [
            found,
            "",
            fields(self._costs()),
            "",
            *verification.as_shown(self.report),
            checks,
            *faults_shown(self.refused_rows),
            *(["", *wrong] if wrong else []),
        ]

    def _counts(self) -> Iterator[tuple[str, str]]:
        found = self.results.found
        yield "accounts opened", f"{found[OPENED]:,}"
        yield "payments posted", f"{found[POSTED]:,}"
        for outcome, title in _LATER.items():
            if found[outcome]:
                yield title, f"{found[outcome]:,}"
        for title, kinds in (("rejected", {Kind.REJECTION}), ("malformed", {Kind.MALFORMED})):
            for outcome, count in found.most_common():
                reason = BY_CODE.get(outcome)
                if reason is not None and reason.kind in kinds:
                    yield f"{title}: {outcome}", f"{count:,}"
        yield "repeats, answered as before", f"{found[REPEAT]:,}"
        yield "id used for another request", f"{found[IDEMPOTENCY_MISMATCH.code]:,}"
        for verdict in ("clear", "review", "block"):
            yield f"fraud verdict: {verdict}", f"{self.results.screened.verdicts[verdict]:,}"

    def _costs(self) -> Iterator[tuple[str, str]]:
        sent = ", ".join(f"{count:,} over {entry}" for entry, count in self.outcomes.sent.items())
        yield "sent", sent
        usage = self.usage
        handled = usage.decided + usage.outcomes[REPEAT]
        if usage.decided:
            yield "DynamoDB requests", f"{usage.requests / handled:.2f} a payment, repeats included"
            yield "write units", f"{usage.write_units / usage.decided:.2f} a payment decided"
        retries = ", ".join(f"{count:,} {cause}" for cause, count in usage.causes.most_common())
        yield "attempts made again", retries or "none"
        yield "time", ", ".join(f"{stage} {s:.1f} s" for stage, s in self.seconds.items())

    def _meaning(self, check: str) -> str:
        rows = f"{self.golden.rows:,} rows" if self.golden else ""
        customers = f"{self.golden.customers:,} customers" if self.golden else ""
        return {
            "outcomes_foreseen": "every command came to the outcome that its source foresees",
            "lives_end_as_told": "holds, reversals, freezes and limits end as their stories say",
            "consumers_done": "projections have every version, no queue has anything left",
            "every_payment_screened": "each payment by a customer has its recorded fraud verdict",
            "no_event_buried": "the dead-letter queues of all consumers are empty",
            "bank_running_balances": f"history has the bank's own balance after each of {rows}",
            "bank_final_balances": f"balances has the bank's own last balance of {customers}",
            "source_totals": "every account's balance is the sum of its rows in the source",
        }[check]


def what_to_try(endpoints: dict[str, str], account: str, payee: str, currency: str) -> list[Any]:
    """Where the stack is, and three commands."""
    ledger = _as_called()
    return [
        "",
        fields(endpoints.items()),
        "",
        "try next, in another terminal:",
        f"  {ledger} balance {account}",
        f"  {ledger} pay {account} {payee} 1250 {currency} --reference 'my first payment'",
        f"  {ledger} history {account} -n 5",
        "",
    ]


def _as_called() -> str:
    """The command as it was called: `.venv/bin/ledger` where it is not on PATH."""
    called = Path(sys.argv[0])
    if called.is_absolute() and called.is_relative_to(Path.cwd()):
        return str(called.relative_to(Path.cwd()))
    return str(called)
