"""What a schema cannot say against a command of the right shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.card_numbers import holds_card_number
from ledger.contracts.commands.accounts import OpenAccount, SetAlerts, SetLimits
from ledger.contracts.commands.base import BaseCommand
from ledger.contracts.commands.batches import AtomicBatch, path_in_member
from ledger.contracts.commands.catalogue import SYSTEM_ID_PREFIXES
from ledger.contracts.commands.holds import AuthorizePayment, ExpirePayment, IncreasePayment
from ledger.contracts.commands.payments import PostPayment, PostTemplate, ScreenPayment
from ledger.contracts.commands.subjects import subjects_of
from ledger.contracts.commands.system_ids import expiry_id, screening_id
from ledger.contracts.commands.templates import DefineTemplate
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import canonical_instant, is_day, is_id
from ledger.contracts.rates import rate_faults
from ledger.contracts.reasons import InvalidCommandError, Reason, Violation
from ledger.contracts.templates import check_definition
from ledger.contracts.velocity import velocity_faults
from ledger.contracts.violations import precedence_of

_C = TypeVar("_C", bound=BaseCommand)
ACTIONS_MAX: Final = 100  # of one TransactWriteItems
_IDS: Final = ("id", "account", "payment", "subject_id")
_NAMES: Final = ("book", "template")
_INSTANTS: Final = ("effective_at", "expires_at")
_FREE_TEXT: Final = ("reference", "description", "reason")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: The category of Unicode of what is not seen and changes how the rest is: marks of direction and
#: of byte order, joiners, tags.
_FORMAT: Final = "Cf"


def checked(command: _C) -> _C:
    """`command` of the right shape, checked for what a schema cannot say, its times in UTC.

    Raises InvalidCommandError with every such fault, in the order of precedence.
    """
    normalised, found = _checked(command)
    if found:
        raise InvalidCommandError(tuple(sorted(found, key=precedence_of)))
    return normalised


def _checked(command: _C) -> tuple[_C, list[Violation]]:
    if isinstance(command, AtomicBatch):
        members = [_checked(member) for member in command.commands]
        found = [
            Violation(fault.reason, path_in_member(index, fault.field))
            for index, (_, faults) in enumerate(members)
            for fault in faults
        ]
        found += [*_id_faults(command), *_batch_faults(command)]
        normalised = msgspec.structs.replace(command, commands=tuple(one for one, _ in members))
        return normalised, found
    found = [*_id_faults(command), *_text_faults(command), *_own_faults(command)]
    times: dict[str, str] = {}
    for name in _INSTANTS:
        text = getattr(command, name, UNSET)
        if isinstance(text, str):
            try:
                times[name] = canonical_instant(text)
            except ValueError:
                found.append(Violation(reasons.INVALID_TIME, name))
    return (msgspec.structs.replace(command, **times) if times else command), found


def _id_faults(command: BaseCommand) -> Iterator[Violation]:
    for name in _IDS:
        text = getattr(command, name, UNSET)
        if isinstance(text, str) and not is_id(text):
            yield Violation(reasons.INVALID_ID, name)
    for name in _NAMES:  # patterns hold for text with a final newline too
        text = getattr(command, name, UNSET)
        if isinstance(text, str):
            if not is_plain(text):
                yield Violation(reasons.INVALID_NAME, name)
            yield from _card_faults(text, name)
    if not isinstance(command, ScreenPayment | ExpirePayment) and command.id.startswith(
        SYSTEM_ID_PREFIXES
    ):
        yield Violation(reasons.RESERVED_ID, "id")


def _card_faults(text: str, path: str) -> Iterator[Violation]:
    if holds_card_number(text):
        yield Violation(reasons.CARD_NUMBER, path)


def _text_faults(command: BaseCommand) -> Iterator[Violation]:
    for name in _FREE_TEXT:
        text = getattr(command, name, UNSET)
        if isinstance(text, str):
            yield from (Violation(reason, name) for reason in reasons_against_text(text))
    metadata = getattr(command, "metadata", UNSET)
    if isinstance(metadata, Mapping):
        yield from metadata_faults(metadata)


def _own_faults(command: BaseCommand) -> Iterator[Violation]:
    own = _OWN_FAULTS.get(type(command))
    if own is not None:
        yield from own(command)
    day = getattr(command, "through", None)
    if isinstance(day, str) and not is_day(day):
        yield Violation(reasons.INVALID_TIME, "through")


def _opening_faults(command: OpenAccount) -> Iterator[Violation]:
    if command.currency not in MINOR_DIGITS:
        yield Violation(reasons.UNKNOWN_CURRENCY, "currency")
    lowest = 0 if command.min_balance_minor is UNSET else command.min_balance_minor
    highest = None if command.max_balance_minor is UNSET else command.max_balance_minor
    if lowest is not None and lowest > 0:  # a new account's balance is 0
        yield Violation(reasons.INVALID_LIMITS, "min_balance_minor")
    if highest is not None and highest < 0:
        yield Violation(reasons.INVALID_LIMITS, "max_balance_minor")


def _alert_faults(command: SetAlerts) -> Iterator[Violation]:
    for index, alert in enumerate(command.alerts):
        if alert in command.alerts[:index]:
            yield Violation(reasons.INVALID_ALERTS, f"alerts[{index}]")


def _payment_faults(command: PostPayment | AuthorizePayment) -> Iterator[Violation]:
    for index, posting in enumerate(command.postings):
        yield from posting_faults(posting, f"postings[{index}]")
    if command.rates is not UNSET:
        yield from rate_faults(command.rates, command.postings)


def _increase_faults(command: IncreasePayment) -> Iterator[Violation]:
    if command.amount_minor is UNSET and command.expires_at is UNSET:
        yield Violation(reasons.MISSING_FIELD, "amount_minor")


def _expiry_faults(command: ExpirePayment) -> Iterator[Violation]:
    if command.id != expiry_id(command.payment, command.version):
        yield Violation(reasons.INVALID_ID, "id")


def _batch_faults(batch: AtomicBatch) -> Iterator[Violation]:
    seen = {batch.id}
    subjects = set()
    for index, member in enumerate(batch.commands):
        if member.id in seen:
            yield Violation(reasons.REPEATED_MEMBER_ID, path_in_member(index, "id"))
        seen.add(member.id)
        subjects |= set(subjects_of(member))
    # What captures and templates touch is known later: then the transaction itself is the judge.
    if 1 + len(batch.commands) + len(subjects) > ACTIONS_MAX:
        yield Violation(reasons.TRANSACTION_TOO_LARGE, "commands")


def posting_faults(posting: Posting, path: str) -> Iterator[Violation]:
    """What is wrong with a posting at `path`."""
    if not is_id(posting.source):
        yield Violation(reasons.INVALID_ID, f"{path}.source")
    if not is_id(posting.destination):
        yield Violation(reasons.INVALID_ID, f"{path}.destination")
    if posting.currency not in MINOR_DIGITS:
        yield Violation(reasons.UNKNOWN_CURRENCY, f"{path}.currency")
    if posting.source == posting.destination:
        yield Violation(reasons.SAME_ACCOUNT, f"{path}.destination")


def reasons_against_text(text: str) -> Iterator[Reason]:
    """What a schema cannot say against free text: it is blank, has characters that are not seen, or
    a card's number."""
    if not is_plain(text) or not text.strip():
        yield reasons.INVALID_TEXT
    if holds_card_number(text):
        yield reasons.CARD_NUMBER


