"""The commands, as every entry point takes them: one JSON object, versioned, nothing unknown in it.

Shape (types, required and unknown fields, bounds) is in the Structs, from which the JSON Schemas in
`docs/schemas/commands/` are generated; what a schema cannot say is in `checked`. A field left out
stays `UNSET`, so that the request can be recorded as it was sent, defaults marked.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from hashlib import sha256
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.contracts import reasons
from ledger.contracts.card_numbers import holds_card_number
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.primitives import (
    ALERTS_MAX,
    COMMAND_BYTES_MAX,
    ID_LENGTH_MAX,
    POSTINGS_MAX,
    SCREENING_REASONS_MAX,
    AccountType,
    AmountMinor,
    CurrencyCode,
    Description,
    Id,
    InstantText,
    LimitMinor,
    Reference,
    canonical_instant,
    is_id,
)
from ledger.contracts.reasons import InvalidCommandError, Reason, Violation
from ledger.contracts.violations import precedence_of, violation_of


class Posting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One movement: debits `source` and credits `destination` by the same amount."""

    source: Id
    destination: Id
    amount_minor: AmountMinor
    currency: CurrencyCode


class OpenAccount(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="account.open",  # stored in command.rejected events and in bus rules
):
    """Open an account with a currency, a type and the bounds of its balance.

    `min_balance_minor` defaults to 0 (no overdraft) and `max_balance_minor` to null; null means
    unbounded. Both are on the account's normal side.
    """

    v: Literal[1]
    id: Id
    account: Id
    currency: CurrencyCode
    account_type: AccountType
    min_balance_minor: LimitMinor | UnsetType | None = UNSET
    max_balance_minor: LimitMinor | UnsetType | None = UNSET
    effective_at: InstantText | UnsetType = UNSET


class PostPayment(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="payment.post",  # stored in command.rejected events and in bus rules
):
    """Post a payment of 1 to 45 postings, all or nothing. Its id is the payment's id."""

    v: Literal[1]
    id: Id
    postings: Annotated[tuple[Posting, ...], Meta(min_length=1, max_length=POSTINGS_MAX)]
    effective_at: InstantText | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class Alert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A threshold of an account's posted balance, and the direction in which crossing it counts.

    `below` is crossed by a balance that was at or above the threshold and is below it, `above` by
    one that was at or below it and is above.
    """

    direction: Literal["below", "above"]
    threshold_minor: LimitMinor


class SetAlerts(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="account.set_alerts",  # stored in command.rejected events and in bus rules
):
    """Replace all balance alerts of an account; none switches them off.

    A payment that makes the balance cross one says so in its event, once per crossing. Setting an
    alert that the balance is beyond already crosses nothing.
    """

    v: Literal[1]
    id: Id
    account: Id
    alerts: Annotated[tuple[Alert, ...], Meta(max_length=ALERTS_MAX)]


class ScreeningReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a payment stood out: a figure of it, and beside it what is normal for its payer."""

    code: Annotated[str, Meta(pattern="^[a-z][a-z_]{0,39}$")]
    value: int
    norm: int | None
    unit: Literal["minor", "payments", "permille", "seconds", "accounts"]


class ScreenPayment(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="payment.screen",  # stored
):
    """Record what a fraud model made of a posted payment. See `SYSTEM_COMMANDS`.

    Its id is `screening_id(payment, model)`: a model has one verdict on a payment, for ever.
    """

    v: Literal[1]
    id: Id
    payment: Id
    model: Annotated[str, Meta(pattern="^[a-z0-9.-]{1,16}$")]
    verdict: Literal["clear", "review", "block"]
    score_permille: Annotated[int, Meta(ge=0, le=1000)]
    reasons: Annotated[tuple[ScreeningReason, ...], Meta(max_length=SCREENING_REASONS_MAX)]


Command = OpenAccount | PostPayment | SetAlerts | ScreenPayment
_C = TypeVar("_C", OpenAccount, PostPayment, SetAlerts, ScreenPayment, Command)
COMMAND_TYPES: Final[dict[str, type[Command]]] = {
    "account.open": OpenAccount,
    "account.set_alerts": SetAlerts,
    "payment.post": PostPayment,
    "payment.screen": ScreenPayment,
}
#: Taken from the ledger's own functions only, by a queue that nobody else is granted to send to.
SYSTEM_COMMANDS: Final = frozenset({"payment.screen"})
#: How the ids of system commands begin. No client may use such an id: whoever took that of a
#: verdict to come would keep it from being recorded.
SYSTEM_ID_PREFIXES: Final = ("screening:", "screening.", "expire:", "expire.")
#: What any sender may ask for, by REST, bus and queue.
CLIENT_COMMANDS: Final = frozenset(COMMAND_TYPES) - SYSTEM_COMMANDS
#: Of every command the versions that this release knows.
COMMAND_VERSIONS: Final = dict.fromkeys(COMMAND_TYPES, frozenset({1}))

