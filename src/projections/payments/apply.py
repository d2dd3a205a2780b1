"""What a batch of events makes of the payments: one write per payment, whatever its size.

Pure. What a payment is was said once, by the event that made it or refused it; where it stands
comes with every later event, whole, as a version of its own; and so do its metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from ledger.contracts.commands import AuthorizePayment, PostPayment, PostTemplate
from ledger.contracts.events import (
    CommandRejected,
    Event,
    LaterPaymentEvent,
    MetadataSet,
    PaymentAuthorized,
    PaymentEntry,
    PaymentPosted,
    PaymentStatus,
)
from ledger.contracts.postings import Posting
from ledger.contracts.rates import DeclaredRate
from ledger.contracts.reasons import Retry

Rejected = Literal["rejected"]
Status = PaymentStatus | Rejected
OriginType = Literal["payment.posted", "payment.authorized", "command.rejected"]
#: Of a payment that was refused too: it has no other.
FIRST_VERSION: Final = 1
REJECTED: Final[Rejected] = "rejected"
_BETWEEN: Final = "#"  # in no instant and no id
_PARAMETERS: Final = msgspec.json.Decoder(dict[str, int | str])

Amounts = tuple[int, ...]
"""Minor units, one for each posting of the payment in its order; none for all zero."""


class Template(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of which template a payment was, or was to be, made, and of what. Field names are stored.

    `arguments` are a JSON object: what was refused may have numbers that no table can hold.
    """

    name: str
    version: int | UnsetType = UNSET
    arguments: str

    @property
    def parameters(self) -> dict[str, int | str]:
        """The arguments by the names of the template's parameters."""
        return _PARAMETERS.decode(self.arguments)


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a payment is, as it was made or refused: never changed. Field names are stored.

    `created` is when it was recorded, and its id: it orders payments in time, and is of one only.
    `reason`, `retry` and `field` are those of a refusal, whose `effective_at` is the one asked for,
    if any; one that names a template has no postings.
    """

    payment: str
    created: str
    type: OriginType
    effective_at: str | UnsetType = UNSET
    postings: tuple[Posting, ...] = ()
    rates: tuple[DeclaredRate, ...] = ()
    over_capture_bps: int = 0
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    first_metadata: dict[str, str] | UnsetType = UNSET
    template: Template | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    retry: Retry | UnsetType = UNSET
    field: str | UnsetType = UNSET

    @property
    def recorded_at(self) -> str:
        """When the payment was made or refused."""
        return self.created.partition(_BETWEEN)[0]


class Progress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a payment stands after the event that made `version`. Field names are stored.

    The amounts of one that was posted at once are those of its postings until it is reversed.
    """

    payment: str
    version: int
    status: Status
    event: str
    changed_at: str
    authorized_minor: Amounts = ()
    captured_minor: Amounts = ()
    reversed_minor: Amounts = ()
    expires_at: str | UnsetType = UNSET


class Metadata(Struct, frozen=True, kw_only=True):
    """The metadata of a payment since they were set. Field names are stored."""

    payment: str
    metadata_version: int
    metadata: dict[str, str]


class Payment(Struct, frozen=True):
    """A payment as projected: of its parts, those that have arrived."""

    id: str
    origin: Origin | None = None
    progress: Progress | None = None
    metadata: Metadata | None = None

    @property
    def status(self) -> Status | None:
        """Where it stands, as far as that is known."""
        return self.progress.status if self.progress else None

    @property
    def parts(self) -> int:
        """How many of its parts are here."""
        return sum(part is not None for part in (self.origin, self.progress, self.metadata))


def reach(payment: Payment | None) -> tuple[int, int, int]:
    """How far a payment is projected: whether its origin is there (1), and the versions of its
    progress and metadata; 0 for what is not there."""
    if payment is None:
        return 0, 0, 0
    return (
        1 if payment.origin else 0,
        payment.progress.version if payment.progress else 0,
        payment.metadata.metadata_version if payment.metadata else 0,
    )


def coalesce(events: Iterable[Event]) -> dict[str, Payment]:
    """Of every payment that the events are about, the newest of each part that they have."""
    found: dict[str, Payment] = {}
    for event in events:
        part = payment_in(event)
        if part is not None:
            known = found.get(part.id)
            found[part.id] = part if known is None else _newest(known, part)
    return found


