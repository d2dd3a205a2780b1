"""What every function may do, as one table; widening it means changing this file."""

import pytest

from projections.generations.keys import POINTER
from tests.template.templates import Json, Resource, Templates, listed, statements

IN_A_TRANSACTION = "ForAnyValue:StringEquals dynamodb:EnclosingOperation=TransactWriteItems"
#: The one item that says which generations of a projection there are.
THE_POINTER = f"ForAllValues:StringEquals dynamodb:LeadingKeys={POINTER}"
DATA_KEY = "Events, projections and archives of the ledger, {stage}.Arn"
SERVICE_KEY = "Queues, ingress, logs and alarms of the ledger, {stage}.Arn"
TRUSTED_NETWORKS = (
    "arn:<Partition>:ssm:<Region>:<AccountId>:parameter/ledger-{stage}-webhook-trusted-networks"
)
SECRETS = "arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:ledger-{stage}/webhooks/*"

_READ_KEY = ("kms:Decrypt", "kms:DescribeKey")
_WRITE_DYNAMODB = (
    *_READ_KEY,
    *("kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
)
_WRITE_OTHER = (*_READ_KEY, "kms:GenerateDataKey")
_MAPPING = (
    *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage"),
    *("sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
)


def _via(service: str) -> str:
    return f"StringEquals kms:ViaService={service}.<Region>.amazonaws.com"


# (resource, condition) -> actions
Grants = dict[tuple[str, str], tuple[str, ...]]

COMMIT: Grants = {
    ("events.Arn", IN_A_TRANSACTION): ("dynamodb:PutItem",),
    ("events.Arn", ""): (
        *("dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem"),
    ),
    ("states.Arn", ""): (
        *("dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:PutItem"),
    ),
    ("states.Arn/index/due", ""): ("dynamodb:Query",),
    (DATA_KEY, _via("dynamodb")): _WRITE_DYNAMODB,
}
GRANTS: dict[str, Grants] = {
    "api": COMMIT,
    "commands": {
        **COMMIT,
        ("commands.Arn", ""): _MAPPING,
        ("commands.fifo.Arn", ""): _MAPPING,
        ("commands-dlq.Arn", ""): ("sqs:SendMessage",),
        ("commands-dlq.fifo.Arn", ""): ("sqs:SendMessage",),
        ("system-commands.Arn", ""): _MAPPING,
        ("system-commands-dlq.Arn", ""): ("sqs:SendMessage",),
        (SERVICE_KEY, _via("sqs")): _WRITE_OTHER,
    },
    "expiry": COMMIT,
    "relay": {
        ("bus.Arn", ""): ("events:PutEvents",),
        ("events.StreamArn", ""): (
            *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
        ),
        ("relay-failures-<AccountId>-<Region>.Arn", ""): ("s3:ListBucket",),
        (
            "arn:<Partition>:s3:::ledger-{stage}-relay-failures-<AccountId>-<Region>/aws/lambda/*",
            "",
        ): ("s3:PutObject",),
        (DATA_KEY, _via("dynamodb")): _READ_KEY,
        (DATA_KEY, _via("s3")): _WRITE_OTHER,
    },
    "balances": {
        ("balances.Arn", ""): ("dynamodb:UpdateItem",),
        ("balances.Arn", THE_POINTER): ("dynamodb:GetItem",),
        ("balances queue", ""): _MAPPING,
        (DATA_KEY, _via("dynamodb")): _WRITE_DYNAMODB,
        (SERVICE_KEY, _via("sqs")): _READ_KEY,
    },
    "history": {
        ("history.Arn", ""): (
            *("dynamodb:BatchWriteItem", "dynamodb:GetItem"),
            *("dynamodb:Query", "dynamodb:UpdateItem"),
        ),
        ("history queue", ""): _MAPPING,
        (DATA_KEY, _via("dynamodb")): _WRITE_DYNAMODB,
        (SERVICE_KEY, _via("sqs")): _READ_KEY,
    },
    "payments": {
        ("payments.Arn", ""): ("dynamodb:UpdateItem",),
        ("payments.Arn", THE_POINTER): ("dynamodb:GetItem",),
        ("payments queue", ""): _MAPPING,
        (DATA_KEY, _via("dynamodb")): _WRITE_DYNAMODB,
        (SERVICE_KEY, _via("sqs")): _READ_KEY,
    },
    "notifications": {
        ("notifications", ""): ("sns:Publish",),
        ("notifications.Arn", ""): _MAPPING,
        (SERVICE_KEY, _via("sns")): _WRITE_OTHER,
        (SERVICE_KEY, _via("sqs")): _READ_KEY,
    },
    "webhookmanager": {
        ("webhooks.Arn", ""): ("dynamodb:GetItem", "dynamodb:PutItem"),
        (SECRETS, ""): (
            *("secretsmanager:CreateSecret", "secretsmanager:DeleteSecret"),
            "secretsmanager:PutSecretValue",
        ),
        ("webhook-deliveries queue", ""): ("sqs:SendMessage",),
        (TRUSTED_NETWORKS, ""): ("ssm:GetParameter",),
        (DATA_KEY, _via("dynamodb")): _WRITE_DYNAMODB,
        (DATA_KEY, _via("secretsmanager")): _WRITE_OTHER,
        (SERVICE_KEY, _via("sqs")): _WRITE_OTHER,
    },
    "webhooks": {
        ("webhooks.Arn", ""): ("dynamodb:GetItem",),
        ("webhooks queue", ""): _MAPPING,
        ("webhook-deliveries queue", ""): ("sqs:SendMessage",),
        (DATA_KEY, _via("dynamodb")): _READ_KEY,
        (SERVICE_KEY, _via("sqs")): _WRITE_OTHER,
    },
    "webhookdelivery": {
        ("webhooks.Arn", ""): ("dynamodb:GetItem", "dynamodb:PutItem"),
        ("webhook-deliveries.Arn", ""): ("dynamodb:GetItem", "dynamodb:PutItem"),
        (SECRETS, ""): ("secretsmanager:GetSecretValue",),
        ("webhook-deliveries queue", ""): _MAPPING,
        ("webhook-deliveries-dlq.Arn", ""): ("sqs:SendMessage",),
        (TRUSTED_NETWORKS, ""): ("ssm:GetParameter",),
        (DATA_KEY, _via("dynamodb")): _WRITE_DYNAMODB,
        (DATA_KEY, _via("secretsmanager")): _READ_KEY,
        (SERVICE_KEY, _via("sqs")): _WRITE_OTHER,
    },
    "fraud": {
        ("fraud.Arn", ""): ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"),
        ("fraud queue", ""): _MAPPING,
        ("system-commands.Arn", ""): ("sqs:SendMessage",),
        ("fraud-alerts", ""): ("sns:Publish",),
        (DATA_KEY, _via("dynamodb")): _WRITE_DYNAMODB,
        (SERVICE_KEY, _via("sns")): _WRITE_OTHER,
        (SERVICE_KEY, _via("sqs")): _WRITE_OTHER,
    },
    "reviews": {
        ("fraud.Arn/index/reviews", ""): ("dynamodb:Query",),
        (DATA_KEY, _via("dynamodb")): _READ_KEY,
    },
    "query": {
        ("balances.Arn", ""): ("dynamodb:BatchGetItem", "dynamodb:GetItem"),
        ("balances.Arn/index/by_path", ""): ("dynamodb:Query",),
        ("history.Arn", ""): ("dynamodb:GetItem", "dynamodb:Query"),
        ("payments.Arn", ""): ("dynamodb:BatchGetItem", "dynamodb:GetItem"),
        ("payments.Arn/index/by_status", ""): ("dynamodb:Query",),
        (DATA_KEY, _via("dynamodb")): _READ_KEY,
    },
}
# Wildcards in resources, with the reason that each cannot be narrower.
WILDCARDS = {
    "/aws/lambda/*": "Lambda names the objects of a mapping's on-failure destination itself",
    "/webhooks/*": "Secrets Manager ends the names of secrets, which are made as subscribers come",
}


@pytest.mark.parametrize("function", GRANTS)
def test_grants_of_a_function_are_exactly_these(templates: Templates, function: str) -> None:
    """A function may do what the table says, and write its own log, and nothing else."""
    expected = {
        (resource.format(stage=templates.stage), condition): tuple(sorted(actions))
        for (resource, condition), actions in GRANTS[function].items()
    }
    log = f"/aws/lambda/{templates.prefix}{function}.Arn"
    expected[log, ""] = ("logs:CreateLogStream", "logs:PutLogEvents")
    assert _grants(templates, function) == expected


def test_every_function_is_in_the_table(templates: Templates) -> None:
    """No function escapes the table of grants."""
    assert set(templates.named("AWS::Lambda::Function")) == set(GRANTS)


def test_no_action_is_a_wildcard(templates: Templates) -> None:
    """Actions are written out, but in the key policies' statement for the account itself.

    Without that one, which the CDK makes, IAM policies could not grant the use of a key at all, and
    nobody could repair its policy. Denials may be wide.
    """
    wild = {
        (document.logical_id, action, str(statement.get("Principal")))
        for document, statement in _allowances(templates)
        for action in statement["Action"]
        if "*" in action
    }
    keys = {key.logical_id for key in templates.all("AWS::KMS::Key")}
    assert {(where, action) for where, action, _ in wild} == {(key, "kms:*") for key in keys}
    assert all(":root" in principal for _, _, principal in wild)


def test_no_resource_is_a_wildcard_without_a_reason(templates: Templates) -> None:
    """`*` appears in an allowed resource only as declared; in a key policy it means that key."""
    wild = {
        templates.text(document.stack, resource)
        for document, statement in _allowances(templates)
        if document.type != "AWS::KMS::Key"
        for resource in statement["Resource"]
        if "*" in templates.text(document.stack, resource)
    }
    ends = {next((end for end in WILDCARDS if found.endswith(end)), found) for found in wild}
    assert ends == set(WILDCARDS)


def test_services_may_act_for_this_account_only(templates: Templates) -> None:
    """Wherever a service is let in, a condition names the account or resource it acts for."""
    unbound = [
        (document.logical_id, statement)
        for document, statement in _allowances(templates)
        if "Service" in (statement.get("Principal") or {})
        and document.type != "AWS::IAM::Role"
        and not _is_bound(statement)
    ]
    assert unbound == []


def test_no_managed_policy_but_the_one_that_api_gateway_insists_on(templates: Templates) -> None:
    """Roles have statements of our own; API Gateway's log role is AWS's, kept with its account."""
    managed = {
        (role.logical_id, templates.text(role.stack, policy).rpartition("/")[2])
        for role in templates.all("AWS::IAM::Role")
        for policy in role.properties.get("ManagedPolicyArns", [])
    }
    assert {policy for _, policy in managed} == {"AmazonAPIGatewayPushToCloudWatchLogs"}
    [(role, _)] = managed
    assert templates.find("service", role).body["DeletionPolicy"] == "Retain"


def _grants(templates: Templates, function: str) -> Grants:
    role_id = templates.named("AWS::Lambda::Function")[function].properties["Role"]["Fn::GetAtt"][0]
    role = templates.find("service", role_id)
    assert "Policies" not in role.properties
    assert "ManagedPolicyArns" not in role.properties
    found: Grants = {}
    for policy in templates.all("AWS::IAM::Policy"):
        if {"Ref": role_id} not in policy.properties["Roles"]:
            continue
        for statement in statements(policy.properties["PolicyDocument"]):
            assert statement["Effect"] == "Allow"
            for resource in statement["Resource"]:
                place = _place(templates, policy, resource), _condition(templates, statement)
                assert place not in found, f"two statements for {place}"
                found[place] = tuple(sorted(statement["Action"]))
    return found


def _place(templates: Templates, policy: Resource, resource: object) -> str:
    """The name of the resource; queues that share a table's name are told apart."""
    text = templates.text(policy.stack, resource)
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        target = templates.find(policy.stack, resource["Fn::GetAtt"][0])
        tables = templates.named("AWS::DynamoDB::GlobalTable")
        if target.type == "AWS::SQS::Queue" and text.removesuffix(".Arn") in tables:
            return text.replace(".Arn", " queue")
    return text


def _condition(templates: Templates, statement: Json) -> str:
    return "; ".join(
        f"{operator} {key}={templates.text('service', value)}"
        for operator, tests in statement.get("Condition", {}).items()
        for key, value in tests.items()
    )


def _allowances(templates: Templates) -> list[tuple[Resource, Json]]:
    """Every allowing statement of every policy document, with the resource that has it."""
    return [
        (resource, statement)
        for resource in templates.resources()
        for key in ("PolicyDocument", "KeyPolicy")
        for statement in statements(resource.properties.get(key, {"Statement": []}))
        if statement["Effect"] == "Allow"
    ]


def _is_bound(statement: Json) -> bool:
    keys = {key for tests in statement.get("Condition", {}).values() for key in tests}
    return bool(
        keys & {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}
    ) and all(listed(statement["Principal"]["Service"]))