_FREE_TEXT: Final = ("reference", "description")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class _Head(Struct):
    type: str
    v: int


#: A JSON string, and the colon behind it if it is a member's name. Strings are matched one after
#: the other, so that none is looked for inside another.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"\s*(:?)', re.DOTALL)


_HEAD = msgspec.json.Decoder(_Head)
_HEAD_FIELDS: Final = frozenset(_Head.__struct_fields__)
#: What msgspec raises for text that is no JSON; the last for arrays some 1,000 deep.
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_COMMAND: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_ANYTHING = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def decode_command(body: bytes, types: Container[str] = CLIENT_COMMANDS) -> Command:
    """The command in `body`, one of `types`, checked and normalised.

    Raises InvalidCommandError, naming the field.

    Type and version are judged before the rest, so that a command of a version not known here is
    refused as such and not for its new fields. Of several faults of shape the first one met is
    named; of several others all are, in the order of precedence.
    """
    judge_head(body, types)
    try:
        command = _COMMAND.decode(body)
    except msgspec.ValidationError as error:
        refuse_malformed_json(body)
        violation = violation_of(str(error))
        if violation.field in _HEAD_FIELDS:  # the head was right, so it is there twice
            raise malformed_json() from None
        raise InvalidCommandError((violation,)) from None
    except _NOT_JSON:
        raise malformed_json() from None
    refuse_repeated_names(body, command)
    return checked(command)


def judge_head(body: bytes, types: Container[str]) -> str:
    """The type of the command in `body`: of `types`, in a version that this release knows.

    Raises InvalidCommandError: too large, not JSON, or another type or version.
    """
    if len(body) > COMMAND_BYTES_MAX:
        raise InvalidCommandError((Violation(reasons.PAYLOAD_TOO_LARGE, ""),))
    try:
        head = _HEAD.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidCommandError((violation_of(str(error)),)) from None
    except _NOT_JSON:
        raise malformed_json() from None
    if head.type not in types:
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_TYPE, "type"),))
    if head.v not in COMMAND_VERSIONS[head.type]:
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_VERSION, "v"),))
    return head.type


def refuse_malformed_json(body: bytes) -> None:
    """Raises InvalidCommandError if `body` is not JSON.

    Reading by type stops at the first value of a wrong type, before what follows, or the text of
    that value, was looked at.
    """
    try:
        _ANYTHING.decode(body)
    except msgspec.ValidationError:
        return  # JSON, with a number that is out of every range
    except _NOT_JSON:
        raise malformed_json() from None


def refuse_repeated_names(body: bytes, command: Command) -> None:
    """Raises InvalidCommandError if an object in `body` has a name twice.

    `command` is what was read from `body`, and it knows every name there: so none is repeated
    exactly if there are as many names as fields. RFC 8259 leaves open which of two amounts counts;
    a ledger must not choose.
    """
    values = list(msgspec.structs.asdict(command).values())
    fields = 1 + len(values) - values.count(UNSET)  # and its type, which is no field of the Struct
    for value in values:
        if isinstance(value, tuple):
            fields += sum(len(element.__struct_fields__) for element in value)
    if _STRING.findall(body).count(b":") != fields:
        raise malformed_json()


def malformed_json() -> InvalidCommandError:
    """The error for a body that is not one JSON object, each name in it once.

    Raise it `from None`: its cause may quote the body, and no body may reach a log.
    """
    return InvalidCommandError((Violation(reasons.MALFORMED_JSON, ""),))


def encode_command(command: Command) -> bytes:
    """The command as JSON, fields left out left out."""
    return _ENCODER.encode(command)


def checked(command: _C) -> _C:
    """`command` of the right shape, checked for what a schema cannot say, its times in UTC.

    Raises InvalidCommandError with every such fault, in the order of precedence.
    """
    found = [*_id_faults(command), *_own_faults(command)]
    normalised = command
    effective_at = getattr(command, "effective_at", UNSET)
    if effective_at is not UNSET:
        try:
            normalised = msgspec.structs.replace(
                command, effective_at=canonical_instant(effective_at)
            )
        except ValueError:
            found.append(Violation(reasons.INVALID_TIME, "effective_at"))
    if found:
        raise InvalidCommandError(tuple(sorted(found, key=precedence_of)))
    return normalised


