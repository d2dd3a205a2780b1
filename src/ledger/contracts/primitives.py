"""The scalar vocabulary of every command and event, with its bounds.

Ids are opaque; money is an integer of the currency's minor unit; time is RFC 3339 in UTC, to the
microsecond, in one fixed-width form, so that text order is time order.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal

from msgspec import Meta

ID_LENGTH_MAX: Final = 64
ID_ALPHABET: Final = "A-Za-z0-9._:-"
ID_PATTERN: Final = rf"^[{ID_ALPHABET}]{{1,{ID_LENGTH_MAX}}}$"
AMOUNT_MINOR_MAX: Final = 2**63 - 1
POSTINGS_MAX: Final = 45  # 90 accounts + 1 event + room to grow < 100 actions of a transaction
ALERTS_MAX: Final = 4  # each adds some 50 bytes to the state that every payment rewrites
STRIPES_MAX: Final = 32  # a change of all of them is one transaction, and an event of 8 KiB
#: Of each total of each stripe of a striped account: so all of them add up to AMOUNT_MINOR_MAX.
STRIPE_TOTAL_MAX: Final = AMOUNT_MINOR_MAX // STRIPES_MAX
SCREENING_REASONS_MAX: Final = 8  # of a verdict: as many as a person reads
REFERENCE_LENGTH_MAX: Final = 64
DESCRIPTION_LENGTH_MAX: Final = 140  # the unstructured remittance line of ISO 20022
ACTOR_LENGTH_MAX: Final = 256  # who asked for a command: role ARNs of usual length fit whole
COMMAND_BYTES_MAX: Final = 64 * 1024  # 45 postings of the longest ids take 10 KiB
#: Of an atomic batch: its own event and one state at least share the 100 actions of a transaction.
BATCH_COMMANDS_MAX: Final = 98
METADATA_ENTRIES_MAX: Final = 16
#: Of characters: 16 values with their names are 5 KiB in ASCII, and up to 17 KiB in UTF-8.
METADATA_VALUE_LENGTH_MAX: Final = 256
OVER_CAPTURE_BPS_MAX: Final = 10_000  # a capture of twice what was held
TEMPLATE_ARGUMENTS_MAX: Final = 16
MAIN_BOOK: Final = "main"  # stored; the book of accounts that name none
_CLOCK_PATTERN: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
INSTANT_PATTERN: Final = (  # `[0-9]` and not `\d`, which in Python takes every script's digits
    rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK_PATTERN}:[0-5][0-9](\.[0-9]{{1,6}})?"
    rf"(Z|[+-]{_CLOCK_PATTERN})$"
)

Id = Annotated[str, Meta(pattern=ID_PATTERN, description="Opaque, chosen by the client.")]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217, alphabetic.")]
AmountMinor = Annotated[
    int,
    Meta(ge=1, le=AMOUNT_MINOR_MAX, description="Integer of the currency's minor unit."),
]
LimitMinor = Annotated[
    int,
    Meta(
        ge=-AMOUNT_MINOR_MAX,
        le=AMOUNT_MINOR_MAX,
        description="A balance in the currency's minor unit, on the account's normal side.",
    ),
]
InstantText = Annotated[
    str, Meta(pattern=INSTANT_PATTERN, description="RFC 3339 with an offset; stored in UTC.")
]
Reference = Annotated[str, Meta(min_length=1, max_length=REFERENCE_LENGTH_MAX)]
Description = Annotated[str, Meta(min_length=1, max_length=DESCRIPTION_LENGTH_MAX)]
ReasonText = Annotated[
    str, Meta(min_length=1, max_length=DESCRIPTION_LENGTH_MAX, description="Why, for the record.")
]
DayText = Annotated[
    str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="A day of UTC, YYYY-MM-DD.")
]
BookName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
TemplateName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
TemplateVersion = Annotated[int, Meta(ge=1, le=1_000)]
StripeCount = Annotated[
    int, Meta(ge=1, le=STRIPES_MAX, description="How many stripes the account is spread over.")
]
MetadataKey = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{0,39}$")]
MetadataMap = Annotated[
    dict[MetadataKey, Annotated[str, Meta(max_length=METADATA_VALUE_LENGTH_MAX)]],
    Meta(max_length=METADATA_ENTRIES_MAX, description="Text by name, kept beside the money."),
]
#: No parameter takes more: an amount or basis points, a currency, an id or a part of one.
TemplateArgument = (
    Annotated[int, Meta(ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
    | Annotated[str, Meta(min_length=1, max_length=ID_LENGTH_MAX)]
)
TemplateArguments = Annotated[
    dict[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")], TemplateArgument],
    Meta(max_length=TEMPLATE_ARGUMENTS_MAX, description="What each parameter stands for."),
]

AccountType = Literal["asset", "liability", "equity", "income", "expense"]
ACCOUNT_TYPES: Final[tuple[AccountType, ...]] = (
    "asset",
    "liability",
    "equity",
    "income",
    "expense",
)
DEBIT_NORMAL: Final = frozenset({"asset", "expense"})

_ID = re.compile(ID_PATTERN)
_INSTANT = re.compile(INSTANT_PATTERN)
#: Some releases of Python take 24:00 for the next day's beginning.
_STORED_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_INSTANT: Final = "0001-01-01T00:00:00.000000Z"
_LAST_INSTANT: Final = "9999-12-31T23:59:59.999999Z"


def is_day(text: str) -> bool:
    """Whether `text` is a day of the calendar as YYYY-MM-DD."""
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def end_of_day(day: str) -> str:
    """The first instant (stored form) after a day of UTC, given as YYYY-MM-DD."""
    try:
        return f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00.000000Z"
    except OverflowError:
        return f"{day}T23:59:59.999999Z"  # the last day that can be told


@lru_cache(maxsize=16)  # a group of commands is recorded at one instant
def shifted_instant(instant: str, microseconds: int) -> str:
    """An instant (stored form) so much later; the nearest that can be told, if there is none."""
    try:
        return _written(datetime.fromisoformat(instant) + timedelta(microseconds=microseconds))
    except OverflowError:
        return _LAST_INSTANT if microseconds > 0 else _FIRST_INSTANT


def is_id(text: str) -> bool:
    """Whether `text` is an id. Python's `$` also matches before a final newline; an id has none."""
    return _ID.fullmatch(text) is not None


