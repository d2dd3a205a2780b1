"""What the world is after an event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import sub

from msgspec import UNSET
from msgspec.structs import replace

from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    BookClosed,
    BookOpened,
    BookReopened,
    Event,
    LaterPaymentEvent,
    MetadataSet,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentEntry,
    PaymentEvent,
    PaymentExpired,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentVoided,
    SubjectEntry,
    TemplateDefined,
    moving_entries,
    subject_of,
)
from ledger.contracts.postings import Posting
from ledger.contracts.subjects import Key
from ledger.domain.accounts import AccountState, BrokenStateError, evolve
from ledger.domain.chain import StoredEvent
from ledger.domain.states import (
    BookState,
    Ending,
    MetadataState,
    PaymentState,
    State,
    States,
    TemplateState,
    check_state,
)

_OPEN = ("held", "partially_captured")


def states_after(states: States, event: Event, stored: StoredEvent) -> list[State]:
    """The new states that `event`, sealed as `stored`, makes of `states`.

    Raises BrokenStateError if the event does not follow them.
    """
    hashes = iter(stored.hashes)
    made: list[State] = []
    if isinstance(event, AccountEvent):
        made += [
            evolve(_account_at(states, entry), event, entry, next(hashes))
            for entry in event.accounts
        ]
    other = subject_of(event)
    if other is not None:
        made.append(evolve_subject(states, event, next(hashes)))
    return made


def _account_at(states: States, entry: AccountEntry) -> AccountState | None:
    if not entry.stripe_number:
        return states.accounts.get(entry.id)
    return states.stripes.get(entry.key.id)


def evolve_subject(states: States, event: Event, chain_hash: bytes) -> State:
    """The state of what else than accounts `event` made a new version of.

    Raises BrokenStateError if the event does not follow `states`.
    """
    subject = subject_of(event)
    assert subject is not None  # the caller has seen to it
    key, entry = subject
    if isinstance(event, BookOpened | BookClosed | BookReopened):
        after: State = _book(states.books.get(key.id), event, chain_hash)
    elif isinstance(event, TemplateDefined):
        after = _template(states.templates.get(key.id), event, chain_hash)
    elif isinstance(event, MetadataSet | AccountOpened):
        after = MetadataState(
            id=key.id,
            version=entry.version,
            metadata=event.metadata or {},
            recorded_at=event.recorded_at,
            last_event=event.id,
            hash=chain_hash,
        )
    elif isinstance(event, PaymentAuthorized):
        after = _held(event, chain_hash)
    else:
        assert isinstance(event, LaterPaymentEvent)
        after = _later(states, event, chain_hash)
    _refuse_gap(states, key, entry, event)
    check_state(after)
    return after


def posted_state(event: PaymentPosted) -> PaymentState:
    """Version 1 of a payment that was posted at once; it is stored from its first reversal on."""
    amounts = tuple(posting.amount_minor for posting in event.postings)
    return PaymentState(
        id=event.id,
        version=1,
        postings=event.postings,
        authorized_minor=(0,) * len(amounts),
        captured_minor=amounts,
        reversed_minor=(0,) * len(amounts),
        over_capture_bps=0,
        expires_at=None,
        ended=None,
        # What was to be effective in minutes may be reversed at once.
        made_at=min(event.effective_at, event.recorded_at),
        recorded_at=event.recorded_at,
        last_event=event.id,
        hash=bytes(32),
    )


def _refuse_gap(states: States, key: Key, entry: SubjectEntry | PaymentEntry, event: Event) -> None:
    before = states.get(key)
    if before is None and key.kind == "payment":
        first = states.events.get(key.id)
        if isinstance(first, PaymentPosted):
            before = posted_state(first)
    version, last_event = (before.version, before.last_event) if before else (0, UNSET)
    if (entry.version, entry.prev) != (version + 1, last_event):
        raise BrokenStateError(
            f"event {event.id} does not follow version {version} of {key.kind} {key.id}"
        )


def _book(
    before: BookState | None, event: BookOpened | BookClosed | BookReopened, chain_hash: bytes
) -> BookState:
    closed_through = before.closed_through if before else None
    return BookState(
        id=event.book,
        version=event.entry.version,
        closed_through=closed_through if isinstance(event, BookOpened) else event.through,
        recorded_at=event.recorded_at,
        last_event=event.id,
        hash=chain_hash,
    )


def _template(
    before: TemplateState | None, event: TemplateDefined, chain_hash: bytes
) -> TemplateState:
    return TemplateState(
        id=event.template,
        version=event.entry.version,
        parameters=event.parameters,
        postings=event.postings,
        events=(*(before.events if before else ()), event.id),
        recorded_at=event.recorded_at,
        hash=chain_hash,
    )


def _held(event: PaymentAuthorized, chain_hash: bytes) -> PaymentState:
    entry = event.entry
    amounts = tuple(posting.amount_minor for posting in event.postings)
    if entry.authorized_minor != amounts or entry.expires_at is UNSET:
        raise BrokenStateError(f"event {event.id} does not hold what it says")
    return PaymentState(
        id=event.id,
        version=entry.version,
        postings=event.postings,
        authorized_minor=amounts,
        captured_minor=(0,) * len(amounts),
        reversed_minor=(0,) * len(amounts),
        over_capture_bps=event.over_capture_bps,
        expires_at=entry.expires_at,
        ended=None,
        made_at=event.effective_at,
        recorded_at=event.recorded_at,
        last_event=event.id,
        hash=chain_hash,
        stripes=_places(event),
    )


def _places(event: PaymentEvent) -> dict[str, int]:
    """On which stripe of each account the event moved what it moved, the first ones left out."""
    places = ((entry.id, entry.stripe_number) for entry in moving_entries(event))
    return {account: stripe for account, stripe in places if stripe}


def _later(states: States, event: LaterPaymentEvent, chain_hash: bytes) -> PaymentState:
    before = states.payments.get(event.payment)
    if before is None:
        first = states.events.get(event.payment)
        if not isinstance(first, PaymentPosted):
            raise BrokenStateError(f"event {event.id} is of payment {event.payment}, not there")
        before = posted_state(first)
    entry = event.entry
    count = len(before.postings)
    after = replace(
        before,
        version=entry.version,
        authorized_minor=entry.authorized_minor or (0,) * count,
        captured_minor=entry.captured_minor or (0,) * count,
        reversed_minor=entry.reversed_minor or (0,) * count,
        expires_at=before.expires_at if entry.expires_at is UNSET else entry.expires_at,
        ended=_ending(before, event),
        recorded_at=event.recorded_at,
        last_event=event.id,
        hash=chain_hash,
    )
    if after.status != entry.status or not (
        _keeps_the_rest(event, before, after)
        and _accounts_for(event, before, after)
        and _keeps_places(event, before)
    ):
        raise BrokenStateError(
            f"event {event.id} does not make of payment {before.id} what it says"
        )
    return after


def _ending(before: PaymentState, event: LaterPaymentEvent) -> Ending | None:
    if isinstance(event, PaymentCaptured):
        return None if event.entry.status in _OPEN else "capture"
    if isinstance(event, PaymentVoided):
        return "void"
    if isinstance(event, PaymentExpired):
        return "expiry"
    return before.ended


def _keeps_the_rest(event: LaterPaymentEvent, before: PaymentState, after: PaymentState) -> bool:
    """Whether nothing changed of the payment but what such an event changes."""
    increased = isinstance(event, PaymentIncreased)
    kept = (
        (increased, before.authorized_minor == after.authorized_minor),
        (increased, before.expires_at == after.expires_at),
        (isinstance(event, PaymentCaptured), before.captured_minor == after.captured_minor),
        (isinstance(event, PaymentReversed), before.reversed_minor == after.reversed_minor),
    )
    return all(may_change or same for may_change, same in kept)


def _keeps_places(event: LaterPaymentEvent, before: PaymentState) -> bool:
    """Whether what changed of a hold changed where it is; a reversal is posted anywhere."""
    return isinstance(event, PaymentReversed) or all(
        entry.stripe_number == before.stripes.get(entry.id, 0) for entry in moving_entries(event)
    )


def _accounts_for(event: LaterPaymentEvent, before: PaymentState, after: PaymentState) -> bool:
    """Whether the postings of `event` are exactly what it changed of its payment."""
    if isinstance(event, PaymentCaptured):
        pairs, way = (before.captured_minor, after.captured_minor), 1
        freed = map(sub, before.remaining_minor, after.remaining_minor)
        released = event.postings if event.released is UNSET else event.released
        if _flows(released) != _flows(scaled(before.postings, tuple(freed))):
            return False
    elif isinstance(event, PaymentIncreased):
        pairs, way = (before.authorized_minor, after.authorized_minor), 1
    elif isinstance(event, PaymentReversed):
        pairs, way = (before.reversed_minor, after.reversed_minor), -1
    else:
        pairs, way = (
            (tuple(-left for left in before.remaining_minor), (0,) * len(before.postings)),
            1,
        )
    changes = [new - old for old, new in zip(*pairs, strict=True)]
    if any(change < 0 for change in changes):
        return False
    return _flows(event.postings) == _flows(scaled(before.postings, changes, way))


def scaled(
    postings: Sequence[Posting], amounts_minor: Sequence[int], way: int = 1
) -> tuple[Posting, ...]:
    """`postings` with these amounts instead of theirs, those of 0 left out; the other way round if
    `way` is -1."""
    return tuple(
        Posting(
            source=posting.source if way > 0 else posting.destination,
            destination=posting.destination if way > 0 else posting.source,
            amount_minor=minor,
            currency=posting.currency,
        )
        for posting, minor in zip(postings, amounts_minor, strict=True)
        if minor
    )


def _flows(postings: Iterable[Posting]) -> Counter[tuple[str, str, str]]:
    flows: Counter[tuple[str, str, str]] = Counter()
    for posting in postings:
        flows[posting.source, posting.destination, posting.currency] += posting.amount_minor
    return flows