def accounts_of(command: Command) -> tuple[str, ...]:
    """The accounts a command touches, each once, in order of first appearance."""
    if isinstance(command, OpenAccount | SetAlerts):
        return (command.account,)
    if isinstance(command, ScreenPayment):
        return ()
    sides = ((posting.source, posting.destination) for posting in command.postings)
    return tuple(dict.fromkeys(account for pair in sides for account in pair))


def default_ordering_key(command: Command) -> str:
    """The FIFO message group of a command whose sender names none: its first account."""
    return next(iter(accounts_of(command)), command.id)


def screening_id(payment: str, model: str) -> str:
    """The id of the command with a model's verdict on a payment: readable, or hashed if too long.

    Two payments never share one: what follows `screening` tells the two forms apart.
    """
    readable = f"screening:{payment}:{model}"
    if len(readable) <= ID_LENGTH_MAX:
        return readable
    room = ID_LENGTH_MAX - len(f"screening.:{model}")
    return f"screening.{sha256(payment.encode()).hexdigest()[:room]}:{model}"


def _id_faults(command: Command) -> Iterator[Violation]:
    for name in ("id", "account", "payment"):
        text = getattr(command, name, None)
        if text is not None and not is_id(text):
            yield Violation(reasons.INVALID_ID, name)
    if not isinstance(command, ScreenPayment) and command.id.startswith(SYSTEM_ID_PREFIXES):
        yield Violation(reasons.RESERVED_ID, "id")


def _own_faults(command: Command) -> Iterator[Violation]:
    if isinstance(command, OpenAccount):
        if command.currency not in MINOR_DIGITS:
            yield Violation(reasons.UNKNOWN_CURRENCY, "currency")
        yield from _limit_faults(command)
    elif isinstance(command, SetAlerts):
        for index, alert in enumerate(command.alerts):
            if alert in command.alerts[:index]:
                yield Violation(reasons.INVALID_ALERTS, f"alerts[{index}]")
    elif isinstance(command, ScreenPayment):
        yield from _screening_faults(command)
    else:
        yield from _payment_faults(command)


def _screening_faults(command: ScreenPayment) -> Iterator[Violation]:
    # Patterns hold for text with a final newline too.
    if not _is_plain(command.model):
        yield Violation(reasons.INVALID_SCREENING, "model")
    elif command.id != screening_id(command.payment, command.model):
        yield Violation(reasons.INVALID_ID, "id")
    for index, reason in enumerate(command.reasons):
        if not _is_plain(reason.code):
            yield Violation(reasons.INVALID_SCREENING, f"reasons[{index}].code")


def _is_plain(text: str) -> bool:
    return not _CONTROL.search(text)


def _payment_faults(command: PostPayment) -> Iterator[Violation]:
    for index, posting in enumerate(command.postings):
        yield from _posting_faults(posting, f"postings[{index}]")
    for name in _FREE_TEXT:
        text = getattr(command, name)
        if text is not UNSET:
            yield from (Violation(reason, name) for reason in reasons_against_text(text))


def _posting_faults(posting: Posting, path: str) -> Iterator[Violation]:
    if not is_id(posting.source):
        yield Violation(reasons.INVALID_ID, f"{path}.source")
    if not is_id(posting.destination):
        yield Violation(reasons.INVALID_ID, f"{path}.destination")
    if posting.currency not in MINOR_DIGITS:
        yield Violation(reasons.UNKNOWN_CURRENCY, f"{path}.currency")
    if posting.source == posting.destination:
        yield Violation(reasons.SAME_ACCOUNT, f"{path}.destination")


def reasons_against_text(text: str) -> Iterator[Reason]:
    """What a schema cannot say against free text: it is blank, has control characters or a card."""
    if _CONTROL.search(text) or not text.strip():
        yield reasons.INVALID_TEXT
    if holds_card_number(text):
        yield reasons.CARD_NUMBER


def _limit_faults(command: OpenAccount) -> Iterator[Violation]:
    lowest = 0 if command.min_balance_minor is UNSET else command.min_balance_minor
    highest = None if command.max_balance_minor is UNSET else command.max_balance_minor
    if lowest is not None and lowest > 0:  # a new account's balance is 0
        yield Violation(reasons.INVALID_LIMITS, "min_balance_minor")
    if highest is not None and highest < 0:
        yield Violation(reasons.INVALID_LIMITS, "max_balance_minor")
