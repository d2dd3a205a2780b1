"""The ledger: commands as JSON, decided one by one or as a group, on its two tables."""

from __future__ import annotations

import sys
from typing import Any

from bench.engine import Tables
from bench.engines.contest import contest
from bench.payments import ACTOR, payment
from ledger import bootstrap
from ledger.application.commit import Decided
from ledger.application.group_commit import Answer, Asked
from ledger.contracts.commands import decode_command
from ledger.contracts.events import CommandRejected
from ledger.contracts.subjects import account_key
from ledger.runtime.host import AwsHost


class _Host(AwsHost):
    def __init__(self, tables: Tables) -> None:
        super().__init__()
        self._tables = tables

    @property
    def environment(self) -> dict[str, str]:
        return {
            "EVENTS_TABLE": self._tables.events,
            "STATES_TABLE": self._tables.states,
            "LEDGER_STATE_CACHE": sys.argv[2],
        }


class Ours:
    """A worker of the command handler, without its queue."""

    def __init__(self, workload: dict[str, Any]) -> None:
        self._tables = Tables()
        self._parts = bootstrap.command_parts(_Host(self._tables))
        for account in workload["accounts"]:
            opening = (
                f'{{"type":"account.open","v":1,"id":"open:{account}","account":"{account}",'
                '"currency":"EUR","account_type":"liability",'
                f'"min_balance_minor":null}}'
            )
            self._parts.commands.handle(decode_command(opening.encode()), ACTOR)

    def post(self, group: list[dict[str, Any]]) -> None:
        """The payments of a group."""
        asked = [
            Asked(
                decode_command(
                    payment(one["id"], one["source"], one["destination"], one["amount_minor"])
                ),
                ACTOR,
            )
            for one in group
        ]
        answers: list[Answer]
        if len(asked) == 1:
            answers = [self._parts.commands.handle(asked[0].command, ACTOR)]
        else:
            answers = self._parts.group.handle(asked, lambda: True)
        for answer in answers:
            assert isinstance(answer, Decided), answer
            assert not isinstance(answer.event, CommandRejected), answer

    def balances(self, accounts: list[str]) -> dict[str, int]:
        """What the accounts have now."""
        store = self._parts.store
        return {
            account: store.load((account_key(account),)).accounts[account].balance_minor
            for account in accounts
        }


if __name__ == "__main__":
    contest(Ours)
