"""Commands in bulk, by every way in, on the deployed stack."""

from __future__ import annotations

import json
from pathlib import Path

from ledger.client.answers import Accepted
from ledger.client.bulk import bulked
from ledger.client.bus import BusSender
from ledger.client.config import Config
from ledger.client.fifo import FifoSender
from ledger.client.messages import Message
from ledger.client.rest import LedgerApi
from tests.end_to_end.driving import (
    client,
    eventually,
    funded_pair,
    ledger,
    opening,
    paying,
    projected,
    unique,
)


def test_each_way_in_takes_many_at_once(config: Config, api: LedgerApi) -> None:
    """Forty payments over each of REST, bus and queue: each way its own payee, which an opening in
    front of its payments opens. All are posted once, and projected."""
    payer, _ = funded_pair(api, 10_000)
    fifo = FifoSender(client(config, "sqs"), config.outputs["CommandsFifoQueueUrl"])
    bus = BusSender(client(config, "events"), config.outputs["IngressBusName"])
    for way in ("rest", "bus", "queue"):
        payee = unique(f"{way}-payee")
        commands = [opening(payee)]
        commands += [paying(f"{payee}-{number}", payer, payee, 3) for number in range(40)]
        bodies = [(str(one["type"]), json.dumps(one).encode()) for one in commands]
        if way == "rest":
            replies = api.send_each(bodies)
            assert all(isinstance(reply, Accepted) for reply in replies)
        else:
            sender = bus if way == "bus" else fifo
            messages = list(bulked(Message(*body, payee) for body in bodies))
            assert len(messages) == 1
            sender.send(messages)
            sender.send(messages)  # once more: nothing is posted twice
        account = projected(api, payee, 41)
        assert (account["balance_minor"], account["version"]) == (120, 41)


def test_what_is_no_command_in_bulk_dies_alone_and_can_be_sent_back(
    config: Config, api: LedgerApi, config_file: Path
) -> None:
    """Over the bus: its neighbours are posted; its letter has it alone, says where it stood and
    why, and is refused again for that when it is sent back as it is."""
    payer, payee = funded_pair(api, 100)
    bad = paying(unique("bad"), payer, payee, 0)
    good = [paying(unique("good"), payer, payee, 5) for _ in range(2)]
    body = json.dumps({"commands": [good[0], bad, good[1]]})
    client(config, "events").put_events(
        Entries=[
            {
                "EventBusName": config.outputs["IngressBusName"],
                "Source": "tests",
                "DetailType": "commands",
                "Detail": body,
            }
        ]
    )
    assert projected(api, payee, 3)["balance_minor"] == 10

    def found() -> list[dict[str, object]]:
        code, listed = ledger(config_file, "dead-letters", "commands", "--show-body")
        assert code == 0
        return [letter for letter in listed["letters"] if letter["of"] == bad["id"]]

    assert eventually(lambda: len(found()) == 1)
    (letter,) = found()
    assert (letter["reason"], letter["kind"]) == ("invalid_amount", "command")
    assert letter["field"] == "commands[1].postings[0].amount_minor"
    assert json.loads(str(letter["body"]))["detail"] == {"commands": [bad]}
    args = ("redrive", "commands", "--only", str(letter["id"]), "--force")
    assert ledger(config_file, *args)[0] in (0, 1)
    assert eventually(
        lambda: [one["field"] for one in found()] == ["commands[0].postings[0].amount_minor"]
    )
    (again,) = found()
    assert ledger(config_file, "discard", "commands", "--only", str(again["id"]))[0] == 0