def balance_minor(account_type: AccountType, debits_minor: int, credits_minor: int) -> int:
    """The balance on the account's normal side: debits less credits for assets and expenses,
    credits less debits for liabilities, equity and income."""
    signed = credits_minor - debits_minor
    return -signed if account_type in DEBIT_NORMAL else signed


def available_minor(
    account_type: AccountType,
    *,
    debits_posted_minor: int,
    credits_posted_minor: int,
    debits_pending_minor: int,
    credits_pending_minor: int,
) -> int:
    """The balance if everything pending that lowers it settled, and nothing that raises it."""
    lowering = credits_pending_minor if account_type in DEBIT_NORMAL else debits_pending_minor
    return balance_minor(account_type, debits_posted_minor, credits_posted_minor) - lowering


def expected_minor(
    account_type: AccountType,
    *,
    debits_posted_minor: int,
    credits_posted_minor: int,
    debits_pending_minor: int,
    credits_pending_minor: int,
) -> int:
    """The balance if everything pending that raises it settled, and nothing that lowers it."""
    raising = debits_pending_minor if account_type in DEBIT_NORMAL else credits_pending_minor
    return balance_minor(account_type, debits_posted_minor, credits_posted_minor) + raising


def canonical_instant(text: str) -> str:
    """`text` (RFC 3339 with an offset) as the one stored form, `YYYY-MM-DDTHH:MM:SS.ffffffZ`.

    Raises ValueError if it is not such an instant, or lies outside the years 1 to 9999 in UTC.
    """
    if is_stored_instant(text):
        return text
    if _INSTANT.fullmatch(text) is None:
        raise ValueError("not RFC 3339 with an offset and at most six fraction digits")
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error
    return _written(moment)


def is_stored_instant(text: str) -> bool:
    """Whether `text` is an instant in the one stored form."""
    if _STORED_INSTANT.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:  # a day or an hour that there is not
        return False
    return True


def instant_of_microseconds(microseconds: int) -> str:
    """The stored form of an instant given in microseconds since 1970-01-01T00:00:00Z."""
    return _written(_EPOCH + timedelta(microseconds=microseconds))


def microseconds_of_instant(instant: str) -> int:
    """Microseconds since 1970-01-01T00:00:00Z of an instant in the stored form."""
    return (datetime.fromisoformat(instant) - _EPOCH) // _MICROSECOND


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
