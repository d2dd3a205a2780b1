"""A sample of every schema of every kind of state, as it lies in a table: it must read for ever.

Names and order in these texts are stored. Whoever changes one must bring a new schema version.
"""

from __future__ import annotations

from typing import Any, Final, get_args

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import newest_schema, state_item, state_of_item
from ledger.contracts.commands import Alert
from ledger.contracts.subjects import Key, Kind
from ledger.domain.states import State
from ledger.domain.velocity import VelocityCounter
from tests.support.builders import limit, state
from tests.support.subjects import ELEVEN, book, hold, metadata, reversal, template

_TOTALS: Final = (
    '"debits_posted_minor":0,"credits_posted_minor":5,'
    '"debits_pending_minor":2,"credits_pending_minor":0,'
)
_OPEN: Final = (
    '{"currency":"EUR","type":"liability","status":"open",' + _TOTALS + '"min_balance_minor":-9,'
    '"max_balance_minor":null,"opened_at":"2026-11-21T10:00:00.000000Z",'
    '"recorded_at":"2026-11-21T11:00:00.000000Z","last_event":"made:a:7"'
)
_MADE: Final = (
    '"made_at":"2026-11-21T11:00:00.000000Z","recorded_at":"2026-11-21T12:00:00.000000Z",'
)
_WATCHED: Final = (Alert(direction="above", threshold_minor=7),)
_LIMITS: Final = (
    limit(max_amount_minor=100),
    limit("burst", window="rolling", hours=6, direction="credits", max_count=3),
)
_COUNTERS: Final = (VelocityCounter(20778, (60,), (2,)), VelocityCounter())

