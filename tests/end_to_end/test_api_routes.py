"""The routes of the deployed API: each reaches the function that serves it, with its parameters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.client.answers import Accepted, Refused, Reply
from ledger.client.rest import LedgerApi
from ledger.contracts.commands import decode_command
from ledger.contracts.routes import COMMAND_PATHS
from tests.end_to_end.driving import funded_pair, paying, posted, unique


def body_of(reply: Reply) -> dict[str, Any]:
    """What an accepted request was answered."""
    assert isinstance(reply, Accepted), reply
    return reply.body


@pytest.mark.parametrize("command_type", COMMAND_PATHS)
def test_every_command_has_a_route_that_takes_it(api: LedgerApi, command_type: str) -> None:
    """Its faults are named by the function, which knows it as the command of that route."""
    command = {"type": command_type, "v": 1, "id": unique("never"), "colour": "red"}
    reply = api.send(command_type, json.dumps(command).encode())
    assert isinstance(reply, Refused)
    assert (reply.status, reply.reason, reply.field) == (400, "unknown_field", "colour")
    other = api.send(command_type, json.dumps(command | {"type": "payment.screen"}).encode())
    assert isinstance(other, Refused)
    assert (other.reason, other.field) == ("unsupported_type", "type")


def test_a_hold_is_asked_of_made_and_read_back(api: LedgerApi) -> None:
    """A dry run does nothing; then held, captured in part, and shown as it is."""
    payer, payee = funded_pair(api, 1_000)
    hold = paying(unique("hold"), payer, payee, 600) | {"type": "payment.authorize"}
    body = json.dumps(hold).encode()
    dry = api.send("payment.authorize", body, dry_run=True)
    assert (body_of(dry)["dry_run"], body_of(dry)["payment"]["held_minor"]) == (True, [600])
    assert isinstance(api.payment(hold["id"]), Refused)
    assert not body_of(api.send("payment.authorize", body))["repeat"]
    capture = {"type": "payment.capture", "v": 1, "id": unique("capture"), "payment": hold["id"]}
    assert body_of(posted(api, capture | {"amount_minor": 250}))["payment"]["version"] == 2
    life = body_of(api.payment(hold["id"]))
    assert (life["status"], life["held_minor"], life["captured_minor"]) == (
        "partially_captured",
        [350],
        [250],
    )


def test_limits_metadata_templates_and_books_are_read_back(api: LedgerApi) -> None:
    """Each by its id, from the event store."""
    payer, _ = funded_pair(api, 1_000)
    limits = {"type": "account.set_limits", "v": 1, "id": unique("limits"), "account": payer}
    body_of(posted(api, limits | {"min_balance_minor": -700}))
    assert body_of(api.limits(payer))["min_balance_minor"] == -700
    metadata = {
        "type": "metadata.set",
        "v": 1,
        "id": unique("metadata"),
        "subject": "account",
        "subject_id": payer,
        "metadata": {"tier": "gold"},
    }
    body_of(posted(api, metadata))
    assert body_of(api.metadata("account", payer))["metadata"] == {"tier": "gold"}
    assert body_of(api.book("main"))["book"] == "main"
    template = api.template("no_such_template", {"version": "1"})
    assert isinstance(template, Refused)
    assert template.reason == "template_not_found"


def test_several_commands_are_answered_one_by_one(api: LedgerApi) -> None:
    """In their order, each by itself: one that is refused is nothing to those behind it."""
    payer, payee = funded_pair(api, 1_000)
    commands = [
        paying(unique("first"), payer, payee, 900),
        paying(unique("too-much"), payer, payee, 900),
        paying(unique("rest"), payer, payee, 100),
    ]
    replies = api.submit_each([decode_command(json.dumps(one).encode()) for one in commands])
    assert [isinstance(reply, Accepted) for reply in replies] == [True, False, True]
    assert isinstance(replies[1], Refused)
    assert replies[1].reason == "insufficient_funds"
