"""The table of reasons: closed, unique, documented."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.contracts import problems, reasons
from ledger.contracts.reasons import BY_CODE, REASONS, Kind, Reason, Violation

ERRORS = Path(__file__).parents[3] / "docs" / "errors.md"


def test_every_reason_is_in_the_table_once() -> None:
    """No reason is defined without its place in the precedence; codes are unique."""
    defined = [value for value in vars(reasons).values() if isinstance(value, Reason)]
    assert sorted(defined, key=REASONS.index) == list(REASONS)
    assert len(BY_CODE) == len(REASONS)
    assert all(re.fullmatch("[a-z_]+", code) for code in BY_CODE)


def test_the_documented_table_is_the_code() -> None:
    """docs/errors.md lists every reason in the same order, with the same status and retry."""
    rows = re.findall(
        r"^\| (\d+) \| `(\w+)` \| (\w+) \| (\d+) \| `(\w+)` \| (.+) \|$",
        ERRORS.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert rows == [
        (str(place), r.code, r.kind.value, str(r.status.value), r.retry, r.meaning)
        for place, r in enumerate(REASONS, start=1)
    ]


def test_the_kind_decides_what_may_be_retried() -> None:
    """What is recorded needs a new id or nothing; what is an outage, the same request."""
    retries = {kind: {reason.retry for reason in REASONS if reason.kind is kind} for kind in Kind}
    assert retries[Kind.MALFORMED] == retries[Kind.CONFLICT] == {"never"}
    assert retries[Kind.REJECTION] == {"never", "new_id"}
    assert retries[Kind.OUTAGE] == {"same_request"}


def test_the_kind_decides_the_class_of_status() -> None:
    """Outages are the server's, everything else but a lagging projection the client's."""
    for reason in REASONS:
        of_server = reason.kind is Kind.OUTAGE or reason is reasons.NOT_YET_PROJECTED
        assert (reason.status >= 500) == of_server


def test_what_is_decided_by_text_precedes_what_is_decided_by_state() -> None:
    """The precedence follows the order in which a command is judged."""
    order = [Kind.TRANSPORT, Kind.MALFORMED, Kind.CONFLICT, Kind.REJECTION]
    kinds = [reason.kind for reason in REASONS if reason.kind in order]
    assert kinds == sorted(kinds, key=order.index)


def test_a_problem_says_reason_status_and_retry() -> None:
    """RFC 9457's members and ours; `field` only where there is one."""
    assert problems.problem(reasons.CONTENTION) == {
        "type": "urn:ledger:problem:contention",
        "title": reasons.CONTENTION.meaning,
        "status": 503,
        "reason": "contention",
        "retry": "same_request",
    }
    assert problems.problem(reasons.INVALID_ID, field="id")["field"] == "id"


def test_a_problem_of_violations_names_the_first_and_lists_all() -> None:
    """In the order given, which is that of the precedence."""
    body = problems.problem_of_violations(
        (Violation(reasons.INVALID_ID, "id"), Violation(reasons.CARD_NUMBER, "reference"))
    )
    assert (body["reason"], body["field"]) == ("invalid_id", "id")
    assert body["errors"] == [
        {"reason": "invalid_id", "field": "id"},
        {"reason": "card_number", "field": "reference"},
    ]