#: What lies beside the key, the version and the hash, and the state that it is.
SAMPLES: Final[dict[tuple[Kind, int, str], tuple[State, str]]] = {
    ("account", 1, "plain"): (
        state("a", credits=5, pending_debits=2, lowest=-9),
        _OPEN + "}",
    ),
    ("account", 2, "watched"): (
        state("a", credits=5, pending_debits=2, lowest=-9, watched=_WATCHED),
        _OPEN + ',"alerts":[{"direction":"above","threshold_minor":7}]}',
    ),
    ("account", 3, "everything"): (
        state(
            "a",
            credits=5,
            pending_debits=2,
            lowest=-9,
            watched=_WATCHED,
            frozen="credits",
            book="branch-7",
            min_balance_basis="posted",
            max_balance_basis="posted",
            velocity=_LIMITS,
            counters=_COUNTERS,
        ),
        _OPEN.replace('"open"', '"frozen"', 1)
        + ',"alerts":[{"direction":"above","threshold_minor":7}],"frozen":"credits",'
        '"book":"branch-7","min_balance_basis":"posted","max_balance_basis":"posted",'
        '"velocity":[["daily","day",0,"d","EUR",100,null,[20778,[60],[2]]],'
        '["burst","rolling",6,"c","EUR",null,3,[0,[],[]]]]}',
    ),
    ("account", 4, "striped"): (
        state(
            "a",
            credits=5,
            pending_debits=2,
            lowest=-9,
            stripes=2,
            stripes_made=4,
            floor_minor=-3,
        ),
        _OPEN + ',"stripes":2,"stripes_made":4,"floor_minor":-3}',
    ),
    ("stripe", 1, "leased"): (
        state(
            "a",
            credits=5,
            pending_debits=2,
            lowest=-9,
            highest=100,
            frozen="debits",
            stripe=3,
            stripes=4,
            stripes_made=4,
            floor_minor=-2,
            ceiling_minor=25,
        ),
        _OPEN.replace('"open"', '"frozen"', 1).replace("null", "100", 1) + ',"frozen":"debits",'
        '"stripes":4,"stripes_made":4,"floor_minor":-2,"ceiling_minor":25}',
    ),
    ("payment", 2, "held on stripes"): (
        msgspec.structs.replace(hold("p", ("a", "b", 5), expires_at=ELEVEN), stripes={"b": 3}),
        '{"postings":[{"source":"a","destination":"b","amount_minor":5,"currency":"EUR"}],'
        '"authorized_minor":[5],"captured_minor":[0],"reversed_minor":[0],'
        '"over_capture_bps":0,"expires_at":"2026-11-21T11:00:00.000000Z","ended":null,'
        + _MADE
        + '"last_event":"made:p:1","stripes":{"b":3}}',
    ),
    ("payment", 1, "held"): (
        hold("p", ("a", "b", 5), captured=[2], over_capture_bps=1000, expires_at=ELEVEN),
        '{"postings":[{"source":"a","destination":"b","amount_minor":5,"currency":"EUR"}],'
        '"authorized_minor":[5],"captured_minor":[2],"reversed_minor":[0],'
        '"over_capture_bps":1000,"expires_at":"2026-11-21T11:00:00.000000Z","ended":null,'
        + _MADE
        + '"last_event":"made:p:1"}',
    ),
    ("payment", 1, "ended"): (
        hold("p", ("a", "b", 5), ended="expiry", expires_at=ELEVEN),
        '{"postings":[{"source":"a","destination":"b","amount_minor":5,"currency":"EUR"}],'
        '"authorized_minor":[5],"captured_minor":[0],"reversed_minor":[0],'
        '"over_capture_bps":0,"expires_at":"2026-11-21T11:00:00.000000Z","ended":"expiry",'
        + _MADE
        + '"last_event":"made:p:1"}',
    ),
    ("payment", 1, "reversed"): (
        reversal("p", ("a", "b", 5), version=1, given_back=[4]),
        '{"postings":[{"source":"a","destination":"b","amount_minor":5,"currency":"EUR"}],'
        '"authorized_minor":[0],"captured_minor":[5],"reversed_minor":[4],'
        '"over_capture_bps":0,"expires_at":null,"ended":null,' + _MADE + '"last_event":"made:p:1"}',
    ),
    ("book", 1, "closed"): (
        book("main", closed_through="2026-10-31"),
        (
            '{"closed_through":"2026-10-31","recorded_at":"2026-11-21T12:00:00.000000Z",'
            '"last_event":"made:main:1"}'
        ),
    ),
    ("template", 1, "of a sale"): (
        template("t"),
        (
            '{"parameters":[{"name":"amount","kind":"amount"},{"name":"merchant","kind":"account"},'
            '{"name":"fee_bps","kind":"bps"}],"postings":[{"source":"bank",'
            '"destination":"merchants:{merchant}","currency":"EUR",'
            '"amount":{"of":"amount","remainder":true}},{"source":"bank","destination":"fees",'
            '"currency":"EUR","amount":{"of":"amount","bps":"fee_bps"}}],"events":["made:t:1"],'
            '"recorded_at":"2026-11-21T12:00:00.000000Z"}'
        ),
    ),
    ("metadata", 1, "of an account"): (
        metadata("a", {"segment": "gold", "note": "Käufer"}),
        (
            '{"metadata":{"segment":"gold","note":"Käufer"},'
            '"recorded_at":"2026-11-21T12:00:00.000000Z","last_event":"made:a:1"}'
        ),
    ),
}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: "-".join(map(str, one)))
def test_a_sample_is_read_and_written(sample: tuple[Kind, int, str]) -> None:
    """Byte for byte, with the schema version that it was written in."""
    kind, schema, _ = sample
    one, data = SAMPLES[sample]
    assert one.key.kind == kind
    item: dict[str, Any] = dict(state_item(one))
    assert (item["v"], item["data"]) == ({"N": str(schema)}, {"S": data})
    assert state_of_item(item) == one


def test_every_schema_has_a_sample() -> None:
    """Those that are no longer written among them."""
    expected = {
        (kind, schema)
        for kind in get_args(Kind)
        for schema in range(1, newest_schema(Key(kind, "x")) + 1)
    }
    assert {(kind, schema) for kind, schema, _ in SAMPLES} == expected
