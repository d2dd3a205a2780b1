"""The sweep: who calls it, how long a call is worth anything, and what it finds holds by."""

from tests.template.templates import Resource, Templates, statements


def test_the_sweep_is_called_every_minute(templates: Templates) -> None:
    """At once when it is due, with nothing, by its alias."""
    [schedule] = templates.all("AWS::Scheduler::Schedule")
    assert templates.name(schedule) == "expiry"
    assert schedule.properties["ScheduleExpression"] == "rate(1 minute)"
    assert schedule.properties["State"] == "ENABLED"
    assert schedule.properties["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = schedule.properties["Target"]
    assert target["Input"] == "{}"
    assert _function_of(templates, target["Arn"]) == "expiry"


def test_a_call_is_worth_nothing_once_the_next_is_due(templates: Templates) -> None:
    """After an outage there is one sweep, not all that were missed: a minute is the least that
    both sides let a call be worth. A sweep ends, as a rule, before the next begins."""
    [schedule] = templates.all("AWS::Scheduler::Schedule")
    assert schedule.properties["Target"]["RetryPolicy"] == {
        "MaximumEventAgeInSeconds": 60,
        "MaximumRetryAttempts": 1,
    }
    [asynchronous] = templates.all("AWS::Lambda::EventInvokeConfig")
    assert _aliased(templates, asynchronous.properties["FunctionName"]) == "expiry"
    assert asynchronous.properties["MaximumEventAgeInSeconds"] == 60
    assert asynchronous.properties["MaximumRetryAttempts"] == 0
    function = templates.named("AWS::Lambda::Function")["expiry"].properties
    assert 30 <= function["Timeout"] < 60


def test_the_schedule_may_call_the_sweep_and_nothing_else(templates: Templates) -> None:
    """Its role is taken by schedules of this account alone."""
    [schedule] = templates.all("AWS::Scheduler::Schedule")
    role = templates.find(schedule.stack, schedule.properties["Target"]["RoleArn"]["Fn::GetAtt"][0])
    [trust] = statements({"Statement": [_trust(role)]})
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    conditions = trust["Condition"]["StringEquals"]
    assert conditions["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    group = templates.text(role.stack, conditions["aws:SourceArn"])
    assert group == "arn:<Partition>:scheduler:<Region>:<AccountId>:schedule-group/default"
    [policy] = [
        each
        for each in templates.all("AWS::IAM::Policy")
        if {"Ref": role.logical_id} in each.properties["Roles"]
    ]
    [granted] = statements(policy.properties["PolicyDocument"])
    assert granted["Action"] == ["lambda:InvokeFunction"]
    [alias] = granted["Resource"]
    assert _function_of(templates, alias) == "expiry"


def test_only_holds_are_in_the_index_of_what_is_due(templates: Templates) -> None:
    """The index is sparse: its keys are attributes that accounts and ended holds do not have. It
    has what finding a hold takes, and not the state, which is read consistently before a release.
    """
    tables = templates.named("AWS::DynamoDB::GlobalTable")
    [index] = tables["states"].properties["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
        ("due_shard", "HASH"),
        ("due_at", "RANGE"),
    ]
    assert index["Projection"] == {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": ["due_accounts"],
    }
    types = {
        each["AttributeName"]: each["AttributeType"]
        for each in tables["states"].properties["AttributeDefinitions"]
    }
    assert types == {"pk": "S", "due_shard": "S", "due_at": "S"}
    assert "GlobalSecondaryIndexes" not in tables["events"].properties


def _trust(role: Resource) -> dict[str, object]:
    [statement] = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    return {**statement, "Resource": []}


def _function_of(templates: Templates, reference: dict[str, str]) -> str:
    alias = templates.find("service", reference["Ref"])
    assert alias.type == "AWS::Lambda::Alias"
    assert alias.properties["Name"] == "live"
    return _aliased(templates, alias.properties["FunctionName"])


def _aliased(templates: Templates, reference: dict[str, str]) -> str:
    function = templates.find("service", reference["Ref"])
    assert function.type == "AWS::Lambda::Function"
    return templates.name(function)
