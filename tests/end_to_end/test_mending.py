"""The operator's verbs against the deployed stack: verify, repair, and what they see."""

from __future__ import annotations

from pathlib import Path

from ledger.client.answers import Accepted
from ledger.client.config import Config
from ledger.client.rest import LedgerApi
from sandbox.endpoint import Deployment
from sandbox.logs import function_output
from tests.end_to_end.driving import (
    balance_at,
    client,
    eventually,
    funded_pair,
    ledger,
    paying,
    payment_at,
    posted,
    projected,
    row_at,
    unique,
)


def test_a_cut_out_event_is_found_and_repaired(
    config: Config, api: LedgerApi, config_file: Path
) -> None:
    """Rows lost by the projections are named by verify, and repair brings them back."""
    payer, payee = funded_pair(api, 100)
    payments = [unique("payment") for _ in range(3)]
    for amount, payment in enumerate(payments, start=1):
        assert isinstance(posted(api, paying(payment, payer, payee, amount)), Accepted)
    projected(api, payee, 4)
    projected(api, payer, 5)
    dynamodb = client(config, "dynamodb")
    assert eventually(
        lambda: "Item" in dynamodb.get_item(**payment_at(config, payments[0]), ConsistentRead=True)
    )
    for version in (3, 4):
        dynamodb.delete_item(**row_at(config, payee, version))
    dynamodb.delete_item(**balance_at(config, payee))
    dynamodb.delete_item(**payment_at(config, payments[0]))

    code, report = ledger(config_file, "verify", "--wait", "2")
    assert code == 1
    subjects = {finding["subject"] for finding in report["findings"]}
    assert subjects == {payee, payments[0]}

    code, repaired = ledger(config_file, "repair")
    assert (code, repaired["left"]) == (0, 0)
    assert projected(api, payee, 4)["balance_minor"] == 6
    assert "limits" in projected(api, payee, 4)  # what came with its opening too
    code, report = ledger(config_file, "verify", "--wait", "2")
    assert (code, report["ok"]) == (0, True)


def test_a_tampered_event_is_alarmed_and_named(
    config: Config, api: LedgerApi, config_file: Path, deployment: Deployment
) -> None:
    """An overwritten event raises the relay's alarm, blocks nothing, and verify names it.

    The emulator drops the table's policy, so the overwrite that AWS denies succeeds here.
    """
    payer, payee = funded_pair(api, 100)
    payment = unique("payment")
    assert isinstance(posted(api, paying(payment, payer, payee, 40)), Accepted)
    dynamodb = client(config, "dynamodb")
    table, key = config.outputs["EventsTableName"], {"pk": {"S": payment}}
    genuine = dynamodb.get_item(TableName=table, Key=key)["Item"]
    altered = {**genuine, "data": {"S": genuine["data"]["S"].replace('_minor":40', '_minor":41')}}
    dynamodb.put_item(TableName=table, Item=altered)
    try:
        assert eventually(
            lambda: any(
                f"MODIFY {payment}" in line for line in function_output(deployment, seconds=120)
            )
        )
        code, report = ledger(config_file, "verify", "--wait", "2")
        assert code == 1
        named = {(finding["check"], finding["subject"]) for finding in report["findings"]}
        assert ("chain_links", payee) in named
        later = posted(api, paying(unique("payment"), payer, payee, 5))
        assert isinstance(later, Accepted)
        assert projected(api, payee, 3)["balance_minor"] == 45
    finally:
        dynamodb.put_item(TableName=table, Item=genuine)
    assert ledger(config_file, "verify")[0] == 0
