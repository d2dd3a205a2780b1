"""The waits: for a hold to expire, and for both projections to have every version there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from ledger.cli.connection import Connection
from ledger.cli.feeding.emptying import STALLED_SECONDS, StalledError
from ledger.cli.requests import answered
from ledger.client.rest import LedgerApi
from ledger.contracts.subjects import stripe_key
from ledger.domain.accounts import AccountState
from ledger.importers.instructions import EXPIRED
from ledger.upkeep.depth import depth

LOOK_SECONDS: Final = 0.5
HELD: Final = "held"
EXPIRY_SECONDS_MAX: Final = 240.0  # the sweeper comes every minute, the first time after one


class Progress(NamedTuple):
    """How much is projected, in versions of accounts, of how much."""

    done: int
    total: int


def wait_until_expired(
    api: LedgerApi,
    payment: str,
    *,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Returns once a hold that nobody captures is released by itself.

    Raises StalledError when EXPIRY_SECONDS_MAX were not enough, or it came to something else.
    """
    began = clock()
    while (status := answered(api.payment(payment)).body["status"]) != EXPIRED:  # ends: as below
        if status != HELD:
            raise StalledError(f"hold {payment} is {status}")
        if clock() - began > EXPIRY_SECONDS_MAX:
            raise StalledError(f"hold {payment} was not released in {EXPIRY_SECONDS_MAX:.0f} s")
        pause(LOOK_SECONDS)


def wait_until_projected(
    ledger: Connection,
    *,
    on_look: Callable[[Progress], None],
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Returns once balances and history have reached the states, when no more commands come.

    Raises StalledError when neither has moved for STALLED_SECONDS.
    """
    queues = [ledger.config.output("BalancesQueueUrl"), ledger.config.output("HistoryQueueUrl")]
    versions = {
        state.key: state.version
        for state in ledger.events().states()
        if isinstance(state, AccountState)
    }
    total = sum(versions.values())
    before, changed_at = (-1, -1), clock()
    while True:  # ends: it is complete, or has stalled
        balances = sum(
            min(one.version, versions.get(stripe_key(one.account, one.stripe), 0))
            for account in ledger.balances().accounts()
            for one in account.stripes
        )
        waiting = sum(depth(ledger.sqs, url) for url in queues)
        # The history is read only when it can be complete: it is the one large table.
        history = 0
        if balances == total and waiting == 0:
            history = sum(1 for _ in ledger.history().rows())
            if history >= total:
                on_look(Progress(total, total))
                return
        on_look(Progress(min(balances, total - 1), total))
        now = (balances + history, waiting)
        if now != before:
            before, changed_at = now, clock()
        elif clock() - changed_at > STALLED_SECONDS:
            raise StalledError(
                f"the projections have not moved for {STALLED_SECONDS:.0f} s: balances at "
                f"{balances:,} and history at {history:,} of {total:,} versions, {waiting} "
                "messages waiting; `ledger repair` publishes what is missing"
            )
        pause(LOOK_SECONDS)
