"""Commands as the queue path reads them: what is refused, for what reason, at which field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts import examples, reasons
from ledger.contracts.commands import (
    COMMAND_TYPES,
    SYSTEM_COMMANDS,
    SYSTEM_ID_PREFIXES,
    DefineTemplate,
    OpenAccount,
    Posting,
    PostPayment,
    PostTemplate,
    accounts_of,
    decode_command,
    default_ordering_key,
    encode_command,
    screening_id,
)
from ledger.contracts.primitives import COMMAND_BYTES_MAX, is_id
from ledger.contracts.reasons import InvalidCommandError, Reason, Violation
from ledger.contracts.violations import reason_of, shown_name
from tests.properties.command_bodies import ids

OPENING = examples.COMMANDS["account.open", 1]
PAYMENT = examples.COMMANDS["payment.post", 1]
POSTING: dict[str, Any] = {
    "source": "a",
    "destination": "b",
    "amount_minor": 100,
    "currency": "EUR",
}


ALERT = {"direction": "below", "threshold_minor": 0}
SCREENING = examples.COMMANDS["payment.screen", 1]


CARD = "4111111111111111"
#: Shaped as a template's account text and no id: it refers to a parameter.
CARD_TEXT = "4111-1111-1111-1111:{shop}"


def template_with(**arguments: object) -> dict[str, Any]:
    return {
        "type": "payment.post_template",
        "v": 1,
        "id": "p",
        "template": "sale",
        "parameters": arguments,
    }


def definition_with(name: str, source: str) -> dict[str, Any]:
    posting = {"source": source, "destination": "b", "currency": "EUR", "amount": {"of": "n"}}
    parameters = [{"name": "n", "kind": "amount"}, {"name": name, "kind": "account"}]
    return {
        "type": "template.define",
        "v": 1,
        "id": "d",
        "template": "sale",
        "parameters": parameters,
        "postings": [posting],
    }


def limits_with(**fields: object) -> dict[str, Any]:
    return {"type": "account.set_limits", "v": 1, "id": "s", "account": "a"} | fields


def batch_of(*commands: object) -> dict[str, Any]:
    return {"type": "batch.atomic", "v": 1, "id": "b", "commands": commands}


def violations_in(body: bytes | dict[str, Any]) -> tuple[Violation, ...]:
    """What `body` is refused for."""
    with pytest.raises(InvalidCommandError) as caught:
        decode_command(body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value.violations


def payment_with(**fields: object) -> dict[str, Any]:
    return {"type": "payment.post", "v": 1, "id": "p", "postings": [POSTING]} | fields


def posting_with(**fields: object) -> dict[str, Any]:
    return payment_with(postings=[POSTING, POSTING | fields])


def alerts_with(*alerts: object) -> dict[str, Any]:
    return {"type": "account.set_alerts", "v": 1, "id": "s", "account": "a", "alerts": alerts}


def test_an_opening_is_read_with_what_was_left_out_left_out() -> None:
    """A field left out is not the same as its default: the request is recorded as sent."""
    command = decode_command(json.dumps(OPENING).encode())
    assert isinstance(command, OpenAccount)
    assert json.loads(encode_command(command)) == OPENING


def test_a_payment_is_read_with_its_time_in_utc() -> None:
    """`effective_at` is normalised, everything else is as it was sent."""
    command = decode_command(
        json.dumps(PAYMENT | {"effective_at": "2026-11-22T00:10:04+01:00"}).encode()
    )
    assert isinstance(command, PostPayment)
    assert json.loads(encode_command(command)) == PAYMENT | {
        "effective_at": "2026-11-21T23:10:04.000000Z"
    }


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        # Each form of a message that msgspec has for us: if a release words one anew, this fails.
        (payment_with(type=5), reasons.UNSUPPORTED_TYPE, "type"),
        (payment_with(type="payment.undo"), reasons.UNSUPPORTED_TYPE, "type"),
        (payment_with(v=2), reasons.UNSUPPORTED_VERSION, "v"),
        (payment_with(v="1"), reasons.UNSUPPORTED_VERSION, "v"),
        (payment_with(v=True), reasons.UNSUPPORTED_VERSION, "v"),
        (payment_with(v=10**30), reasons.UNSUPPORTED_VERSION, "v"),
        ({"v": 1}, reasons.MISSING_FIELD, "type"),
        ({"type": "payment.post"}, reasons.MISSING_FIELD, "v"),
        ({"type": "payment.post", "v": 1}, reasons.MISSING_FIELD, "id"),
        (payment_with(postings=[{}]), reasons.MISSING_FIELD, "postings[0].source"),
        (payment_with(colour=1), reasons.UNKNOWN_FIELD, "colour"),
        (posting_with(colour=1), reasons.UNKNOWN_FIELD, "postings[1].colour"),
        (payment_with(id=5), reasons.INVALID_ID, "id"),
        (payment_with(id=""), reasons.INVALID_ID, "id"),
        (payment_with(id="x\n"), reasons.INVALID_ID, "id"),
        (posting_with(source="a b"), reasons.INVALID_ID, "postings[1].source"),
        (posting_with(destination="b\n"), reasons.INVALID_ID, "postings[1].destination"),
        (OPENING | {"account": "x" * 65}, reasons.INVALID_ID, "account"),
        (posting_with(amount_minor=0), reasons.INVALID_AMOUNT, "postings[1].amount_minor"),
        (posting_with(amount_minor=-1), reasons.INVALID_AMOUNT, "postings[1].amount_minor"),
        (posting_with(amount_minor=1.5), reasons.INVALID_AMOUNT, "postings[1].amount_minor"),
        (posting_with(amount_minor=1.0), reasons.INVALID_AMOUNT, "postings[1].amount_minor"),
        (posting_with(amount_minor="1"), reasons.INVALID_AMOUNT, "postings[1].amount_minor"),
        (posting_with(amount_minor=2**63), reasons.INVALID_AMOUNT, "postings[1].amount_minor"),
        (posting_with(amount_minor=10**400), reasons.INVALID_AMOUNT, "postings[1].amount_minor"),
        (OPENING | {"min_balance_minor": "0"}, reasons.INVALID_AMOUNT, "min_balance_minor"),
        (OPENING | {"max_balance_minor": 2**63}, reasons.INVALID_AMOUNT, "max_balance_minor"),
        (OPENING | {"currency": "eur"}, reasons.UNKNOWN_CURRENCY, "currency"),
        (OPENING | {"currency": "XXX"}, reasons.UNKNOWN_CURRENCY, "currency"),
        (OPENING | {"currency": "EUR\n"}, reasons.UNKNOWN_CURRENCY, "currency"),
        (posting_with(currency="ZZZ"), reasons.UNKNOWN_CURRENCY, "postings[1].currency"),
        (OPENING | {"account_type": "debt"}, reasons.INVALID_ACCOUNT_TYPE, "account_type"),
        (OPENING | {"account_type": 1}, reasons.INVALID_ACCOUNT_TYPE, "account_type"),
        (payment_with(effective_at="today"), reasons.INVALID_TIME, "effective_at"),
        (payment_with(effective_at="2026-02-30T00:00:00Z"), reasons.INVALID_TIME, "effective_at"),
        (payment_with(effective_at=None), reasons.INVALID_TIME, "effective_at"),
        (payment_with(reference=""), reasons.INVALID_TEXT, "reference"),
        (payment_with(reference="x" * 65), reasons.INVALID_TEXT, "reference"),
        (payment_with(description="x" * 141), reasons.INVALID_TEXT, "description"),
        (payment_with(description="a\nb"), reasons.INVALID_TEXT, "description"),
        (payment_with(description="  "), reasons.INVALID_TEXT, "description"),
        (payment_with(reference="4111 1111 1111 1111"), reasons.CARD_NUMBER, "reference"),
        *(
            (payment_with(description=f"a{mark}b"), reasons.INVALID_TEXT, "description")
            for mark in ("\u00ad", "\u200b", "\u202e", "\u2066", "\ufeff", "\U000e0041")
        ),
        (payment_with(metadata={"a": "b\u202e"}), reasons.INVALID_METADATA, "metadata"),
        (payment_with(metadata={"a": "\ufeff"}), reasons.INVALID_METADATA, "metadata"),
        *(
            (template_with(a=argument), reasons.INVALID_ARGUMENTS, "parameters")
            for argument in (2**63, -(2**63), 10**4000, "", "x" * 65, "x\u200d", 1.0, None)
        ),
        (template_with(a=f"card {CARD}"), reasons.CARD_NUMBER, "parameters"),
        (template_with(**{f"a{CARD}": 1}), reasons.CARD_NUMBER, "parameters"),
        (template_with() | {"template": f"a_{CARD}"}, reasons.CARD_NUMBER, "template"),
        (OPENING | {"book": "4111_1111-1111_1111"}, reasons.CARD_NUMBER, "book"),
        (definition_with("shop", CARD_TEXT), reasons.CARD_NUMBER, "postings[0].source"),
        (
            limits_with(
                velocity=[
                    {
                        "name": CARD,
                        "window": "day",
                        "direction": "debits",
                        "currency": "EUR",
                        "max_count": 1,
                    }
                ]
            ),
            reasons.CARD_NUMBER,
            "velocity[0].name",
        ),
        (batch_of(limits_with()), reasons.INVALID_LIMITS, "commands[0]"),
        (payment_with(postings=[]), reasons.INVALID_POSTINGS, "postings"),
        (payment_with(postings=[POSTING] * 46), reasons.INVALID_POSTINGS, "postings"),
        (payment_with(postings={}), reasons.INVALID_POSTINGS, "postings"),
        (payment_with(postings=[POSTING, 5]), reasons.INVALID_POSTINGS, "postings[1]"),
        (posting_with(destination="a"), reasons.SAME_ACCOUNT, "postings[1].destination"),
        (OPENING | {"min_balance_minor": 1}, reasons.INVALID_LIMITS, "min_balance_minor"),
        (OPENING | {"max_balance_minor": -1}, reasons.INVALID_LIMITS, "max_balance_minor"),
        (payment_with(id="screening:p:m"), reasons.RESERVED_ID, "id"),
        (OPENING | {"id": "expire.p"}, reasons.RESERVED_ID, "id"),
        (alerts_with(ALERT, ALERT), reasons.INVALID_ALERTS, "alerts[1]"),
        (alerts_with(*[ALERT] * 5), reasons.INVALID_ALERTS, "alerts"),
        (alerts_with(ALERT, 5), reasons.INVALID_ALERTS, "alerts[1]"),
        (alerts_with(ALERT | {"direction": "up"}), reasons.INVALID_ALERTS, "alerts[0].direction"),
        (alerts_with(ALERT | {"colour": 1}), reasons.UNKNOWN_FIELD, "alerts[0].colour"),
        (
            alerts_with(ALERT | {"threshold_minor": 0.5}),
            reasons.INVALID_AMOUNT,
            "alerts[0].threshold_minor",
        ),
        (examples.COMMANDS["payment.screen", 1], reasons.UNSUPPORTED_TYPE, "type"),
        (b"", reasons.MALFORMED_JSON, ""),
        (b"null", reasons.MALFORMED_JSON, ""),
        (b"[]", reasons.MALFORMED_JSON, ""),
        (b"{", reasons.MALFORMED_JSON, ""),
        (b"\xff", reasons.MALFORMED_JSON, ""),
        (b"\xef\xbb\xbf{}", reasons.MALFORMED_JSON, ""),
        (b'{"type":"payment.post","v":1,"x":' + b"[" * 30_000, reasons.MALFORMED_JSON, ""),
        (b" " * (COMMAND_BYTES_MAX + 1), reasons.PAYLOAD_TOO_LARGE, ""),
    ],
)
def test_each_fault_has_its_reason_and_field(
    body: bytes | dict[str, Any], reason: Reason, field: str
) -> None:
    """One fault, one violation: the reason of the table, the path of the field."""
    assert violations_in(body) == (Violation(reason, field),)


def test_limits_are_inclusive() -> None:
    """The longest ids, the greatest amounts, 45 postings, exactly the allowed bytes: all taken."""
    posting = POSTING | {"source": "s" * 64, "destination": "d" * 64, "amount_minor": 2**63 - 1}
    body = json.dumps(
        payment_with(
            id="p" * 64, postings=[posting] * 45, reference="r" * 64, description="\U0001f4b6" * 140
        )
    ).encode()
    assert isinstance(decode_command(body.ljust(COMMAND_BYTES_MAX)), PostPayment)
    limits = {"min_balance_minor": -(2**63 - 1), "max_balance_minor": 2**63 - 1}
    assert isinstance(decode_command(json.dumps(OPENING | limits).encode()), OpenAccount)
    unbounded = {"min_balance_minor": None, "max_balance_minor": None}
    assert isinstance(decode_command(json.dumps(OPENING | unbounded).encode()), OpenAccount)


def test_a_parameters_name_is_no_card_number() -> None:
    """Neither where it is declared nor where it is used."""
    body = definition_with(f"a{CARD}", f"{{a{CARD}}}")
    assert [(v.reason.code, v.field) for v in violations_in(body)] == [
        ("card_number", "parameters[1].name"),
        ("card_number", "postings[0].source"),
    ]


def test_arguments_are_inclusive_and_ids_are_opaque() -> None:
    """The greatest integers and the longest texts are taken, and any id, whatever its digits."""
    arguments = {
        "high": 2**63 - 1,
        "low": -(2**63 - 1),
        "text": "\U0001f4b6" * 64,
        "account": "4111-1111-1111-1111",
    }
    command = decode_command(json.dumps(template_with(**arguments)).encode())
    assert isinstance(command, PostTemplate)
    assert command.parameters == arguments
    definition = definition_with("shop", "{shop}")
    definition["postings"][0]["destination"] = CARD
    assert isinstance(decode_command(json.dumps(definition).encode()), DefineTemplate)


def test_faults_beyond_shape_are_all_named_in_precedence() -> None:
    """A well-shaped command is refused for everything that is wrong, the gravest first."""
    body = payment_with(
        id="x\n",
        postings=[POSTING | {"destination": "a", "currency": "ZZZ"}],
        reference="4111111111111111",
        description="a\tb",
        effective_at="2026-02-30T00:00:00Z",
    )
    assert [(v.reason.code, v.field) for v in violations_in(body)] == [
        ("invalid_id", "id"),
        ("unknown_currency", "postings[0].currency"),
        ("invalid_time", "effective_at"),
        ("invalid_text", "description"),
        ("card_number", "reference"),
        ("same_account", "postings[0].destination"),
    ]


def test_the_version_is_judged_before_the_fields() -> None:
    """A newer version's new field is not called unknown."""
    body = payment_with(v=2, colour="red", postings="none")
    assert violations_in(body) == (Violation(reasons.UNSUPPORTED_VERSION, "v"),)


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"payment.post","v":1,"id":"p","id":"p","postings":[]}',
        b'{"type":"account.open","type":"payment.post","v":1,"id":"p","postings":[]}',
        b'{"type":"payment.post","v":2,"v":1,"id":"p","postings":[]}',
        b'{"type":"payment.post","v":1,"id":"p","id" :"p","postings":[]}',
        b'{"type":"payment.post","v":1,"id":"p","id"\n:"p","postings":[]}',
        b'{"type":"payment.post","v":1,"id":"p","\\u0069d":"p","postings":[]}',
        b'{"type":"payment.post","v":1,"id":":p","id":":p","postings":[]}',
        b'{"type":"payment.post","v":1,"id":"p","reference":"\\":\\"","id":"p","postings":[]}',
    ],
)
def test_a_repeated_name_is_refused(body: bytes) -> None:
    """Which of two values counts must not be left to a parser."""
    posting = json.dumps(POSTING).encode()
    assert violations_in(body.replace(b"[]", b"[" + posting + b"]")) == (
        Violation(reasons.MALFORMED_JSON, ""),
    )


