"""The routes of commands: one for each type, and one that takes several of any types."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from msgspec import Meta, Struct

from ledger.contracts import reasons
from ledger.contracts.commands import (
    BULK_COMMANDS_MAX,
    COMMAND_TYPES,
    AtomicBatch,
    MemberCommand,
)
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from ledger.entrypoints.api.answers.accounts import (
    AccountAlerts,
    ClosedAccount,
    FrozenAccount,
    LimitedAccount,
    OpenedAccount,
    StripedAccount,
    UnfrozenAccount,
)
from ledger.entrypoints.api.answers.decided import Answers, CommittedBatch
from ledger.entrypoints.api.answers.others import (
    ChangedMetadata,
    ClosedBook,
    DefinedTemplate,
    OpenedBook,
    ReopenedBook,
)
from ledger.entrypoints.api.answers.payments import (
    AuthorizedPayment,
    CapturedPayment,
    IncreasedPayment,
    PostedPayment,
    ReversedPayment,
    VoidedPayment,
)
from publishing.operations.base import EVERYWHERE, Operation
from publishing.refusals import malformed_of, rejections_of

_BODY: Final = (
    reasons.INVALID_REQUEST,
    reasons.UNSUPPORTED_MEDIA_TYPE,
    reasons.INVALID_QUERY,
)
_UNDECIDED: Final = (
    reasons.CONTENTION,
    reasons.CLOCK_SKEW,
    reasons.STORE_UNAVAILABLE,
    reasons.UNKNOWN_STORED_VERSION,
)


class SeveralCommands(Struct, frozen=True, forbid_unknown_fields=True):
    """Commands that are decided in their order, each by itself. What is refused or malformed keeps
    no other from being decided; behind one that could not be decided now, none is."""

    commands: Annotated[
        tuple[MemberCommand | AtomicBatch, ...],
        Meta(min_length=1, max_length=BULK_COMMANDS_MAX),
    ]


class _Text(NamedTuple):
    """What only words can say of a command's route."""

    id: str
    summary: str
    more: str
    answers: tuple[type[Struct], ...]


_TEXTS: Final[dict[str, _Text]] = {
    "account.open": _Text("openAccount", "Open an account", "", (OpenedAccount,)),
    "account.set_alerts": _Text(
        "setAlerts",
        "Set an account's balance alerts",
        "It replaces all alerts of the account. What makes the balance cross one says so in its "
        "event, and a notification tells.",
        (AccountAlerts,),
    ),
    "account.set_limits": _Text(
        "setLimits",
        "Change an account's limits",
        "Bounds of the balance, and velocity limits; what is left out stays. They hold from the "
        "next payment on, whichever else is under way.",
        (LimitedAccount,),
    ),
    "account.set_stripes": _Text(
        "setStripes",
        "Spread an account over stripes",
        "A payment writes one stripe of each account, so that many can commit at the same time. "
        "Balance and limits are those of all stripes together, to the last minor unit.",
        (StripedAccount,),
    ),
    "account.freeze": _Text(
        "freezeAccount",
        "Freeze an account",
        "Stops debits, credits or both, on top of what is stopped.",
        (FrozenAccount,),
    ),
    "account.unfreeze": _Text(
        "unfreezeAccount",
        "Unfreeze an account",
        "Lets debits, credits or both pass again.",
        (UnfrozenAccount,),
    ),
    "account.close": _Text(
        "closeAccount",
        "Close an account",
        "For ever, and only at a balance of 0 with nothing pending.",
        (ClosedAccount,),
    ),
    "metadata.set": _Text(
        "setMetadata",
        "Set the metadata of an account or a payment",
        "It replaces them all, and touches neither the account nor the payment itself.",
        (ChangedMetadata,),
    ),
    "payment.post": _Text(
        "postPayment",
        "Post a payment",
        "All its postings or none.",
        (PostedPayment,),
    ),
    "payment.authorize": _Text(
        "authorizePayment",
        "Hold a payment",
        "Reserves the amounts, to be captured, voided, or to expire by themselves.",
        (AuthorizedPayment,),
    ),
    "payment.capture": _Text(
        "capturePayment",
        "Capture a hold",
        "Posts all that is held or a part, once or several times.",
        (CapturedPayment,),
    ),
    "payment.increase": _Text(
        "increasePayment",
        "Increase a hold",
        "Holds more, or for longer.",
        (IncreasedPayment,),
    ),
    "payment.void": _Text(
        "voidPayment",
        "Void a hold",
        "Releases all that is still held; never refused for want of funds or for freezing.",
        (VoidedPayment,),
    ),
    "payment.reverse": _Text(
        "reversePayment",
        "Reverse a payment",
        "Gives back all that was posted or a part, never more in all. The reversal of a hold of "
        "which nothing was captured is its void, and is answered so.",
        (ReversedPayment, VoidedPayment),
    ),
    "payment.post_template": _Text(
        "postTemplate",
        "Post a payment by template",
        "Makes the postings of the template and the parameters, and posts them as any payment.",
        (PostedPayment,),
    ),
    "template.define": _Text(
        "defineTemplate",
        "Define a template",
        "Makes the next version of the template, the first if there is none.",
        (DefinedTemplate,),
    ),
    "book.open": _Text(
        "openBook", "Open a book", "Accounts can be opened in it from then on.", (OpenedBook,)
    ),
    "book.close": _Text(
        "closeBook",
        "Close a book through a day",
        "Nothing of its accounts can be effective on that day or before it from then on.",
        (ClosedBook,),
    ),
    "book.reopen": _Text(
        "reopenBook",
        "Reopen a book",
        "Gives up a closing, or a part of it, on the record.",
        (ReopenedBook,),
    ),
    "batch.atomic": _Text(
        "commitBatch",
        "Decide commands together",
        "All of them take effect, each on the effects of those before it, or none does: then the "
        "refusal is recorded under the batch's id alone.",
        (CommittedBatch,),
    ),
}


def _operation(command_type: str, text: _Text) -> Operation:
    return Operation(
        text.id,
        text.summary,
        f"Decides `{command_type}` and records the outcome under the command's id, for ever. 201 "
        "the first time, 200 for every repeat of the same request, with the same outcome; a "
        f"refusal is repeated as the same problem. {text.more}".rstrip(),
        {201: text.answers, 200: text.answers},
        (
            *_BODY,
            *malformed_of(command_type),
            reasons.IDEMPOTENCY_MISMATCH,
            *rejections_of(command_type),
            *_UNDECIDED,
            *EVERYWHERE,
        ),
        command=COMMAND_TYPES[command_type],
        parameters=("dry_run",),
    )


OF_COMMANDS: Final[dict[tuple[str, str], Operation]] = {
    **{
        ("POST", path): _operation(command_type, _TEXTS[command_type])
        for command_type, path in COMMAND_PATHS.items()
    },
    ("POST", INDEPENDENT_PATH): Operation(
        "decideCommands",
        "Decide many commands, each by itself",
        "Decides each as its own route would, in order, and answers each with that route's status "
        "and body: a refusal or a fault of one is nothing to the others. They are committed "
        "together, in as few transactions as there must be. What there was no time or no room to "
        "answer is answered `unavailable`: send it again. Against what must stand or fall "
        "together, see `batch.atomic`.",
        {200: (Answers,)},
        (
            *_BODY,
            reasons.PAYLOAD_TOO_LARGE,
            reasons.MALFORMED_JSON,
            reasons.UNKNOWN_FIELD,
            reasons.MISSING_FIELD,
            reasons.INVALID_BATCH,
            *EVERYWHERE,
        ),
        body=SeveralCommands,
    ),
}
