"""The commands, as every entry point takes them: one JSON object, versioned, nothing unknown in it.

Shape (types, required and unknown fields, bounds) is in the Structs, from which the JSON Schemas in
`docs/schemas/commands/` are generated; what a schema cannot say is in `checked`. A field left out
stays `UNSET`, so that the request can be recorded as it was sent, defaults marked.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.contracts import reasons
from ledger.contracts.card_numbers import holds_card_number
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.primitives import (
    COMMAND_BYTES_MAX,
    POSTINGS_MAX,
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


Command = OpenAccount | PostPayment
_C = TypeVar("_C", OpenAccount, PostPayment, Command)
COMMAND_TYPES: Final[dict[str, type[OpenAccount] | type[PostPayment]]] = {
    "account.open": OpenAccount,
    "payment.post": PostPayment,
}
_VERSIONS: Final = {"account.open": frozenset({1}), "payment.post": frozenset({1})}

#: What a field is refused for, whatever is wrong with its value; by the last name of its path.
_REASON_OF_FIELD: Final[dict[str, Reason]] = {
    "": reasons.MALFORMED_JSON,
    "type": reasons.UNSUPPORTED_TYPE,
    "v": reasons.UNSUPPORTED_VERSION,
    "id": reasons.INVALID_ID,
    "account": reasons.INVALID_ID,
    "source": reasons.INVALID_ID,
    "destination": reasons.INVALID_ID,
    "amount_minor": reasons.INVALID_AMOUNT,
    "min_balance_minor": reasons.INVALID_AMOUNT,
    "max_balance_minor": reasons.INVALID_AMOUNT,
    "currency": reasons.UNKNOWN_CURRENCY,
    "account_type": reasons.INVALID_ACCOUNT_TYPE,
    "effective_at": reasons.INVALID_TIME,
    "reference": reasons.INVALID_TEXT,
    "description": reasons.INVALID_TEXT,
    "postings": reasons.INVALID_POSTINGS,
}
_FREE_TEXT: Final = ("reference", "description")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LEAF: Final = r"([A-Za-z_]+)?(?:\[[^\]]*\])*$"


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


def decode_command(body: bytes) -> Command:
    """The command in `body`, checked and normalised. Raises InvalidCommandError, naming the field.

    Type and version are judged before the rest, so that a command of a version not known here is
    refused as such and not for its new fields. Of several faults of shape the first one met is
    named; of several others all are, in the order of precedence.
    """
    judge_head(body)
    try:
        command = _COMMAND.decode(body)
    except msgspec.ValidationError as error:
        refuse_malformed_json(body)
        violation = _violation_of(str(error))
        if violation.field in _HEAD_FIELDS:  # the head was right, so it is there twice
            raise malformed_json() from None
        raise InvalidCommandError((violation,)) from None
    except _NOT_JSON:
        raise malformed_json() from None
    refuse_repeated_names(body, command)
    return checked(command)


def judge_head(body: bytes, types: Container[str] = COMMAND_TYPES) -> str:
    """The type of the command in `body`: of `types`, in a version that this release knows.

    Raises InvalidCommandError: too large, not JSON, or another type or version.
    """
    if len(body) > COMMAND_BYTES_MAX:
        raise InvalidCommandError((Violation(reasons.PAYLOAD_TOO_LARGE, ""),))
    try:
        head = _HEAD.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidCommandError((_violation_of(str(error)),)) from None
    except _NOT_JSON:
        raise malformed_json() from None
    if head.type not in types:
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_TYPE, "type"),))
    if head.v not in _VERSIONS[head.type]:
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
    names = _STRING.findall(body).count(b":")
    values = list(msgspec.structs.asdict(command).values())
    fields = 1 + len(values) - values.count(UNSET)  # and its type, which is no field of the Struct
    if isinstance(command, PostPayment):
        fields += len(command.postings) * len(Posting.__struct_fields__)
    if names != fields:
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
    if command.effective_at is not UNSET:
        try:
            normalised = msgspec.structs.replace(
                command, effective_at=canonical_instant(command.effective_at)
            )
        except ValueError:
            found.append(Violation(reasons.INVALID_TIME, "effective_at"))
    if found:
        raise InvalidCommandError(tuple(sorted(found, key=precedence_of)))
    return normalised


def reason_of(field: str) -> Reason:
    """For what a fault in the value at the path `field` is refused."""
    leaf = re.search(_LEAF, field)
    name = leaf.group(1) if leaf else ""
    return _REASON_OF_FIELD.get(name or "", reasons.MALFORMED_JSON)


def accounts_of(command: Command) -> tuple[str, ...]:
    """The accounts a command touches, each once, in order of first appearance."""
    if isinstance(command, OpenAccount):
        return (command.account,)
    sides = ((posting.source, posting.destination) for posting in command.postings)
    return tuple(dict.fromkeys(account for pair in sides for account in pair))


def default_ordering_key(command: Command) -> str:
    """The FIFO message group of a command whose sender names none: its first source."""
    return accounts_of(command)[0]


def _id_faults(command: Command) -> Iterator[Violation]:
    if not is_id(command.id):
        yield Violation(reasons.INVALID_ID, "id")
    if isinstance(command, OpenAccount) and not is_id(command.account):
        yield Violation(reasons.INVALID_ID, "account")


def _own_faults(command: Command) -> Iterator[Violation]:
    if isinstance(command, OpenAccount):
        if command.currency not in MINOR_DIGITS:
            yield Violation(reasons.UNKNOWN_CURRENCY, "currency")
        yield from _limit_faults(command)
        return
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


def precedence_of(violation: Violation) -> int:
    """The place of a violation's reason in the precedence; the first is named first."""
    return reasons.REASONS.index(violation.reason)


# Patterns of refusals, which are rare, are compiled when first needed and not at import.
_PATH: Final = r"((?:\.?[a-z_]+|\[[0-9]+\])*)"
_AT: Final = rf" - at `\$\.?{_PATH}`\Z"
_MISSING: Final = rf"Object missing required field `([a-z_]+)`(?: - at `\$\.?{_PATH}`)?\Z"
#: Its name is the client's own text, so it may even look like the end of such a message: only the
#: path of an object that a command can have counts as where it is.
_UNKNOWN: Final = (
    r"(?s)Object contains unknown field `(.*?)`(?: - at `\$\.(postings\[[0-9]+\])`)?\Z"
)


def _violation_of(message: str) -> Violation:
    """The violation that one of msgspec's messages reports; a test holds each form to msgspec's."""
    if missing := re.match(_MISSING, message):
        return Violation(reasons.MISSING_FIELD, _joined(missing.group(2) or "", missing.group(1)))
    if unknown := re.match(_UNKNOWN, message):
        name = shown_name(unknown.group(1))
        return Violation(reasons.UNKNOWN_FIELD, _joined(unknown.group(2) or "", name))
    at = re.search(_AT, message)
    field = at.group(1) if at else ""
    return Violation(reason_of(field), field)


def _joined(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def shown_name(name: str) -> str:
    """A field name of the client's as an error may show it: an id's alphabet, or masked.

    A name that is itself data (a card number as a key) must not reach logs or answers.
    """
    return name if is_id(name) and not holds_card_number(name) else "(unprintable)"