def metadata_faults(metadata: Mapping[str, str]) -> Iterator[Violation]:
    """Control and format characters and card numbers in metadata, names included; values are never
    shown."""
    for name, value in metadata.items():
        if not is_plain(name) or not is_plain(value):
            yield Violation(reasons.INVALID_METADATA, "metadata")
        if holds_card_number(value) or holds_card_number(name):
            yield Violation(reasons.CARD_NUMBER, "metadata")


def _argument_faults(command: PostTemplate) -> Iterator[Violation]:
    for name, value in command.parameters.items():
        if not is_plain(name) or (isinstance(value, str) and not is_plain(value)):
            yield Violation(reasons.INVALID_ARGUMENTS, "parameters")
        # Ids may have any digits; what could be a card's is let through nowhere else.
        opaque = not isinstance(value, str) or is_id(value)
        if holds_card_number(name) or (not opaque and holds_card_number(str(value))):
            yield Violation(reasons.CARD_NUMBER, "parameters")


def _definition_faults(command: DefineTemplate) -> Iterator[Violation]:
    yield from check_definition(command.parameters, command.postings)
    for index, parameter in enumerate(command.parameters):
        yield from _card_faults(parameter.name, f"parameters[{index}].name")
    for index, posting in enumerate(command.postings):
        for field, text in (("source", posting.source), ("destination", posting.destination)):
            if not is_id(text):  # ids may have any digits
                yield from _card_faults(text, f"postings[{index}].{field}")


def _screening_faults(command: ScreenPayment) -> Iterator[Violation]:
    # Patterns hold for text with a final newline too.
    if not is_plain(command.model):
        yield Violation(reasons.INVALID_SCREENING, "model")
    elif command.id != screening_id(command.payment, command.model):
        yield Violation(reasons.INVALID_ID, "id")
    for index, reason in enumerate(command.reasons):
        if not is_plain(reason.code):
            yield Violation(reasons.INVALID_SCREENING, f"reasons[{index}].code")


def _limit_faults(command: SetLimits) -> Iterator[Violation]:
    lowest, highest = command.min_balance_minor, command.max_balance_minor
    if isinstance(lowest, int) and isinstance(highest, int) and lowest > highest:
        yield Violation(reasons.INVALID_LIMITS, "max_balance_minor")
    given = (
        *(lowest, highest, command.velocity),
        *(command.min_balance_basis, command.max_balance_basis),
    )
    if all(value is UNSET for value in given):
        yield Violation(reasons.INVALID_LIMITS, "")
    if command.velocity is not UNSET:
        yield from velocity_faults(command.velocity)
        for index, limit in enumerate(command.velocity):
            yield from _card_faults(limit.name, f"velocity[{index}].name")


def is_plain(text: str) -> bool:
    """Whether `text` has no control and no format characters, line ends included."""
    if _CONTROL.search(text):
        return False
    if text.isascii():
        return True
    from unicodedata import category  # noqa: PLC0415 - most texts need no table of characters

    return _FORMAT not in map(category, text)


_OWN_FAULTS: Final[dict[type[BaseCommand], Callable[[Any], Iterator[Violation]]]] = {
    AuthorizePayment: _payment_faults,
    DefineTemplate: _definition_faults,
    ExpirePayment: _expiry_faults,
    IncreasePayment: _increase_faults,
    OpenAccount: _opening_faults,
    PostPayment: _payment_faults,
    PostTemplate: _argument_faults,
    ScreenPayment: _screening_faults,
    SetAlerts: _alert_faults,
    SetLimits: _limit_faults,
}
