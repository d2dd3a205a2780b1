"""The events: what happened, as stored, as published, for ever.

An event is one JSON object. Its exact bytes are stored once, hashed, and relayed as they are. It
holds everything about itself: for every account it touched the account's new version, its running
totals and `prev`, the id of the event that made the version before. That makes duplicates and any
order harmless to whoever reads them.

`type` and `v` are explicit stored names, never a Python path. A golden sample of every version
ever written is in `tests/golden`; changing a shape means a new `v` and an upcaster.
"""

from ledger.contracts.events.accounts import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountProfile,
    AccountStatus,
    AccountUnfrozen,
    AlertsSet,
    LimitsSet,
    MetadataSet,
    ProfileEvent,
    StripesSet,
)
from ledger.contracts.events.base import (
    AccountEntry,
    BaseEvent,
    BookCheck,
    PaymentEntry,
    PaymentStatus,
    SubjectEntry,
    TemplateUse,
)
from ledger.contracts.events.books import (
    BatchCommitted,
    BookClosed,
    BookOpened,
    BookReopened,
    Cause,
    CommandRejected,
    TemplateDefined,
)
from ledger.contracts.events.catalogue import (
    ACCOUNT_EVENT_TYPES,
    EVENT_TYPES,
    Accepted,
    AccountEvent,
    BackDatableEvent,
    CorruptEventError,
    Event,
    UnknownEventError,
    decode_event,
    encode_event,
)
from ledger.contracts.events.payments import (
    LaterPaymentEvent,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentEvent,
    PaymentExpired,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentScreened,
    PaymentVoided,
    ReleaseEvent,
)
from ledger.contracts.events.reading import (
    currency_of,
    entries_of,
    entry_moved_minor,
    entry_pended_minor,
    moved_minor,
    moving_entries,
    payment_of,
    pended_minor,
    subject_of,
)
from ledger.contracts.events.requests import (
    request_of,
)

__all__ = [
    "ACCOUNT_EVENT_TYPES",
    "EVENT_TYPES",
    "Accepted",
    "AccountClosed",
    "AccountEntry",
    "AccountEvent",
    "AccountFrozen",
    "AccountOpened",
    "AccountProfile",
    "AccountStatus",
    "AccountUnfrozen",
    "AlertsSet",
    "BackDatableEvent",
    "BaseEvent",
    "BatchCommitted",
    "BookCheck",
    "BookClosed",
    "BookOpened",
    "BookReopened",
    "Cause",
    "CommandRejected",
    "CorruptEventError",
    "Event",
    "LaterPaymentEvent",
    "LimitsSet",
    "MetadataSet",
    "PaymentAuthorized",
    "PaymentCaptured",
    "PaymentEntry",
    "PaymentEvent",
    "PaymentExpired",
    "PaymentIncreased",
    "PaymentPosted",
    "PaymentReversed",
    "PaymentScreened",
    "PaymentStatus",
    "PaymentVoided",
    "ProfileEvent",
    "ReleaseEvent",
    "StripesSet",
    "SubjectEntry",
    "TemplateDefined",
    "TemplateUse",
    "UnknownEventError",
    "currency_of",
    "decode_event",
    "encode_event",
    "entries_of",
    "entry_moved_minor",
    "entry_pended_minor",
    "moved_minor",
    "moving_entries",
    "payment_of",
    "pended_minor",
    "request_of",
    "subject_of",
]