@pytest.mark.parametrize("text", ['say "id": 1, \\"v\\": {"a":"b"}', ":", "a :b", '"', "\\", "ü:"])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_names_in_texts_are_not_counted_as_names(text: str, separators: tuple[str, str]) -> None:
    """Text that looks like JSON members, quotes and escapes confuses no one."""
    for ascii_only in (True, False):
        body = json.dumps(
            payment_with(description=text, reference=text),
            separators=separators,
            ensure_ascii=ascii_only,
        )
        command = decode_command(body.encode())
        assert isinstance(command, PostPayment)
        assert (command.description, command.reference) == (text, text)


def test_no_value_and_no_odd_name_is_in_an_error() -> None:
    """What a client sent must not reach logs by way of an error: card numbers least of all."""
    card = "4111111111111111"
    for body in (
        payment_with(**{card: 1}),
        payment_with(**{f"x` - at `$.{card}": 1}),
        payment_with(**{f"missing required field `{card}`": 1}),
        payment_with(**{f"missing required field `{card}": 1}),
        payment_with(id=f"{card} "),
        payment_with(reference=card),
        payment_with(type=card),
        OPENING | {"account_type": card},
        f'{{"{card}'.encode(),
    ):
        with pytest.raises(InvalidCommandError) as caught:
            decode_command(body if isinstance(body, bytes) else json.dumps(body).encode())
        error = caught.value
        assert card not in str(error)
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None