def payment_in(event: Event) -> Payment | None:
    """The parts of a payment that an event has; None if it is about none."""
    if isinstance(event, PaymentPosted | PaymentAuthorized):
        return Payment(event.id, origin=_origin(event), progress=_first_progress(event))
    if isinstance(event, LaterPaymentEvent):
        progress = _progress(event.payment, event.entry, event.id, event.recorded_at)
        return Payment(event.payment, progress=progress)
    if isinstance(event, CommandRejected):
        return _refused(event)
    if isinstance(event, MetadataSet) and event.subject == "payment":
        metadata = Metadata(
            payment=event.subject_id,
            metadata_version=event.entry.version,
            metadata=event.metadata,
        )
        return Payment(event.subject_id, metadata=metadata)
    return None


def arguments_text(parameters: Mapping[str, int | str]) -> str:
    """What a template was filled with, as it is stored."""
    return msgspec.json.encode(parameters).decode()


def created_text(recorded_at: str, payment: str) -> str:
    """When and as what a payment was made; text order is the order in time, then of ids."""
    return f"{recorded_at}{_BETWEEN}{payment}"


def payment_of_created(created: str) -> str:
    """The payment that `created_text` was made for."""
    return created.partition(_BETWEEN)[2]


def just_before(created: str) -> str:
    """The highest text that the `created` of what comes before can be."""
    # Ids end in a character above `,`, and `~` is above all that they have.
    return f"{created[:-1]}{chr(ord(created[-1]) - 1)}~"


def _newest(known: Payment, part: Payment) -> Payment:
    """Each part of whichever has more of it."""
    older, newer = reach(known), reach(part)
    return Payment(
        known.id,
        origin=known.origin or part.origin,
        progress=known.progress if older[1] >= newer[1] else part.progress,
        metadata=known.metadata if older[2] >= newer[2] else part.metadata,
    )


def _origin(event: PaymentPosted | PaymentAuthorized) -> Origin:
    template: Template | UnsetType = UNSET
    if isinstance(event, PaymentPosted) and event.template is not UNSET:
        use = event.template
        template = Template(
            name=use.name, version=use.version, arguments=arguments_text(use.parameters)
        )
    return Origin(
        payment=event.id,
        created=created_text(event.recorded_at, event.id),
        type="payment.posted" if isinstance(event, PaymentPosted) else "payment.authorized",
        effective_at=event.effective_at,
        postings=event.postings,
        rates=event.rates,
        over_capture_bps=(event.over_capture_bps if isinstance(event, PaymentAuthorized) else 0),
        reference=event.reference,
        description=event.description,
        first_metadata=event.metadata,
        template=template,
    )


def _first_progress(event: PaymentPosted | PaymentAuthorized) -> Progress:
    if isinstance(event, PaymentAuthorized):
        return _progress(event.id, event.entry, event.id, event.recorded_at)
    return Progress(
        payment=event.id,
        version=FIRST_VERSION,
        status="posted",
        event=event.id,
        changed_at=event.recorded_at,
    )


def _progress(payment: str, entry: PaymentEntry, event: str, changed_at: str) -> Progress:
    return Progress(
        payment=payment,
        version=entry.version,
        status=entry.status,
        event=event,
        changed_at=changed_at,
        authorized_minor=entry.authorized_minor,
        captured_minor=entry.captured_minor,
        reversed_minor=entry.reversed_minor,
        expires_at=entry.expires_at,
    )


def _refused(event: CommandRejected) -> Payment | None:
    """The payment that was to be; None if no payment was asked for."""
    request = event.request
    if not isinstance(request, PostPayment | AuthorizePayment | PostTemplate):
        return None
    return Payment(
        event.id,
        origin=_refused_origin(event, request),
        progress=Progress(
            payment=event.id,
            version=FIRST_VERSION,
            status=REJECTED,
            event=event.id,
            changed_at=event.recorded_at,
        ),
    )


def _refused_origin(
    event: CommandRejected, request: PostPayment | AuthorizePayment | PostTemplate
) -> Origin:
    origin = Origin(
        payment=event.id,
        created=created_text(event.recorded_at, event.id),
        type="command.rejected",
        reference=request.reference,
        description=request.description,
        first_metadata=request.metadata,
        reason=event.reason,
        retry=event.retry,
        field=event.field,
    )
    if isinstance(request, PostTemplate):
        template = Template(
            name=request.template,
            version=request.template_version,
            arguments=arguments_text(request.parameters),
        )
        return replace(origin, effective_at=request.effective_at, template=template)
    origin = replace(
        origin,
        postings=request.postings,
        rates=() if request.rates is UNSET else request.rates,
    )
    if isinstance(request, PostPayment):
        return replace(origin, effective_at=request.effective_at)
    margin_bps = request.over_capture_bps
    return replace(origin, over_capture_bps=0 if margin_bps is UNSET else margin_bps)
