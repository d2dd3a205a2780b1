"""Each function may do what it does, and no more: tried with IAM policies enforced.

Enforced are the identity policies of the functions' roles and the queues' own policies. What the
emulator does not judge is asserted on the template: the events table's policy, the use of keys,
what mappings and rules need.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from ledger.client.answers import Accepted, Refused, UnreachableError
from ledger.client.config import Config, Credentials
from ledger.client.rest import LedgerApi
from ledger.client.retries import Retries
from sandbox.endpoint import Deployment
from tests.end_to_end.driving import eventually, opening, paying, posted

API_FUNCTION = "ledger-dev-api"
COMMANDS_FUNCTION = "ledger-dev-commands"
EXPIRY_FUNCTION = "ledger-dev-expiry"
FRAUD_FUNCTION = "ledger-dev-fraud"
HELD_SECONDS = 2.0


@pytest.fixture
def api(enforcing_deployment: Deployment) -> LedgerApi:
    """The REST API of the enforcing stack; one attempt, as a refusal is what is looked for."""
    return api_of(
        enforcing_deployment,
        Credentials(enforcing_deployment.access_key_id, enforcing_deployment.secret_access_key),
    )


def api_of(deployment: Deployment, credentials: Credentials) -> LedgerApi:
    config = Config(
        region=deployment.region,
        endpoint_url=deployment.endpoint_url,
        api_url=deployment.api_url,
        outputs=dict(deployment.outputs),
        credentials=credentials,
    )
    # The stub knows True and False only; botocore itself passes a path here.
    trusting = URLLib3Session(verify=str(deployment.ca_bundle), proxies={})  # type: ignore[arg-type]
    return LedgerApi(config, retries=Retries(attempts_max=1), transport=trusting)


def open_account(api: LedgerApi, command_id: str, **fields: object) -> object:
    command = {
        "type": "account.open",
        "v": 1,
        "id": command_id,
        "account": f"account-of-{command_id}",
        "currency": "EUR",
        "account_type": "liability",
        **fields,
    }
    return api.send("account.open", json.dumps(command).encode())


@contextmanager
def without_grant(deployment: Deployment, function: str, action: str) -> Iterator[None]:
    """The function's role without `action`, until the block is left."""
    with changed_grants(deployment, function, lambda granted: _without(granted, action)):
        yield