def test_names_are_shown_if_they_are_harmless() -> None:
    """An id's alphabet is; anything else is masked."""
    assert shown_name("colour") == "colour"
    assert {shown_name(name) for name in ("a b", "", "x" * 65, "4111111111111111", "é")} == {
        "(unprintable)"
    }


def test_a_path_has_the_reason_of_its_last_name() -> None:
    """Indexes do not count; what no field is, is malformed."""
    assert reason_of("postings[3].amount_minor") is reasons.INVALID_AMOUNT
    assert reason_of("postings[3]") is reasons.INVALID_POSTINGS
    assert reason_of("") is reason_of("else") is reasons.MALFORMED_JSON


def test_accounts_are_named_once_in_order_of_appearance() -> None:
    """They are what is locked, read and written."""
    postings = tuple(
        Posting(source=source, destination=destination, amount_minor=1, currency="EUR")
        for source, destination in (("b", "a"), ("c", "b"), ("a", "d"))
    )
    payment = PostPayment(v=1, id="p", postings=postings)
    assert accounts_of(payment) == ("b", "a", "c", "d")
    assert default_ordering_key(payment) == "b"


def test_a_screening_touches_no_account() -> None:
    """It is about a payment; what orders it, should anything, is its own id."""
    command = decode_command(json.dumps(SCREENING).encode(), SYSTEM_COMMANDS)
    assert accounts_of(command) == ()
    assert default_ordering_key(command) == command.id


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"id": "screening:another:rules-1"}, reasons.INVALID_ID, "id"),
        ({"payment": "a b"}, reasons.INVALID_ID, "payment"),
        ({"model": "Rules 1"}, reasons.INVALID_SCREENING, "model"),
        ({"model": "rules-1\n"}, reasons.INVALID_SCREENING, "model"),
        ({"verdict": "maybe"}, reasons.INVALID_SCREENING, "verdict"),
        ({"score_permille": 1001}, reasons.INVALID_SCREENING, "score_permille"),
        ({"reasons": [{}]}, reasons.MISSING_FIELD, "reasons[0].code"),
        (
            {"reasons": [{"code": "a\n", "value": 1, "norm": None, "unit": "minor"}]},
            reasons.INVALID_SCREENING,
            "reasons[0].code",
        ),
        (
            {"reasons": [{"code": "a", "value": 1.5, "norm": None, "unit": "minor"}]},
            reasons.INVALID_SCREENING,
            "reasons[0].value",
        ),
        (
            {"reasons": [{"code": "a", "value": 1, "norm": None, "unit": "minor", "x": 1}]},
            reasons.UNKNOWN_FIELD,
            "reasons[0].x",
        ),
    ],
)
def test_each_fault_of_a_verdict_has_its_reason_and_field(
    changes: dict[str, Any], reason: Reason, field: str
) -> None:
    """A verdict that a bug in a scorer made is refused as clearly as a client's command."""
    with pytest.raises(InvalidCommandError) as caught:
        decode_command(json.dumps(SCREENING | changes).encode(), SYSTEM_COMMANDS)
    assert caught.value.violations[0] == Violation(reason, field)


@given(ids, ids, st.from_regex("[a-z0-9.-]{1,16}", fullmatch=True))
def test_verdicts_on_different_payments_have_different_ids(
    one: str, other: str, model: str
) -> None:
    """Of one model; each is an id, and one that no client may use."""
    assert is_id(screening_id(one, model))
    assert screening_id(one, model).startswith(SYSTEM_ID_PREFIXES)
    assert (screening_id(one, model) == screening_id(other, model)) == (one == other)


def test_the_id_of_a_verdict_on_a_long_id_is_not_that_of_a_short_one() -> None:
    """A payment called like the hash of another's id does not get its verdicts."""
    hashed = screening_id("p" * 64, "rules-1")
    assert screening_id(hashed.split(":")[0].removeprefix("screening."), "rules-1") != hashed


def test_every_command_type_is_its_tag() -> None:
    """The names in the table are those in the JSON."""
    for name, struct in COMMAND_TYPES.items():
        assert struct.__struct_config__.tag == name
