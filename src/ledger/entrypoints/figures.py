"""What decisions have asked of the store, in the line of an invocation."""

from __future__ import annotations

from collections import Counter

from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.group_commit import GroupCommit
from ledger.application.state_cache import StateCache
from ledger.runtime.telemetry import Line


def report_use(
    line: Line, meter: Meter, group: GroupCommit, cache: StateCache, *, decided: int
) -> Counter[str]:
    """Writes what was asked of DynamoDB, in how many transactions, and what the cache was good for;
    answers what the refused attempts at transactions of a group met, each attempt once.

    `decided` are the commands that this invocation decided for the first time.
    """
    usage, committed, remembered = meter.take(), group.take(), cache.take()
    line.note("requests", usage.requests)
    line.note("write_units", round(usage.write_units))
    if usage.cancelled:
        line.note("cancelled", usage.cancelled)
    if committed.attempts:
        line.note("transactions", committed.transactions)
        line.note("transaction_attempts", committed.attempts)
        line.note("group_size_max", committed.largest)
        # One by the other is how many commands a transaction holds on average.
        line.count("CommandsGrouped", decided)
        line.count("TransactionsCommitted", committed.transactions)
    for name, count in (("CacheHits", remembered.hits), ("CacheStale", remembered.stale)):
        if count:
            line.count(name, count)
    return Counter(committed.causes)