@contextmanager
def changed_grants(
    deployment: Deployment, function: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Iterator[None]:
    """The function's role with another policy, until the block is left."""
    arguments = deployment.client_arguments()
    session = deployment.session()
    configuration = session.client("lambda", **arguments).get_function_configuration(
        FunctionName=function
    )
    role = configuration["Role"].rpartition("/")[2]
    # There are no type stubs for IAM here: nothing else of the project calls it.
    iam: Any = session.client("iam", **arguments)
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    granted = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    put = {"RoleName": role, "PolicyName": policy}
    iam.put_role_policy(**put, PolicyDocument=json.dumps(change(granted)))
    try:
        yield
    finally:
        iam.put_role_policy(**put, PolicyDocument=json.dumps(granted))


def _without(document: dict[str, Any], action: str) -> dict[str, Any]:
    statements, removed = [], 0
    for statement in document["Statement"]:
        stated = statement["Action"]
        actions = [stated] if isinstance(stated, str) else stated
        kept = [each for each in actions if each != action]
        removed += len(actions) - len(kept)
        if kept:
            statements.append({**statement, "Action": kept})
    assert removed, f"{action} is granted nowhere in {document}"
    return {**document, "Statement": statements}


def test_granted_calls_succeed(api: LedgerApi, enforcing_deployment: Deployment) -> None:
    """The whole way: REST, queue, event store, relay, bus, projections, and back by REST."""
    for account in ("payer", "payee"):
        assert isinstance(open_account(api, account, min_balance_minor=None), Accepted)
    payment = {
        "type": "payment.post",
        "v": 1,
        "id": "granted",
        "postings": [
            {
                "source": "account-of-payer",
                "destination": "account-of-payee",
                "amount_minor": 1_250,
                "currency": "EUR",
            }
        ],
    }
    enforcing_deployment.session().client(
        "sqs", **enforcing_deployment.client_arguments()
    ).send_message(
        QueueUrl=enforcing_deployment.outputs["CommandsFifoQueueUrl"],
        MessageBody=json.dumps(payment),
        MessageGroupId="account-of-payer",
        MessageDeduplicationId="granted",
    )

    def projected() -> bool:
        answer = api.account("account-of-payee")
        return isinstance(answer, Accepted) and answer.body["balance_minor"] == 1_250

    assert eventually(projected)


def test_the_later_life_is_granted_too(api: LedgerApi) -> None:
    """A batch that writes a state of every kind, a back-dated payment that checks its book, a dry
    run; and all that was made is read: from the event store, and by the projections' indexes."""
    book, payer, payee = "life", "granted:life:payer", "granted:life:payee"
    past = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    hold = paying("life-hold", payer, payee, 900) | {"type": "payment.authorize"}
    sale = {"source": payer, "destination": payee, "currency": "EUR", "amount": {"of": "amount"}}
    parameters = [{"name": "amount", "kind": "amount"}]
    commands = [
        {"type": "book.open", "book": book},
        opening(payer, min_balance_minor=None, effective_at=past, book=book),
        opening(payee, effective_at=past, book=book),
        hold,
        {"type": "payment.capture", "payment": hold["id"], "amount_minor": 400},
        {"type": "metadata.set", "subject": "account", "subject_id": payer, "metadata": {"k": "v"}},
        {
            "type": "template.define",
            "template": "life",
            "parameters": parameters,
            "postings": [sale],
        },
    ]
    batch = {
        "type": "batch.atomic",
        "v": 1,
        "id": "life-batch",
        "commands": [{"v": 1, "id": f"life-{n}", **each} for n, each in enumerate(commands)],
    }
    dry = api.send("batch.atomic", json.dumps(batch).encode(), dry_run=True)
    assert isinstance(dry, Accepted), dry
    for command in (
        batch,
        paying("life-late", payer, payee, 5, effective_at=past),
        {
            "type": "payment.post_template",
            "v": 1,
            "id": "life-sale",
            "template": "life",
            "parameters": {"amount": 7},
        },
    ):
        answer = posted(api, command)
        assert isinstance(answer, Accepted), answer
    for found in (
        api.payment(hold["id"]),
        api.limits(payer),
        api.metadata("account", payer),
        api.book(book),
        api.template("life"),
        api.template("life", {"version": "1"}),
    ):
        assert isinstance(found, Accepted), found

    def listed() -> bool:
        payments = api.payments({"status": "partially_captured"})
        accounts = api.accounts({"under": "granted:life"})
        assert isinstance(payments, Accepted), payments
        assert isinstance(accounts, Accepted), accounts
        held = [payment["id"] for payment in payments.body["payments"]]
        balances = [account["balance_minor"] for account in accounts.body["accounts"]]
        return (held, balances) == ([hold["id"]], [412, -412])

    assert eventually(listed)


def test_malformed_message_may_be_put_aside(enforcing_deployment: Deployment) -> None:
    """The function sends it to the dead-letter queue by itself."""
    sqs = enforcing_deployment.session().client("sqs", **enforcing_deployment.client_arguments())
    outputs = enforcing_deployment.outputs

    def put_aside() -> bool:
        received = sqs.receive_message(QueueUrl=outputs["CommandsDlqUrl"], WaitTimeSeconds=1)
        return any(each["Body"] == "not a command" for each in received.get("Messages", []))

    with changed_grants(enforcing_deployment, COMMANDS_FUNCTION, _with_batches):
        sqs.send_message(QueueUrl=outputs["CommandsQueueUrl"], MessageBody="not a command")
        assert eventually(put_aside)


def test_stranger_is_refused_at_the_api(enforcing_deployment: Deployment) -> None:
    """A key that nobody issued gets no further than the gateway."""
    stranger = api_of(enforcing_deployment, Credentials("AKIASTRANGER", "made up"))

    answer = open_account(stranger, "stranger")

    assert isinstance(answer, Refused)


def test_one_removed_grant_stops_the_function(
    api: LedgerApi, enforcing_deployment: Deployment
) -> None:
    """Without it nothing is written; with it back, the same request succeeds for the first time."""
    with (
        without_grant(enforcing_deployment, API_FUNCTION, "dynamodb:PutItem"),
        pytest.raises(UnreachableError),
    ):
        open_account(api, "removed-grant")

    answer = open_account(api, "removed-grant")
    assert isinstance(answer, Accepted)
    assert not answer.repeat


def test_fraud_scorer_may_give_verdicts_and_list_those_recorded(
    api: LedgerApi, enforcing_deployment: Deployment
) -> None:
    """From a payment to its recorded verdict; from a recorded one not clear to the list of reviews.

    The alert is not asserted: the emulator takes the session for the principal that the topic's
    policy names, where AWS takes the role.
    """
    for account in ("cautious", "trusting"):
        assert isinstance(open_account(api, account, min_balance_minor=None), Accepted)
    posting = {
        "source": "account-of-cautious",
        "destination": "account-of-trusting",
        "amount_minor": 1,
        "currency": "EUR",
    }
    payment = {"type": "payment.post", "v": 1, "id": "screened", "postings": [posting]}

    def screenings() -> list[dict[str, Any]]:
        answer = api.screening("screened")
        assert isinstance(answer, Accepted)
        found: list[dict[str, Any]] = answer.body["screenings"]
        return found

    with changed_grants(enforcing_deployment, FRAUD_FUNCTION, _with_batches):
        assert isinstance(api.send("payment.post", json.dumps(payment).encode()), Accepted)
        assert eventually(lambda: bool(screenings()))
    [screening] = screenings()
    recorded = screening | {
        "type": "payment.screened",
        "v": 1,
        "effective_at": screening["recorded_at"],
        "actor": "tests",
        "payment": "screened",
        "verdict": "block",
    }
    enforcing_deployment.session().client(
        "events", **enforcing_deployment.client_arguments()
    ).put_events(
        Entries=[
            {
                "Source": "ledger",
                "DetailType": "payment.screened",
                "Detail": json.dumps({"events": [recorded]}),
                "EventBusName": enforcing_deployment.outputs["LedgerBusName"],
            }
        ]
    )

    def listed() -> bool:
        answer = api.reviews()
        assert isinstance(answer, Accepted)
        return [review["payment"] for review in answer.body["reviews"]] == ["screened"]

    assert eventually(listed)


def test_sweep_may_find_and_release_what_is_due(
    api: LedgerApi, enforcing_deployment: Deployment
) -> None:
    """The index is granted by itself: without it a sweep fails, and says so."""
    for account in ("held", "holder"):
        assert isinstance(open_account(api, account, min_balance_minor=None), Accepted)
    posting = {
        "source": "account-of-held",
        "destination": "account-of-holder",
        "amount_minor": 1,
        "currency": "EUR",
    }
    hold = {
        "type": "payment.authorize",
        "v": 1,
        "id": "expiring",
        "postings": [posting],
        "expires_at": (datetime.now(UTC) + timedelta(seconds=HELD_SECONDS)).isoformat(),
    }
    assert isinstance(api.send("payment.authorize", json.dumps(hold).encode()), Accepted)
    time.sleep(HELD_SECONDS)
    functions = enforcing_deployment.session().client(
        "lambda", **enforcing_deployment.client_arguments()
    )

    with without_grant(enforcing_deployment, EXPIRY_FUNCTION, "dynamodb:Query"):
        failed = functions.invoke(FunctionName=f"{EXPIRY_FUNCTION}:live", Payload=b"{}")
    swept = functions.invoke(FunctionName=f"{EXPIRY_FUNCTION}:live", Payload=b"{}")

    assert b"AccessDeniedException" in failed["Payload"].read()
    assert b"errorMessage" not in swept["Payload"].read()
    found = api.payment("expiring")
    assert isinstance(found, Accepted)
    assert found.body["status"] == "expired"


def _with_batches(document: dict[str, Any]) -> dict[str, Any]:
    """AWS judges a batch of messages as `sqs:SendMessage`; the emulator by the call's own name."""
    statements = []
    for statement in document["Statement"]:
        stated = statement["Action"]
        actions = [stated] if isinstance(stated, str) else stated
        more = ["sqs:SendMessageBatch"] if "sqs:SendMessage" in actions else []
        statements.append({**statement, "Action": [*actions, *more]})
    return {**document, "Statement": statements}
