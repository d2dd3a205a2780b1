"""The story that the examples tell: every command of them, and what else it takes, in its order."""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.contracts.examples.commands import (
    COMMANDS,
    MERCHANT,
    OTHER_OPENINGS,
    REFUSED_COMMAND,
    WALLET,
    Document,
)

ACTOR: Final = "arn:aws:sts::111122223333:assumed-role/checkout/i-0a1b2c3d"
SCORER: Final = "sqs:AROAEXAMPLE:ledger-prod-fraud"
SWEEPER: Final = "ledger:expiry"


class Step(NamedTuple):
    """A command, when it is recorded, and who sends it."""

    at: str
    command: Document
    actor: str = ACTOR

    @property
    def type(self) -> str:
        """The command's type."""
        return str(self.command["type"])


#: A hold that nobody captures.
_TAXI: Final[Document] = {
    "type": "payment.authorize",
    "v": 1,
    "id": "taxi-3",
    "postings": [
        {"source": WALLET, "destination": MERCHANT, "amount_minor": 3000, "currency": "EUR"}
    ],
    "expires_at": "2026-11-21T23:15:00Z",
}

#: An account that is closed again.
_MISTAKE: Final[Document] = {
    "type": "account.open",
    "v": 1,
    "id": "open:customers:45:wallet",
    "account": "customers:45:wallet",
    "currency": "EUR",
    "account_type": "liability",
}


def _step(second: str, command: str | Document, actor: str = ACTOR) -> Step:
    at = f"2026-11-21T23:{second:0<12}Z"
    return Step(at, COMMANDS[command, 1] if isinstance(command, str) else command, actor)


STORY: Final[tuple[Step, ...]] = (
    _step("10:01.", "account.open"),
    _step("10:02.", OTHER_OPENINGS[0]),
    _step("10:03.", OTHER_OPENINGS[1]),
    _step("10:05.123456", "payment.post"),
    _step("10:06.2", "payment.screen", SCORER),
    _step("10:07.654321", REFUSED_COMMAND),
    _step("10:08.", "account.set_alerts"),
    _step("10:10.", "account.set_limits"),
    _step("10:11.", "metadata.set"),
    _step("10:12.", "template.define"),
    _step("10:13.", "payment.post_template"),
    _step("10:14.", "payment.authorize"),
    _step("10:15.", "payment.increase"),
    _step("10:16.", "payment.capture"),
    _step("10:17.", "payment.void"),
    _step("10:18.", "payment.reverse"),
    _step("10:19.", _TAXI),
    _step("10:20.", "account.freeze"),
    _step("10:21.", "account.unfreeze"),
    _step("10:22.", "book.open"),
    _step("10:23.", "batch.atomic"),
    _step("10:24.", _MISTAKE),
    _step("10:25.", "account.close"),
    _step("10:26.", "book.close"),
    _step("10:27.", "book.reopen"),
    _step("10:28.", "account.set_stripes"),
    _step("15:04.", "payment.expire", SWEEPER),
)


def step(command_type: str) -> Step:
    """The story's first step with a command of that type."""
    return next(one for one in STORY if one.type == command_type)
